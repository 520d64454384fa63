"""Products of tensors: einsum, and what it expresses."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import shaping
from kbackend.ops.arranging import as_tensor
from kbackend.ops.complexes import conjugated
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.rules import In, call
from kbackend.ops.shapes import axis_in, broadcast

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _explicit(subscripts: Any, ranks: Sequence[int]) -> str:
    """Subscripts with ``->`` and without spaces, checked against the ranks."""
    if not isinstance(subscripts, str):
        raise ValueError(f"einsum: subscripts are a string such as 'ij,jk->ik', not {subscripts!r}")
    text = subscripts.replace(" ", "")
    terms, arrow, out = text.partition("->")
    inputs = terms.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(f"einsum {subscripts!r} names {len(inputs)} operands, {len(ranks)} are given")
    for term, rank in zip(inputs, ranks):
        _check_term(term, subscripts)
        named = len(term.replace("...", ""))
        if named > rank or named < rank and "..." not in term:
            raise ValueError(f"einsum {subscripts!r}: {term!r} does not fit an operand of rank {rank}")
    letters = "".join(inputs).replace(".", "")
    if not arrow:
        once = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        out = ("..." if "..." in terms else "") + once
    _check_term(out, subscripts)
    wrong = [c for c in out.replace("...", "") if c not in letters or out.count(c) > 1]
    if wrong or "..." in out and "..." not in terms:
        raise ValueError(f"einsum {subscripts!r}: the result cannot be {out!r}")
    if "..." in terms and "..." not in out:
        raise ValueError(f"einsum {subscripts!r}: the ellipsis is missing in the result {out!r}")
    return f"{terms}->{out}"


def _check_term(term: str, subscripts: str) -> None:
    rest = term.replace("...", "", 1)
    if rest and not (rest.isalpha() and rest.isascii()):
        raise ValueError(f"einsum {subscripts!r}: {term!r} is not made of letters and one ellipsis")


def _einsum_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"subscripts": _explicit(attrs["subscripts"], [x.ndim for x in specs[0]])}


@primitive(name="einsum", promote="same", prepare=_einsum_attrs, tolerance="matmul", view=True, samples=lambda: [
    call([In((2, 3)), In((3, 4))], subscripts="ij,jk"),
    call([In((2, 3, 4)), In((1, 4, 2))], subscripts="...ij, ...jk -> ...ik", name="ellipsis, broadcasting"),
    call([In((3, 3))], subscripts="ii->i", name="a diagonal", dynamic=False),
    call([In((2, 3, 3))], subscripts="bii", name="traces"),
    call([In((2, 3))], subscripts="ij->j", name="a sum"),
    call([In((2, 3)), In((3, 2)), In((2, 2))], subscripts="ij,jk,kl->il", name="three"),
    call([In((0, 3)), In((3,))], subscripts="ij,j->i", name="empty"),
    call([In((2, 3), -3, 4, kind="int32"), In((3,), -3, 4, kind="int32")], subscripts="ij,j", name="int32",
         gradient=False),
    call([In((2, 3)), In((4,))], subscripts="ij,j", name="other sizes", raises=ValueError, dynamic=False),
    call([In((2, 3))], subscripts="ijk", name="rank", raises=ValueError, dynamic=False),
])
def _einsum(operands: TensorList, subscripts: str) -> TensorSpec:
    if operands[0].dtype == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    terms, out = subscripts.split("->")
    sizes: dict[str, int | None] = {}
    middles = []
    for term, x in zip(terms.split(","), operands):
        before, ellipsis, after = term.partition("...")
        end = x.ndim - len(after) if ellipsis else x.ndim
        named = x.shape[: len(before)] + x.shape[end:]
        if ellipsis:
            middles.append(x.shape[len(before) : end])
        for letter, size in zip(before + after, named):
            known = sizes.setdefault(letter, size)
            if known is not None and size is not None and known != size:
                raise ValueError(f"einsum {subscripts!r}: {letter} is both {known} and {size}")
            sizes[letter] = size if known is None else known
    first, ellipsis, last = out.partition("...")
    middle = broadcast(*middles) if ellipsis else ()
    return TensorSpec((*(sizes[c] for c in first), *middle, *(sizes[c] for c in last)), operands[0].dtype)


@derived
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Einstein's sum over repeated letters (NumPy's ``einsum``).

    Args:
        subscripts: such as ``"ij,jk->ik"``; without ``->`` the letters that occur once, in their order. A letter
            repeated in one term means a diagonal, an ellipsis other dimensions, which broadcast.
        operands: a tensor for each term.
        kwargs: nothing; ``optimize`` is accepted, the order of products is the engine's.

    Returns:
        A tensor of the common dtype of the operands.

    Raises:
        ValueError: subscripts that do not fit the ranks or sizes, an ellipsis that the result lacks.
        TypeError: bool operands, an unknown keyword.

    >>> from kbackend import K
    >>> from kbackend.ops.products import einsum
    >>> K.eval(einsum("ij,ij->i", K.constant([[1, 2], [3, 4]]), K.constant([[1, 1], [2, 2]]))).tolist()
    [3.0, 14.0]
    """
    unknown = set(kwargs) - {"optimize"}
    if unknown:
        raise TypeError(f"einsum knows no {sorted(unknown)}")
    return _einsum(list(operands), subscripts=subscripts)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((4, 3))), call(In((3,)), In((3,)), name="vectors", dynamic=False),
    call(In(()), In((2, 3)), name="a scalar", dynamic=False),
    call(In((2, 3)), In((2, 4)), name="sizes", raises=ValueError, dynamic=False)])
