"""Linear algebra kernels: autograd primitives with gradients of the same dtype and of any order."""

from __future__ import annotations

import string
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnum

from kbackend_numpy.kernels.linalg.matmul import _transposed, _unbroadcast, matmul
from kbackend_numpy.recording import primitive


@primitive
def inv(x: Any) -> Any:
    return np.linalg.inv(x)


defvjp(inv, lambda ans, x: lambda g: -matmul(matmul(_transposed(ans), g), _transposed(ans)))


@primitive
def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


defvjp(
    _solve,
    lambda ans, a, b: lambda g: -matmul(_solve(_transposed(a), g), _transposed(ans)),
    lambda ans, a, b: lambda g: _solve(_transposed(a), g),
)


def solve(a: Any, b: Any) -> Any:
    return _solve(a, b) if b.ndim == a.ndim else _solve(a, b[..., None])[..., 0]


@primitive
def _lower(x: Any) -> Any:
    return np.linalg.cholesky(x)


def _lower_gradient(ans: Any, x: Any) -> Any:
    halves = np.tril(np.ones(ans.shape[-2:], ans.dtype))
    halves[np.diag_indices(len(halves))] = 0.5

    def gradient(g: Any) -> Any:
        inner = matmul(_transposed(ans), g) * halves
        left = _solve(_transposed(ans), inner)
        result = _transposed(_solve(_transposed(ans), _transposed(left)))
        return (result + _transposed(result)) * result.dtype.type(0.5)

    return gradient


defvjp(_lower, _lower_gradient)


def cholesky(x: Any, upper: bool) -> Any:
    factor = _lower(x)
    return _transposed(factor) if upper else factor


@primitive
def det(x: Any) -> Any:
    return np.asarray(np.linalg.det(x), x.dtype)


defvjp(det, lambda ans, x: lambda g: (g * ans)[..., None, None] * _transposed(inv(x)))


@primitive
def _log_of_det(x: Any) -> Any:
    return np.asarray(np.linalg.slogdet(x)[1], x.dtype)


defvjp(_log_of_det, lambda ans, x: lambda g: g[..., None, None] * _transposed(inv(x)))


@primitive
def _sign_of_det(x: Any) -> Any:
    return np.asarray(np.linalg.slogdet(x)[0], x.dtype)


defvjp(_sign_of_det, lambda ans, x: lambda g: anp.zeros_like(x))


def slogdet(x: Any) -> Any:
    return _sign_of_det(x), _log_of_det(x)


@primitive
def _einsum(subscripts: str, *operands: Any) -> Any:
    dtype = operands[0].dtype
    if dtype.name == "bfloat16":  # not supported by NumPy's einsum
        operands = tuple(x.astype(np.float32) for x in operands)
    return np.asarray(np.einsum(subscripts, *operands, optimize=len(operands) > 2), dtype)


def _einsum_gradient(argnum: int, ans: Any, args: Any, kwargs: Any) -> Any:
    """The einsum of the cotangent with the other operands.

    A letter of the operand that occurs nowhere else needs a factor of ones. A letter that it repeats needs an identity
    matrix, which puts the sum on the diagonal.
    """
    subscripts, operands = args[0], args[1:]
    position = argnum - 1
    terms, out = subscripts.split("->")
    inputs = terms.split(",")
    sizes: dict[str, int] = {}
    for term, operand in zip(inputs, operands):
        for letter, size in zip(term, operand.shape):
            sizes[letter] = max(size, sizes.get(letter, size)) if size != 1 else sizes.get(letter, 1)
    mine, target, kind = inputs[position], operands[position], ans.dtype
    others = [(t, x) for i, (t, x) in enumerate(zip(inputs, operands)) if i != position]
    present = set(out).union(*(t for t, _ in others))
    others += [(c, np.ones(sizes[c], kind)) for c in dict.fromkeys(mine) if c not in present]
    free = iter(c for c in string.ascii_letters if c not in subscripts)
    wanted = ""
    for c in mine:
        new = next(free) if c in wanted else c
        if new != c:
            others.append((c + new, np.eye(sizes[c], dtype=kind)))
        wanted += new
    names = ",".join([out, *(t for t, _ in others)]) + "->" + wanted
    return lambda g: _unbroadcast(_einsum(names, g, *(x for _, x in others)), target.shape)


defvjp_argnum(_einsum, _einsum_gradient)


def einsum(operands: Any, subscripts: str) -> Any:
    return _einsum(_lettered(subscripts, [x.ndim for x in operands]), *operands)


def _lettered(subscripts: str, ranks: list[int]) -> str:
    """Subscripts with letters instead of the ellipsis."""
    if "..." not in subscripts:
        return subscripts
    terms, out = subscripts.split("->")
    free = [c for c in string.ascii_letters if c not in subscripts]
    inputs = terms.split(",")
    counts = [rank - len(term.replace("...", "")) for term, rank in zip(inputs, ranks)]
    held = [n for n, term in zip(counts, inputs) if "..." in term]
    names = "".join(free[: max(held)])
    explicit = [t.replace("...", names[len(names) - n :]) for t, n in zip(inputs, counts)]
    return ",".join(explicit) + "->" + out.replace("...", names)


KERNELS = {"cholesky": cholesky, "det": det, "einsum": einsum, "inv": inv, "slogdet": slogdet, "solve": solve}
