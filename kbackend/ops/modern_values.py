"""The new meanings of creation, rounding, activations, classes and decoding, as NumPy and Keras 3 have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.ops import activation, creation, ctc, indexing, ranking, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer, moveaxis
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.rules import In, Sample, call, values

# ------------------------------------------------------------------------------------- creation


@derived(name="modern_arange", samples=lambda: [
    call(4), call(5, 0, -2), call(0.0, 1.0, 0.25, name="floats"), call(3, dtype="float16", name="dtype"),
    call(0, In((), kind="int32", values=3), gradient=False, name="symbolic stop"),
    call(0, 3, 0, raises=ValueError, name="step 0")])
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """The numbers from ``start`` to before ``stop``, or from 0 to before ``start`` (NumPy's ``arange``).

    Args:
        start, stop, step: numbers or symbolic scalars; a step of None is 1.
        dtype: int32 for integers and floatx for floats when None.

    Raises:
        ValueError: a step of 0.

    >>> from kbackend import K, ops
    >>> K.eval(ops.arange(0.0, 1.0, 0.5)).tolist()
    [0.0, 0.5]
    """
    step = 1 if step is None else step
    if dtype is None:
        given = [dtype_of(v) for v in (start, stop, step) if v is not None]
        dtype = config.floatx() if any(dtypes.is_float(d) for d in given) else "int32"
    return creation.arange(start, stop, step, dtype)


@derived(name="modern_full", samples=lambda: [
    call((2, 3), 1.5), call(2, -3, "int32"), call((2, 3), In((3,)), name="tensor"),
    call((2, 3), In((2,)), raises=ValueError, name="shapes")])
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one value, or of a tensor that is repeated (NumPy's ``full``).

    Args:
        shape: integers or integer scalars.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: floatx when None.

    Raises:
        ValueError: shapes that do not broadcast, or a negative dimension.

    >>> from kbackend import K, ops
    >>> K.eval(ops.full((2,), 7)).tolist()
    [7.0, 7.0]
    """
    if isinstance(fill_value, (bool, int, float)):
        return creation.full(shape, fill_value, dtype)
    value = e.cast(as_tensor(fill_value), config.floatx() if dtype is None else dtypes.canonical(dtype))
    return shaping.broadcast_to(value, [shape] if isinstance(shape, int) else shape)


# ------------------------------------------------------------------------------------- rounding and activations


def _rounded_integers(x: Any, unit: int) -> Any:
    below = e.floor_divide(x, unit)
    twice = (x - below * unit) * 2
    odd = below % 2 == 1
    up = (twice > unit) | (twice == unit) & odd
    return (below + e.cast(up, dtype_of(x))) * unit


@derived(name="modern_round", samples=lambda: [
    call(values(0.5, 1.5, -2.6), expect=np.array([0.0, 2.0, -3.0]), gradient=False),
    call(values(1.25, -3.75, 8.5), 1, gradient=False, name="decimals", dtypes=("float64", "float32")),
    call(values(1234.0, -250.0, 350.0), -2, expect=np.array([1200.0, -200.0, 400.0]), gradient=False, name="hundreds",
         dtypes=("float64", "float32")),
    call(values(15, 25, -15, kind="int32"), -1, expect=np.array([20, 20, -20]), gradient=False, name="integers"),
    call(In((2,)), 0.5, raises=TypeError, name="decimals of floats")])
def round_(x: TensorLike, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, halves to the even one (NumPy's ``round``). The gradient is 0.

    Args:
        x: a tensor.
        decimals: an integer; below 0 for tens, hundreds and so on, of integers too.

    Raises:
        TypeError: decimals that are no integer.

    >>> from kbackend import K, ops
    >>> K.eval(ops.round(K.constant([2.5, 13.0]), -1)).tolist()
    [0.0, 10.0]
    """
    x = as_tensor(x)
    decimals = integer(decimals, "decimals")
    if dtypes.is_integer(dtype_of(x)):
        return x if decimals >= 0 else _rounded_integers(x, 10**-decimals)
    if decimals == 0:
        return e.round_(x)
    if decimals > 0:
        return e.round_(x * 10.0**decimals) / 10.0**decimals
    return e.round_(x / 10.0**-decimals) * 10.0**-decimals


@derived(name="modern_gelu", samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), False, name="exact"), call(In((2,), -3, 3, kind="int32"), gradient=False)])
def gelu(x: TensorLike, approximate: bool = True) -> Any:
    """``x * P(X <= x)`` of a standard normal X: by tanh, or by erf when not ``approximate``.

    Args:
        x: a tensor; integers give floatx.
        approximate: whether by tanh.

    Source: Hendrycks and Gimpel 2016.

    >>> from kbackend import ops
    >>> round(float(ops.gelu(1.0)), 4), round(float(ops.gelu(1.0, approximate=False)), 4)
    (0.8412, 0.8413)
    """
    return activation.gelu(as_tensor(x), bool(approximate))


@derived(name="modern_leaky_relu", samples=lambda: [
    call(In((2, 3), avoid=(0.0,))), call(In((2, 3), avoid=(0.0,)), 0.01, name="slope")])
def leaky_relu(x: TensorLike, negative_slope: Any = 0.2) -> Any:
    """``x`` above 0, ``negative_slope * x`` below; the gradient at 0 is the slope.

    Args:
        x: a tensor; integers give floatx.
        negative_slope: a number or a tensor.

    >>> from kbackend import ops
    >>> round(float(ops.leaky_relu(-1.0)), 4)
    -0.2
    """
    return activation.leaky_relu(as_tensor(x), negative_slope)


@derived(name="modern_hard_sigmoid", samples=lambda: [
    call(In((2, 3), -5, 5, avoid=(-3.0, 3.0))), call(values(-4.0, 0.0, 3.0), expect=np.array([0.0, 0.5, 1.0]),
                                                     gradient=False, name="places")])
def hard_sigmoid(x: TensorLike) -> Any:
    """``x / 6 + 1/2``, no less than 0 and no more than 1. K's is steeper: ``x / 5 + 1/2``.

    Args:
        x: a tensor; integers give floatx.

    Source: Howard et al. 2019.

    >>> from kbackend import ops
    >>> float(ops.hard_sigmoid(1.5))
    0.75
    """
    return e.clip(as_tensor(x) + 3, 0, 6) / 6


# ------------------------------------------------------------------------------------- classes


@derived(name="modern_one_hot", tolerance="exact", samples=lambda: [
    call(In((2, 3), -1, 5, kind="int32"), 4, gradient=False),
    call(In((2, 3), 0, 4, kind="int64"), 4, 0, "int32", gradient=False, name="first axis"),
    call(In((2,)), 3, raises=TypeError, name="floats"),
    call(In((2,), kind="int32"), 3, 2, raises=ValueError, name="axis"),
    call(In((2,), kind="int32"), 3, sparse=True, raises=ValueError, name="sparse")])
def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """One-hot vectors along a new axis; an index below 0 or not below ``num_classes`` gives zeros.

    Args:
        x: an integer tensor of any shape.
        num_classes: the length of the vectors.
        axis: where the new axis stands in the result.
        dtype: floatx when None.
        sparse: there are no sparse results; True is refused.

    Raises:
        TypeError: indices that are no integers. ValueError: an axis out of range, a negative number of classes, or
            ``sparse``.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.one_hot([0, 2], 3, axis=0, dtype="int32")).tolist()
    [[1, 0], [0, 0], [0, 1]]
    """
    if sparse:
        raise ValueError("one_hot: sparse=True is not supported; the result is dense")
    found = indexing._one_hot(as_tensor(x), num_classes, config.floatx() if dtype is None else dtype)
    return found if axis in (-1, len(found.shape) - 1) else moveaxis(found, -1, axis)


@derived(name="modern_in_top_k", tolerance="exact", samples=lambda: [
    call(In((3,), 0, 4, kind="int32"), In((3, 4), distinct=True), 2, gradient=False),
    call(In((3,)), In((3, 4)), 2, raises=TypeError, name="floats")])
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Any:
    """Whether the class of each row is among the ``k`` that are predicted highest.

    Args:
        targets: the classes, integers (batch,).
        predictions: a float tensor (batch, classes).
        k: how many.

    Returns:
        bool (batch,); ties, NaN and classes out of range as in :func:`kbackend.ops.ranking.in_top_k`, with its errors.

    >>> from kbackend import ops
    >>> [bool(v) for v in ops.in_top_k([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]], 2)]
    [True, False]
    """
    return ranking.in_top_k(as_tensor(predictions), as_tensor(targets), k)


def _decode_samples() -> list[Sample]:
    y = In(values=4.0 * np.eye(3)[[[0, 1, 1, 0, 1], [2, 1, 1, 2, 2]]] + 0.1 * np.arange(30).reshape(2, 5, 3) % 0.7,
           gradient=False)
    sizes = values(5, 3, kind="int32", gradient=False)
    common: dict[str, Any] = {"gradient": False, "dtypes": ("float64", "float32")}
    return [
        call(y, sizes, **common), call(y, sizes, merge_repeated=False, mask_index=2, name="not merged", **common),
        call(y, sizes, "beam_search", 10, 2, name="beams", **common),
        call(y, sizes, "random", raises=ValueError, gradient=False, name="strategy")]


@derived(name="modern_ctc_decode", tolerance="reduction", samples=_decode_samples)
def ctc_decode(inputs: TensorLike, sequence_lengths: TensorLike, strategy: str = "greedy", beam_width: int = 100,
               top_paths: int = 1, merge_repeated: bool = True, mask_index: int = 0) -> tuple[Any, Any]:
    """The most likely labels of a sequence.

    Args:
        inputs: logits (batch, time, classes).
        sequence_lengths: how many time steps count, integers (batch,).
        strategy: 'greedy' takes the likeliest class of each step, 'beam_search' searches for whole sequences.
        beam_width: how many prefixes the search keeps.
        top_paths: how many sequences the search gives.
        merge_repeated: whether the greedy strategy collapses equal classes that follow each other.
        mask_index: the class of the blank.

    Returns:
        int32 labels (paths, batch, time), filled up with -1, of one path when greedy; and for the greedy strategy
        minus the sum of the largest logits (batch, 1), else the logarithms of the probabilities (batch, top_paths).

    Raises:
        ValueError: another strategy, shapes that do not fit, or more paths than beams.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.ctc_decode([[[0.0, 9.0], [9.0, 0.0], [0.0, 9.0]]], [3])[0]).tolist()
    [[[1, 1, -1]]]
    """
    logits = as_tensor(inputs)
    if not dtypes.is_float(dtype_of(logits)):
        logits = e.cast(logits, config.floatx())
    if strategy == "greedy":
        labels, score = ctc.ctc_greedy(logits, sequence_lengths, blank=mask_index, merge=bool(merge_repeated))
        return shaping.expand_dims(labels, 0), score
    if strategy != "beam_search":
        raise ValueError(f"the strategy must be 'greedy' or 'beam_search', it is {strategy!r}")
    labels, score = ctc.ctc_beam_search(
        logits, sequence_lengths, blank=mask_index, beam_width=beam_width, top_paths=top_paths)
    return labels, score


__all__ = ["arange", "ctc_decode", "full", "gelu", "hard_sigmoid", "in_top_k", "leaky_relu", "one_hot", "round_"]