def inner(x1: TensorLike, x2: TensorLike) -> Any:
    """The sum of products over the last axes (NumPy's ``inner``).

    Args:
        x1: a tensor (a..., n).
        x2: a tensor (b..., n).

    Returns:
        A tensor (a..., b...); the product where one is a scalar.

    Raises:
        ValueError: other sizes of the last axes.

    >>> from kbackend import K
    >>> from kbackend.ops.products import inner
    >>> float(K.eval(inner(K.constant([1, 2]), K.constant([3, 4]))))
    11.0
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if not len(x1.shape) or not len(x2.shape):
        return e.multiply(x1, x2)
    return tensordot(x1, x2, ([-1], [-1]))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2,)), In((3,))), call(In((2, 2)), In((3, 1)), name="flattened", dynamic=False),
    call(In((0,)), In((3,)), name="empty")])
def outer(x1: TensorLike, x2: TensorLike) -> Any:
    """All products of the elements of two tensors, flattened first (NumPy's ``outer``).

    Returns:
        A matrix (elements of ``x1``, elements of ``x2``).

    >>> from kbackend import K
    >>> from kbackend.ops.products import outer
    >>> K.eval(outer(K.constant([1, 2]), K.constant([3, 4]))).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    # Not a broadcast product: the program of its gradient ends the process under TensorFlow where x1 is empty.
    return _einsum([shaping.flatten(as_tensor(x1)), shaping.flatten(as_tensor(x2))], subscripts="i,j->ij")


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3), 0.5), In((2, 3), 0.5), dynamic=False),
    call(In((3,), 0.5), In((3,), 0.5), name="vectors", dynamic=False),
    call(In((3,)), In((2,)), name="sizes", raises=ValueError, dynamic=False)])
def vdot(x1: TensorLike, x2: TensorLike) -> Any:
    """The sum of the products of the elements of two tensors, flattened first, those of ``x1`` conjugated
    (NumPy's ``vdot``).

    Raises:
        ValueError: other numbers of elements.

    >>> from kbackend import K
    >>> from kbackend.ops.products import vdot
    >>> float(K.eval(vdot(K.constant([[1, 2]]), K.constant([[3], [4]]))))
    11.0
    """
    first = conjugated(as_tensor(x1))
    return _einsum([shaping.flatten(first), shaping.flatten(as_tensor(x2))], subscripts="i,i->")


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3, 4)), In((3, 4, 2))),
    call(In((2, 3), 0.5), In((3, 2), 0.5), ([1, 0], [0, 1]), name="axes", dynamic=False),
    call(In((2,)), In((3,)), 0, name="no axes", dynamic=False), call(In((2, 3)), In((3, 2)), 1, name="one"),
    call(In((2, 3)), In((3, 2)), 1, name="bfloat16", dtypes=("bfloat16",)),
    call(In((2, 3)), In((2, 3)), 1, name="sizes", raises=ValueError, dynamic=False),
    call(In((2, 3)), In((3,)), 2, name="rank", raises=ValueError, dynamic=False)])
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes (NumPy's ``tensordot``).

    Args:
        x1, x2: tensors.
        axes: so many last axes of ``x1`` and first of ``x2``, or a pair: axes of ``x1``, axes of ``x2``.

    Returns:
        A tensor of the other axes of ``x1`` and then those of ``x2``.

    Raises:
        ValueError: axes out of range, named twice, of other sizes, or more than there are.

    >>> from kbackend import K
    >>> from kbackend.ops.products import tensordot
    >>> K.int_shape(tensordot(K.placeholder((None, 2, 3)), K.placeholder((3, 4)), 1))
    (None, 2, 4)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    left, right = len(x1.shape), len(x2.shape)
    first, second = _paired(axes, left, right)
    names = list(_LETTERS[:left])
    others = list(_LETTERS[left : left + right])
    for a, b in zip(first, second):
        others[b] = names[a]
    kept = [names[i] for i in range(left) if i not in first] + [others[i] for i in range(right) if i not in second]
    return _einsum([x1, x2], subscripts=f"{''.join(names)},{''.join(others)}->{''.join(kept)}")


def _paired(axes: Any, left: int, right: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError(f"tensordot: axes are a number or a pair, not {axes!r}")
        first, second = ([a] if not isinstance(a, (list, tuple)) else list(a) for a in axes)
    else:
        count = operator.index(axes)
        if not 0 <= count <= min(left, right):
            raise ValueError(f"tensordot: {count} axes of tensors of rank {left} and {right}")
        first, second = list(range(left - count, left)), list(range(count))
    first, second = [axis_in(a, left) for a in first], [axis_in(a, right) for a in second]
    if len(first) != len(second) or len(set(first)) != len(first) or len(set(second)) != len(second):
        raise ValueError(f"tensordot: the axes {axes!r} do not pair")
    return first, second


@derived(tolerance="matmul", samples=lambda: [
    call(In((3, 3)), dynamic=False), call(In((2, 3, 3)), 0, 1, 2, name="a batch"),
    call(In((3, 4)), 1, name="above", dynamic=False),
    call(In((3,)), name="a vector", raises=ValueError, dynamic=False)])
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sums of diagonals (NumPy's ``trace``). Arguments and errors as in ``diagonal``.

    >>> from kbackend import K
    >>> from kbackend.ops.products import trace
    >>> float(K.eval(trace(K.constant([[1, 2], [3, 4]]))))
    5.0
    """
    from kbackend.ops.reduction import sum_
    from kbackend.ops.triangles import diagonal

    return sum_(diagonal(x, offset, axis1, axis2), axis=-1)


__all__ = ["einsum", "inner", "outer", "tensordot", "trace", "vdot"]
