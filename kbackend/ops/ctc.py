"""Connectionist temporal classification. Source: Graves, Fernández, Gomez, Schmidhuber 2006."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import reduction, shaping
from kbackend.ops.activation import log_softmax
from kbackend.ops.creation import arange, ones_like, zeros_like
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.indexing import getitem, take_along_axis
from kbackend.ops.loops import scan
from kbackend.ops.losses import checked_labels
from kbackend.ops.ordering import argsort
from kbackend.ops.sample import In, Sample, call

#: the logarithm of probability 0; finite, so that gradients are numbers
NEVER = -1e30
_FLOATS = ("float64", "float32")


def _size(x: Any, axis: int) -> Any:
    return shaping.extent(x, (axis,)) if x.shape[axis] is None else x.shape[axis]


def _places(count: Any) -> Any:
    """0, 1, 2... as int32; concrete where the count is known, so that concrete calls stay concrete."""
    return np.arange(count, dtype=np.int32) if isinstance(count, int) else arange(0, count, dtype="int32")


# ------------------------------------------------------------------------------------- the cost


def _blank_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    logits = next(s for s in specs if s.ndim == 3) if any(s.ndim == 3 for s in specs) else None
    if logits is None:
        shapes = [s.shape for s in specs]
        raise ValueError(f"CTC needs logits (batch, time, classes), it was given tensors of the shapes {shapes}")
    blank, classes = attrs["blank"], logits.shape[-1]
    if classes is None or not -classes <= blank < classes:
        raise ValueError(f"the blank {blank} is none of the {classes} classes")
    return {**attrs, "blank": blank % classes}


def _check_batch(logits: TensorSpec, lengths: Sequence[TensorSpec], labels: TensorSpec | None = None) -> None:
    if not dtypes.is_float(logits.dtype):
        raise TypeError(f"CTC needs float logits, not {logits.dtype}")
    for given, rank in [(length, 1) for length in lengths] + ([] if labels is None else [(labels, 2)]):
        if given.ndim != rank or not dtypes.is_integer(given.dtype):
            raise ValueError(f"lengths of CTC are integers (batch,), labels (batch, length); {given} is neither")
        if None not in (given.shape[0], logits.shape[0]) and given.shape[0] != logits.shape[0]:
            raise ValueError(f"{given} and the logits {logits.shape} differ in the batch dimension")


def _cost_rule(labels: TensorSpec, logits: TensorSpec, label_length: TensorSpec, input_length: TensorSpec, *,
               blank: int) -> TensorSpec:
    _check_batch(logits, (label_length, input_length), labels)
    if logits.shape[1] == 0:
        raise ValueError(f"the logits {logits.shape} have no time step")
    return TensorSpec(logits.shape[:1], logits.dtype)


def _whole(*values: Any, kind: str = "int32") -> In:
    return In(values=list(values), kind=kind, gradient=False)


def _cost_samples() -> list[Sample]:
    logits, labels, lengths = In((3, 5, 4)), _whole([0, 1, 1], [2, 0, 0], [1, 2, 0]), (_whole(3, 1, 2), _whole(5, 4, 2))
    return [
        call(labels, logits, *lengths, blank=-1, dtypes=_FLOATS),
        call(_whole([1, 2, 2], [3, 0, 0], [1, 2, 0]), logits, *lengths, blank=0, dtypes=_FLOATS, name="blank first"),
        call(_whole([0, 1], [1, -7]), In((2, 4, 3)), _whole(0, 1), _whole(4, 4), blank=2, dtypes=_FLOATS,
             name="no labels, and what lies past the labels"),
        call(_whole([0, 0]), In((1, 2, 3)), _whole(2), _whole(2), blank=2, row=24, expect=np.array([np.inf]),
             expect_gradient=None, gradient=False, name="no path", dtypes=_FLOATS),
        call(_whole([0]), In((1, 2, 2), values=np.zeros((1, 2, 2))), _whole(1), _whole(2), blank=-1, row=23,
             expect=np.array([-np.log(0.75)]), gradient=False, dtypes=_FLOATS, name="the blank is the last class"),
        call(_whole([5]), In((1, 2, 3)), _whole(1), _whole(2), blank=2, raises=ValueError, name="a label out of range"),
        call(_whole([0]), In((1, 2, 3)), _whole(1), _whole(2), blank=3, raises=ValueError, name="a blank out of range"),
        call(_whole([0]), In((2, 2, 3)), _whole(1), _whole(2), blank=2, raises=ValueError, name="batch"),
    ]


@composite(prepare=_blank_attrs, rule=_cost_rule, tolerance="rnn", samples=_cost_samples)
def ctc_cost(labels: TensorLike, logits: TensorLike, label_length: TensorLike, input_length: TensorLike, *,
             blank: int) -> Any:
    """Minus the logarithm of the probability of the labels: the sum over all paths that collapse to them.

    Args:
        labels: integers (batch, length); what lies past ``label_length`` does not count.
        logits: (batch, time, classes).
        label_length, input_length: integers (batch,).
        blank: the class that stands for nothing.

    Returns:
        (batch,). Infinite where no path exists, with a gradient of 0.

    Raises:
        ValueError: shapes that do not fit; a label that is no class, when the program runs.
    """
    dtype = dtype_of(logits)
    wide = "float32" if dtype in ("float16", "bfloat16") else dtype
    logs = log_softmax(e.cast(logits, wide), axis=-1)
    states, skips = _extended(labels, label_length, logs, blank)
    start = e.multiply(e.cast(ones_like(states), wide), NEVER)
    start = shaping.concatenate([zeros_like(getitem(start, (slice(None), slice(0, 1)))),
                                 getitem(start, (slice(None), slice(1, None)))], axis=1)

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        (at, time), (alpha,) = slices, carried
        made = e.add(_sum_of_ways(alpha, skips), take_along_axis(at, states, axis=1))
        goes_on = shaping.expand_dims(e.less(time, e.cast(input_length, "int32")), 1)
        return [], [e.where(goes_on, made, alpha)]

    by_time = shaping.permute_dimensions(logs, (1, 0, 2))
    _, (alpha,) = scan(step, [by_time, _places(_size(by_time, 0))], [start])
    last = shaping.expand_dims(e.multiply(e.cast(label_length, "int32"), 2), 1)
    at_blank = take_along_axis(alpha, last, axis=1)
    at_label = take_along_axis(alpha, e.maximum(e.subtract(last, 1), 0), axis=1)
    at_label = e.where(e.greater(last, 0), at_label, NEVER)
    total = _log_sum([at_blank, at_label])
    cost = e.where(e.greater(total, NEVER / 2), e.negative(total), np.inf)
    return e.cast(shaping.squeeze(cost, 1), dtype)


def _extended(labels: Any, label_length: Any, logs: Any, blank: int) -> tuple[Any, Any]:
    """The labels with blanks around each, (batch, 2 length + 1), and where a path may skip the blank before."""
    places = _places(_size(labels, 1))
    counts = e.less(places, shaping.expand_dims(e.cast(label_length, "int32"), 1))
    labels = e.where(counts, e.cast(labels, "int32"), 0)
    classes = shaping.expand_dims(e.cast(getitem(logs, (slice(None), 0)), "bool"), 1)
    sizes = [_size(labels, 0), _size(labels, 1), logs.shape[-1]]
    labels = checked_labels(labels, shaping.broadcast_to(classes, sizes))
    blanks = e.add(zeros_like(labels), blank)
    both = sizes[1] * 2 if isinstance(sizes[1], int) else e.multiply(sizes[1], 2)
    pairs = shaping.reshape(shaping.stack([blanks, labels], axis=2), (sizes[0], both))
    ends = e.add(zeros_like(e.cast(shaping.expand_dims(label_length, 1), "int32")), blank)
    states = shaping.concatenate([pairs, ends], axis=1)
    before = _shifted(states, 2, blank)
    return states, e.logical_and(e.not_equal(states, blank), e.not_equal(states, before))


def _shifted(x: Any, by: int, filler: Any) -> Any:
    """The columns ``by`` places to the right, with a filler at the left."""
    first = getitem(x, (slice(None), slice(0, 1)))
    fill = e.add(zeros_like(first), filler)
    return getitem(shaping.concatenate([fill] * by + [x], axis=1), (slice(None), slice(0, -by)))


def _sum_of_ways(alpha: Any, skips: Any) -> Any:
    """The logarithm of the probability to come to each state: by staying, from the one before, by skipping one."""
    two = e.where(skips, _shifted(alpha, 2, NEVER), NEVER)
    return _log_sum([alpha, _shifted(alpha, 1, NEVER), two])


def _log_sum(terms: list[Any]) -> Any:
    largest = terms[0]
    for term in terms[1:]:
        largest = e.maximum(largest, term)
    largest = e.stop_gradient(largest)
    total = e.exp(e.subtract(terms[0], largest))
    for term in terms[1:]:
        total = e.add(total, e.exp(e.subtract(term, largest)))
    return e.add(e.log(total), largest)


def _logits_of(probabilities: Any) -> Any:
    return e.log(e.add(probabilities, config.epsilon()))


def _vector(lengths: Any) -> Any:
    return shaping.squeeze(lengths, 1) if len(lengths.shape) == 2 else lengths


def _batch_cost_samples() -> list[Sample]:
    y = In((2, 4, 3), 0.05, 1.0)
    return [
        call(_whole([0, 1], [1, 0]), y, _whole([4], [3]), _whole([2], [1]), dtypes=_FLOATS),
        call(_whole([0, 1], [1, 0]), In((2, 4)), _whole([4], [3]), _whole([2], [1]), raises=ValueError, name="rank"),
    ]


@derived(tolerance="rnn", samples=_batch_cost_samples)
def ctc_batch_cost(y_true: TensorLike, y_pred: TensorLike, input_length: TensorLike, label_length: TensorLike) -> Any:
    """The CTC loss of each sample. The blank is the last class.

    Args:
        y_true: integer labels (batch, length); what lies past ``label_length`` does not count.
        y_pred: probabilities (batch, time, classes), as softmax gives them.
        input_length: how many time steps count, (batch, 1).
        label_length: how many labels count, (batch, 1).

    Returns:
        (batch, 1), infinite where the input is too short for the labels.

    Raises:
        ValueError: shapes that do not fit; when the program runs, a label that is no class.

    >>> from kbackend import K
    >>> y = K.constant([[[0.5, 0.5], [0.5, 0.5]]])
    >>> cost = K.ctc_batch_cost(K.constant([[0]], "int32"), y, K.constant([[2]], "int32"), K.constant([[1]], "int32"))
    >>> round(float(K.eval(cost)[0, 0]), 4)  # three of four paths: -log(0.75)
    0.2877
    """
    cost = ctc_cost(y_true, _logits_of(y_pred), _vector(label_length), _vector(input_length), blank=-1)
    return shaping.expand_dims(cost, 1)


@derived(tolerance="rnn", samples=lambda: [
    call(_whole([1, 2], [2, 0]), In((2, 4, 3)), _whole(2, 1), _whole(4, 3), dtypes=_FLOATS)])
def ctc_loss(target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike,
             mask_index: int = 0) -> Any:
    """The CTC loss (batch,) of logits (batch, time, classes); the blank is the class ``mask_index``.

    Args and errors as those of :func:`ctc_batch_cost`; lengths are (batch,).

    >>> from kbackend import K
    >>> from kbackend.ops.ctc import ctc_loss
    >>> target, ones = K.constant([[1]], "int32"), K.constant([1], "int32")
    >>> round(float(K.eval(ctc_loss(target, K.zeros((1, 2, 2)), ones, ones * 2))[0]), 4)
    0.2877
    """
    return ctc_cost(target, output, target_length, output_length, blank=mask_index)


# ------------------------------------------------------------------------------------- decoding


def _greedy_rule(logits: TensorSpec, lengths: TensorSpec, *, blank: int, merge: bool) -> tuple[TensorSpec, TensorSpec]:
    _check_batch(logits, (lengths,))
    return TensorSpec(logits.shape[:2], "int32"), TensorSpec((logits.shape[0], 1), logits.dtype)


def _decoding_samples(**options: Any) -> list[Sample]:
    best = np.array([[1, 1, 3, 1, 0, 0], [3, 2, 2, 3, 3, 1]])
    peaks = In(values=4.0 * np.eye(4)[best] + 0.1 * np.arange(48).reshape(2, 6, 4) % 0.7, gradient=False)
    common = {"gradient": False, "dtypes": _FLOATS, **options}
    return [
        call(peaks, _whole(6, 6), blank=3, **common),
        call(peaks, _whole(4, 0), blank=-1, name="shorter", **common),
        call(In((2, 5, 3), distinct=True, gradient=False), _whole(5, 3), blank=0, name="blank first", **common),
        call(In((2, 5), gradient=False), _whole(5, 3), blank=0, raises=ValueError, name="rank", **common),
    ]


@composite(prepare=_blank_attrs, rule=_greedy_rule, differentiable=False, tolerance="reduction",
           samples=lambda: _decoding_samples(merge=True) + _decoding_samples(merge=False)[:1])
def ctc_greedy(logits: TensorLike, lengths: TensorLike, *, blank: int, merge: bool) -> Any:
    """The most likely class of each time step, without blanks (and repetitions, with ``merge``).

    Returns:
        int32 (batch, time) with -1 past the end, and minus the sum of the largest logits, (batch, 1).
    """
    time = _places(_size(logits, 1))
    inside = e.less(time, shaping.expand_dims(e.cast(lengths, "int32"), 1))
    best = e.cast(reduction.argmax(logits, axis=-1), "int32")
    kept = e.logical_and(inside, e.not_equal(best, blank))
    if merge:
        kept = e.logical_and(kept, e.not_equal(best, _shifted(best, 1, -1)))
    order = argsort(e.where(kept, 0, 1), axis=1)
    count = reduction.sum_(e.cast(kept, "int32"), axis=1, keepdims=True)
    labels = e.where(e.less(time, count), take_along_axis(best, order, axis=1), -1)
    score = reduction.sum_(e.where(inside, reduction.max_(logits, axis=-1), 0.0), axis=1, keepdims=True)
    return labels, e.negative(score)


def _beam_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    width, paths = attrs["beam_width"], attrs["top_paths"]
    if not 1 <= paths <= width:
        raise ValueError(f"top_paths must be in [1, beam_width], they are {paths} and {width}")
    return _blank_attrs(specs, attrs)


@primitive(prepare=_beam_attrs, differentiable=False, tolerance="reduction",
           samples=lambda: _decoding_samples(beam_width=10, top_paths=3) + [
               call(In((1, 2, 3), gradient=False), _whole(2), blank=0, beam_width=2, top_paths=3, raises=ValueError,
                    name="more paths than beams")])
def ctc_beam_search(logits: TensorLike, lengths: TensorLike, *, blank: int, beam_width: int,
                    top_paths: int) -> tuple[TensorSpec, TensorSpec]:
    """The most likely label sequences by prefix beam search, on the host.

    Returns:
        int32 (top_paths, batch, time) with -1 past the end, and the logarithms of their probabilities
        (batch, top_paths) in the dtype of the logits; where fewer sequences exist, empty ones with -inf.
    """
    _check_batch(logits, (lengths,))
    batch, time = logits.shape[:2]
    return TensorSpec((top_paths, batch, time), "int32"), TensorSpec((batch, top_paths), logits.dtype)


def _decode_samples() -> list[Sample]:
    y = In(values=np.eye(3)[[[0, 0, 2, 1], [2, 1, 1, 2]]] * 0.8 + 0.05, gradient=False)
    common = {"gradient": False, "dtypes": _FLOATS}
    return [
        call(y, _whole(4, 4), name="greedy", **common),
        call(y, _whole(4, 2), False, 20, 2, name="beams", **common),
        call(y, _whole(4, 2), False, 20, 1, True, name="beams, merged", **common),
    ]


@derived(tolerance="rnn", samples=_decode_samples)
def ctc_decode(y_pred: TensorLike, input_length: TensorLike, greedy: bool = True, beam_width: int = 100,
               top_paths: int = 1, merge_repeated: bool = False) -> tuple[list[Any], Any]:
    """The most likely labels. The blank is the last class.

    Args:
        y_pred: probabilities (batch, time, classes).
        input_length: how many time steps count, integers (batch,).
        greedy: take the likeliest class of each step; else search with beams.
        beam_width: how many prefixes the search keeps.
        top_paths: how many sequences the search gives.
        merge_repeated: after a search, collapse equal labels that follow each other, as TensorFlow 1 did.

    Returns:
        A list with one int32 tensor for each path, (batch, longest), filled up with -1; and for the greedy decoder
        minus the sum of the largest logits (batch, 1), for beams the logarithms of the probabilities
        (batch, top_paths).

    Raises:
        ValueError: shapes that do not fit; more paths than beams.

    >>> from kbackend import K
    >>> y = K.one_hot(K.constant([[0, 0, 2, 1]], "int32"), 3)
    >>> [K.eval(path).tolist() for path in K.ctc_decode(y, K.constant([4], "int32"))[0]]
    [[[0, 1]]]
    """
    logits = _logits_of(y_pred)
    if greedy:
        labels, score = ctc_greedy(logits, input_length, blank=-1, merge=True)
        return [_cropped(labels)], score
    found, score = ctc_beam_search(logits, input_length, blank=-1, beam_width=beam_width, top_paths=top_paths)
    paths = [getitem(found, i) for i in range(top_paths)]
    return [_cropped(_merged(path) if merge_repeated else path) for path in paths], score


def _cropped(labels: Any) -> Any:
    """Without the columns that are -1 in every row."""
    counts = reduction.sum_(e.cast(e.not_equal(labels, -1), "int32"), axis=1)
    longest = reduction.max_(shaping.concatenate([[0], counts], axis=0))
    return getitem(labels, (slice(None), slice(0, longest)))


def _merged(labels: Any) -> Any:
    kept = e.logical_and(e.not_equal(labels, -1), e.not_equal(labels, _shifted(labels, 1, -1)))
    order = argsort(e.where(kept, 0, 1), axis=1)
    count = reduction.sum_(e.cast(kept, "int32"), axis=1, keepdims=True)
    time = _places(_size(labels, 1))
    return e.where(e.less(time, count), take_along_axis(labels, order, axis=1), -1)


__all__ = ["ctc_loss"]
