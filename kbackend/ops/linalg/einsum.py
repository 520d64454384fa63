"""Sums of products in the Einstein summation convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import dtypes
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorList
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import broadcast
from kbackend.graph.tensor import TensorSpec

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _explicit(subscripts: Any, ranks: Sequence[int]) -> str:
    """Subscripts with ``->`` and without spaces, checked against the ranks."""
    if not isinstance(subscripts, str):
        raise ValueError(f"einsum: subscripts must be a string such as 'ij,jk->ik', it is {subscripts!r}")
    text = subscripts.replace(" ", "")
    terms, arrow, out = text.partition("->")
    inputs = terms.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(f"einsum {subscripts!r} names {len(inputs)} operands, {len(ranks)} are given")
    for term, rank in zip(inputs, ranks):
        _check_term(term, subscripts)
        count = len(term.replace("...", ""))
        if count > rank or count < rank and "..." not in term:
            raise ValueError(f"einsum {subscripts!r}: {term!r} does not fit an operand of rank {rank}")
    letters = "".join(inputs).replace(".", "")
    if not arrow:
        once = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        out = ("..." if "..." in terms else "") + once
    _check_term(out, subscripts)
    invalid = [c for c in out.replace("...", "") if c not in letters or out.count(c) > 1]
    if invalid or "..." in out and "..." not in terms:
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


@primitive(takes_complex=True, name="einsum", promote="same", prepare=_einsum_attrs, tolerance="matmul", view=True,
           samples=lambda: [
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
    """The sum of products of explicit subscripts."""
    if operands[0].dtype == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    terms, out = subscripts.split("->")
    sizes: dict[str, int | None] = {}
    batches = []
    for term, x in zip(terms.split(","), operands):
        before, ellipsis, after = term.partition("...")
        end = x.ndim - len(after) if ellipsis else x.ndim
        if ellipsis:
            batches.append(x.shape[len(before) : end])
        for letter, size in zip(before + after, x.shape[: len(before)] + x.shape[end:]):
            known = sizes.setdefault(letter, size)
            if known is not None and size is not None and known != size:
                raise ValueError(f"einsum {subscripts!r}: {letter} is both {known} and {size}")
            sizes[letter] = size if known is None else known
    first, ellipsis, last = out.partition("...")
    batch = broadcast(*batches) if ellipsis else ()
    return TensorSpec((*(sizes[c] for c in first), *batch, *(sizes[c] for c in last)), operands[0].dtype)


@derived
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """The sum of products over repeated subscripts (NumPy's ``einsum``).

    Args:
        subscripts: such as ``"ij,jk->ik"``; without ``->`` the result has the letters that occur once, in alphabetical
            order. A letter repeated in one term is a diagonal; an ellipsis stands for batch axes, which broadcast.
        operands: a tensor for each term.
        kwargs: ``optimize`` is accepted and makes no difference: the engine chooses the order of the products.

    Returns:
        A tensor of the common dtype of the operands, of the shape that the letters after ``->`` name.

    Raises:
        ValueError: subscripts that do not fit the ranks or sizes, or an ellipsis missing in the result.
        TypeError: bool operands, or an unknown keyword.

    >>> from kbackend import K
    >>> from kbackend.ops import einsum
    >>> K.eval(einsum("ij,ij->i", K.constant([[1, 2], [3, 4]]), K.constant([[1, 1], [2, 2]]))).tolist()
    [3.0, 14.0]
    """
    unknown = set(kwargs) - {"optimize"}
    if unknown:
        raise TypeError(f"einsum has no argument {sorted(unknown)}")
    return _einsum(list(operands), subscripts=subscripts)


__all__ = ["einsum"]
