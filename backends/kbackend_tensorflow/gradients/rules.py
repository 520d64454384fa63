"""How the sizes of operands pass to the result of each operation of TensorFlow.

A rule need not know every size: 0 stands for one that it does not know, for which TensorFlow's own answer or a new
symbol is taken. An operation without a rule passes none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import tensorflow as tf


@dataclass(frozen=True, slots=True)
class Symbol:
    """An unknown size, which is equal to all of equal attributes.

    Attributes:
        base: an object of its own for each size that is not known from others.
        times: what it is multiplied by, where axes were joined.
    """

    base: object = field(default_factory=object)
    times: int = 1


Size = int | Symbol
Sizes = tuple[Size, ...]


class Rule(NamedTuple):
    """
    Attributes:
        operands: of a result, the tensors whose sizes pass.
        sizes: of the operation and the sizes of those tensors, the sizes of the result, or None.
    """

    operands: Callable[[Any], Sequence[Any]]
    sizes: Callable[[Any, Sequence[Sizes]], Sequence[Size] | None]


def is_partly_known(tensor: Any) -> bool:
    """Whether TensorFlow knows the rank and not every size."""
    shape = tensor._shape_tuple()
    return shape is not None and None in shape


def broadcast(operands: Sequence[Sizes]) -> Sizes:
    """The sizes of what operands are broadcast to; a new symbol where they may differ."""
    rank = max(map(len, operands))
    aligned = [(1,) * (rank - len(sizes)) + tuple(sizes) for sizes in operands]
    return tuple(_joined(axis) for axis in zip(*aligned))


def _joined(sizes: Sequence[Size]) -> Size:
    wide = {size for size in sizes if size != 1}
    if len(wide) <= 1:
        return wide.pop() if wide else 1
    numbers = [size for size in wide if not isinstance(size, Symbol)]
    return numbers[0] if numbers else Symbol()


# -------------------------------------------------------------------------------------------------------- operands


def _operand(place: int) -> Callable[[Any], Sequence[Any]]:
    return lambda tensor: [tensor.op.inputs[place]]


def _own(tensor: Any) -> Sequence[Any]:
    return [tensor.op.inputs[tensor.value_index]]


def _all(tensor: Any) -> Sequence[Any]:
    return list(tensor.op.inputs)


def _first_of_several(tensor: Any) -> Sequence[Any]:
    return [tensor.op.inputs[0]] if tensor.value_index == 0 else []


def _measured(place: int) -> Callable[[Any], Sequence[Any]]:
    """The tensors whose shapes the elements of a vector are."""
    return lambda tensor: [element[0] for element in elements(tensor.op.inputs[place]) or () if element[0] is not None]


def elements(vector: Any) -> list[tuple[Any, int]] | None:
    """Of a vector that is a shape, for each element the tensor and the axis whose size it is, or None and a number,
    0 if unknown; None where the length of the vector is unknown."""
    length = vector._shape_tuple()
    if not length or length[0] is None:
        return None
    operation = vector.op
    if operation.type == "Shape":
        return [(operation.inputs[0], axis) for axis in range(length[0])]
    if operation.type == "Cast":
        return elements(operation.inputs[0])
    if operation.type == "ConcatV2":
        parts = [elements(part) for part in list(operation.inputs)[:-1]]
        return None if None in parts else [element for part in parts for element in part or ()]
    if operation.type == "Pack":
        return [_element(scalar) for scalar in operation.inputs]
    if operation.type == "StridedSlice":
        taken = _taken(operation)
        return [(None, 0)] * length[0] if taken is None else taken
    value = tf.get_static_value(vector)
    return [(None, 0)] * length[0] if value is None else [(None, max(int(number), 0)) for number in value]


def _element(scalar: Any) -> tuple[Any, int]:
    operation = scalar.op
    if operation.type == "Cast":
        return _element(operation.inputs[0])
    if operation.type == "StridedSlice" and (taken := _taken(operation)) is not None and len(taken) == 1:
        return taken[0]
    value = tf.get_static_value(scalar) if operation.type == "Const" else None
    return (None, 0) if value is None else (None, max(int(value), 0))


def _taken(operation: Any) -> list[tuple[Any, int]] | None:
    """The elements of a shape that a slice takes, where its places are known."""
    inner = elements(operation.inputs[0]) if operation.inputs[0].shape.rank == 1 else None
    begin, end, stride = (tf.get_static_value(t) for t in operation.inputs[1:4])
    if inner is None or begin is None or end is None or stride is None or len(begin) != 1:
        return None
    if operation.get_attr("shrink_axis_mask"):
        return [inner[int(begin[0])]]
    if operation.get_attr("new_axis_mask") or operation.get_attr("ellipsis_mask"):
        return None
    first = None if operation.get_attr("begin_mask") else int(begin[0])
    last = None if operation.get_attr("end_mask") else int(end[0])
    return inner[first : last : int(stride[0])]


# ----------------------------------------------------------------------------------------------------------- sizes


def _same(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size]:
    return operands[0]


def _broadcast(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size]:
    return broadcast(operands)


def _of_rows(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    """The first axis alone."""
    first, rank = operands[0], operation.outputs[0].shape.rank
    return (first[0], *(0,) * (rank - 1)) if first and rank else None


def _of_matmul(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size]:
    left, right = operands
    names = ("transpose_a", "transpose_b") if operation.type == "MatMul" else ("adj_x", "adj_y")
    turned = [operation.get_attr(name) for name in names]
    batch = broadcast([left[:-2], right[:-2]]) if len(left) > 2 or len(right) > 2 else ()
    return (*batch, left[-1 if turned[0] else -2], right[-2 if turned[1] else -1])


def _permuted(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    order = tf.get_static_value(operation.inputs[1])
    return None if order is None else [operands[0][axis] for axis in order]


def _shaped(operation: Any, operands: Sequence[Sizes], place: int) -> Sequence[Size] | None:
    """The sizes that a vector holds."""
    measured = iter(operands)
    found = elements(operation.inputs[place])
    return None if found is None else [n if t is None else next(measured)[n] for t, n in found]


def _filled(place: int) -> Rule:
    return Rule(_measured(place), lambda operation, operands: _shaped(operation, operands, place))


def _operands_of_reshape(tensor: Any) -> Sequence[Any]:
    return [tensor.op.inputs[0], *_measured(1)(tensor)]


def _reshaped(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    """What the vector says; else one unknown size before and one after, by the products of the others."""
    said = list(_shaped(operation, operands[1:], 1) or ())
    shape = operation.outputs[0]._shape_tuple()
    unknown = [size for size in operands[0] if isinstance(size, Symbol)]
    if said and len(unknown) == 1 and shape is not None and shape.count(None) == 1:
        before = unknown[0].times * math.prod(size for size in operands[0] if isinstance(size, int))
        after = math.prod(size for size in shape if size is not None)
        if before and after and before % after == 0:
            said[shape.index(None)] = Symbol(unknown[0].base, before // after)
    return said


def _expanded(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    axis = tf.get_static_value(operation.inputs[1])
    return None if axis is None else _with(operands[0], int(axis), 1)


def _with(sizes: Sizes, axis: int, size: int) -> Sizes:
    place = axis % (len(sizes) + 1)
    return (*sizes[:place], size, *sizes[place:])


def _packed(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size]:
    return _with(operands[0], operation.get_attr("axis"), len(operation.inputs))


def _without(sizes: Sizes, axes: Sequence[int]) -> Sizes:
    gone = {axis % len(sizes) for axis in axes}
    return tuple(size for axis, size in enumerate(sizes) if axis not in gone)


def _unpacked(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size]:
    return _without(operands[0], [operation.get_attr("axis")])


def _squeezed(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    axes = operation.get_attr("squeeze_dims")
    return _without(operands[0], axes) if axes else None


def _reduced(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    axes, sizes = tf.get_static_value(operation.inputs[1]), operands[0]
    if axes is None or not sizes:
        return None
    places = [int(axis) for axis in axes.reshape(-1)]
    if not operation.get_attr("keep_dims"):
        return _without(sizes, places)
    gone = {axis % len(sizes) for axis in places}
    return [1 if axis in gone else size for axis, size in enumerate(sizes)]


def _other_axes(place: int) -> Callable[[Any, Sequence[Sizes]], Sequence[Size] | None]:
    """All sizes but that along the axis that an operand names."""

    def sizes(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
        axis = tf.get_static_value(operation.inputs[place])
        return None if axis is None else [0 if i == int(axis) % len(operands[0]) else size
                                          for i, size in enumerate(operands[0])]  # fmt: skip

    return sizes


def _kept_where(place: int, value: int) -> Callable[[Any, Sequence[Sizes]], Sequence[Size] | None]:
    """The sizes along the axes for which an operand has nothing but one value: no padding, one copy."""

    def sizes(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
        given = tf.get_static_value(operation.inputs[place])
        return None if given is None else [size if (row == value).all() else 0 for size, row in zip(operands[0], given)]

    return sizes


def _sliced(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    """An axis that is taken whole keeps its size."""
    strides = tf.get_static_value(operation.inputs[3])
    if strides is None or operation.get_attr("ellipsis_mask"):
        return None
    masks = [operation.get_attr(f"{name}_mask") for name in ("begin", "end", "new_axis", "shrink_axis")]
    rest, found = list(operands[0]), []
    for place, stride in enumerate(strides):
        begin, end, new, shrunk = (mask >> place & 1 for mask in masks)
        size = 1 if new else rest.pop(0)
        if not shrunk or new:
            found.append(size if new or begin and end and stride == 1 else 0)
    return [*found, *rest]


def _gathered(operation: Any, operands: Sequence[Sizes]) -> Sequence[Size] | None:
    axis = tf.get_static_value(operation.inputs[2])
    if axis is None or operation.get_attr("batch_dims"):
        return None
    table, indices = operands
    place = int(axis) % len(table)
    return [*table[:place], *indices, *table[place + 1 :]]


_SAME = """
    Abs Acos Acosh AddN Asin Asinh Atan Atanh BiasAdd Cast Ceil CheckNumerics ClipByValue Conj Cos Cosh Cumprod Cumsum
    Digamma Elu EluGrad EnsureShape Erf Erfc Erfinv Exp Expm1 Floor Identity Imag Inv IsFinite IsInf IsNan LRN LeakyRelu
    LeakyReluGrad Lgamma Log Log1p LogSoftmax LogicalNot MaxPoolGrad Ndtri Neg OnesLike PreventGradient Real Reciprocal
    Relu Relu6 Relu6Grad ReluGrad ReverseV2 Rint Round Rsqrt RsqrtGrad Selu SeluGrad Sigmoid SigmoidGrad Sign Sin Sinh
    Snapshot Softmax Softplus SoftplusGrad Softsign SoftsignGrad Sqrt SqrtGrad Square StopGradient Tan Tanh TanhGrad
    ZerosLike
"""
_BROADCAST = """
    Add AddV2 Atan2 BitwiseAnd BitwiseOr BitwiseXor Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less
    LessEqual LogicalAnd LogicalOr Maximum Minimum Mul MulNoNan NextAfter NotEqual Pow RealDiv SelectV2
    SquaredDifference Sub TruncateDiv Xdivy Xlog1py Xlogy
"""
_OF_ROWS = """
    AvgPool AvgPool3D Conv2D Conv3D DepthwiseConv2dNative MaxPool MaxPool3D ResizeBilinear ResizeNearestNeighbor
"""
_OF_ROWS_OF_THIRD = "Conv2DBackpropInput Conv3DBackpropInputV2 DepthwiseConv2dNativeBackpropInput"
_REDUCED = "All Any Max Mean Min Prod Sum"

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME.split(), Rule(_operand(0), _same)),
    **dict.fromkeys(("IdentityN",), Rule(_own, _same)),
    **dict.fromkeys(("FusedBatchNormV3", "FusedBatchNormGradV3"), Rule(_first_of_several, _same)),
    **dict.fromkeys(_BROADCAST.split(), Rule(_all, _broadcast)),
    **dict.fromkeys(_OF_ROWS.split(), Rule(_operand(0), _of_rows)),
    **dict.fromkeys(_OF_ROWS_OF_THIRD.split(), Rule(_operand(2), _of_rows)),
    **dict.fromkeys(("BatchMatMulV2", "MatMul"), Rule(_all, _of_matmul)),
    **dict.fromkeys(_REDUCED.split(), Rule(_operand(0), _reduced)),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), Rule(_operand(0), _kept_where(1, 0))),
    "BroadcastTo": _filled(1),
    "ConcatV2": Rule(_operand(0), _other_axes(-1)),
    "ExpandDims": Rule(_operand(0), _expanded),
    "Fill": _filled(0),
    "GatherV2": Rule(lambda tensor: list(tensor.op.inputs)[:2], _gathered),
    "Pack": Rule(_operand(0), _packed),
    "Reshape": Rule(_operands_of_reshape, _reshaped),
    "Split": Rule(_operand(1), _other_axes(0)),
    "SplitV": Rule(_operand(0), _other_axes(2)),
    "Squeeze": Rule(_operand(0), _squeezed),
    "StridedSlice": Rule(_operand(0), _sliced),
    "Tile": Rule(_operand(0), _kept_where(1, 1)),
    "Transpose": Rule(_operand(0), _permuted),
    "Unpack": Rule(_operand(0), _unpacked),
}
