"""Connectionist temporal classification (CTC): losses and decoders.

Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.dims import length, lengths
from kbackend.ops.arrays.join import concatenate_last, stack
from kbackend.ops.arrays.ranges import classic_arange
from kbackend.ops.arrays.reshape import expand_dims, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.control.scan import scan_steps
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions, cast, stop_gradient
from kbackend.ops.core.creation import ones_like, zeros_like
from kbackend.ops.elementwise.arithmetic import add
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.precision import wide_dtype
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.indexing.sorting import argsort
from kbackend.ops.losses.crossentropy import checked_labels
from kbackend.ops.nn.softmax import log_softmax
from kbackend.ops.reduction.arg import argmax_along
from kbackend.ops.reduction.reductions import reduce_max, sum_

#: the logarithm of probability 0; finite, so that gradients are not NaN
NEVER = -1e30
_FLOATS = ("float64", "float32")


def _positions(count: Any) -> Any:
    """0, 1, 2... up to ``count - 1`` as int32."""
    return np.arange(count, dtype=np.int32) if isinstance(count, int) else classic_arange(0, count, dtype="int32")


def _blank_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    logits = next(s for s in specs if s.ndim == 3) if any(s.ndim == 3 for s in specs) else None
    if logits is None:
        shapes = [s.shape for s in specs]
        raise ValueError(f"CTC needs logits (batch, time, classes), it was given tensors of the shapes {shapes}")
    blank, classes = attrs["blank"], logits.shape[-1]
    if classes is None or not -classes <= blank < classes:
        raise ValueError(f"the blank must be one of the {classes} classes, it is {blank}")
    return {**attrs, "blank": blank % classes}


def _check_batch(logits: TensorSpec, lengths: Sequence[TensorSpec], labels: TensorSpec | None = None) -> None:
    if not dtypes.is_float(logits.dtype):
        raise TypeError(f"CTC needs float logits, not {logits.dtype}")
    for given, rank in [(spec, 1) for spec in lengths] + ([] if labels is None else [(labels, 2)]):
        if given.ndim != rank or not dtypes.is_integer(given.dtype):
            raise ValueError(f"CTC needs integers, lengths (batch,) and labels (batch, length), not {given}")
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
    """The negative log-likelihood of labels: minus the log of the total probability of all paths that collapse to them.

    It is computed by the forward algorithm over time on the labels extended by blanks.

    Args:
        labels: integers (batch, length); entries from ``label_length`` on are ignored.
        logits: floats (batch, time, classes).
        label_length, input_length: integers (batch,).
        blank: the class of the blank.

    Returns:
        (batch,), infinite with gradient 0 where no path exists.

    Raises:
        ValueError: shapes that do not fit; when the program runs, a label out of range.
        TypeError: logits that are not floats.
    """
    dtype = dtype_of(logits)
    wide = wide_dtype(dtype)
    logs = log_softmax(cast(logits, wide), axis=-1)
    states, skippable = _extended_labels(labels, label_length, logs, blank)
    never = cast(ones_like(states), wide) * NEVER
    start = concatenate_last([zeros_like(never[:, 0:1]), never[:, 1:]], axis=1)

    def step(slices: list[Any], carried: list[Any]) -> tuple[list[Any], list[Any]]:
        (at, time), (alpha,) = slices, carried
        following = _transition(alpha, skippable) + take_along(at, states, axis=1)
        active = expand_dims(time < as_positions(input_length), 1)
        return [], [select_elements(active, following, alpha)]

    by_time = permute_dimensions(logs, (1, 0, 2))
    _, (alpha,) = scan_steps(step, [by_time, _positions(length(by_time, 0))], [start])
    last = expand_dims(as_positions(label_length) * 2, 1)
    at_blank = take_along(alpha, last, axis=1)
    at_label = take_along(alpha, maximum(last - 1, 0), axis=1)
    at_label = select_elements(last > 0, at_label, NEVER)
    total = _log_sum([at_blank, at_label])
    cost = select_elements(total > NEVER / 2, -total, np.inf)
    return cast(squeeze_axis(cost, 1), dtype)


def _extended_labels(labels: Any, label_length: Any, logs: Any, blank: int) -> tuple[Any, Any]:
    """The states of a path, and whether the transition that skips the blank before a state is allowed.

    The states are the labels with a blank before each and one at the end, (batch, 2 length + 1).
    """
    valid = _positions(length(labels, 1)) < expand_dims(as_positions(label_length), 1)
    labels = select_elements(valid, as_positions(labels), 0)
    classes = expand_dims(cast(logs[:, 0], "bool"), 1)
    sizes = [*lengths(labels), logs.shape[-1]]
    labels = checked_labels(labels, broadcast_to(classes, sizes))
    blanks = zeros_like(labels) + blank
    pairs = reshape(stack([blanks, labels], axis=2), (sizes[0], sizes[1] * 2))
    ends = zeros_like(cast(expand_dims(label_length, 1), dtype_of(pairs))) + blank
    states = concatenate_last([pairs, ends], axis=1)
    before = _shifted(states, 2, blank)
    return states, (states != blank) & (states != before)


def _shifted(x: Any, by: int, filler: Any) -> Any:
    """The columns moved right by a number of positions, with a filler on the left."""
    fill = zeros_like(x[:, 0:1]) + filler
    return concatenate_last([fill] * by + [x], axis=1)[:, 0:-by]


def _transition(alpha: Any, skippable: Any) -> Any:
    """The log-probability to enter each state: from itself, from the one before, or from two before."""
    from_two = select_elements(skippable, _shifted(alpha, 2, NEVER), NEVER)
    return _log_sum([alpha, _shifted(alpha, 1, NEVER), from_two])


def _log_sum(terms: list[Any]) -> Any:
    """The logarithm of the sum of exponentials, without overflow."""
    largest = terms[0]
    for term in terms[1:]:
        largest = maximum(largest, term)
    largest = stop_gradient(largest)
    total = exp(terms[0] - largest)
    for term in terms[1:]:
        total = total + exp(term - largest)
    return log(total) + largest


def _logits_of(probabilities: Any) -> Any:
    return log(add(probabilities, config.epsilon()))


def _vector(lengths: Any) -> Any:
    return squeeze_axis(lengths, 1) if len(lengths.shape) == 2 else lengths


def _batch_cost_samples() -> list[Sample]:
    y = In((2, 4, 3), 0.05, 1.0)
    return [
        call(_whole([0, 1], [1, 0]), y, _whole([4], [3]), _whole([2], [1]), dtypes=_FLOATS),
        call(_whole([0, 1], [1, 0]), In((2, 4)), _whole([4], [3]), _whole([2], [1]), raises=ValueError, name="rank"),
    ]


def _integers(x: Any) -> Any:
    """Labels or lengths that Keras code holds as floats, truncated."""
    return as_positions(x) if dtypes.is_float(dtype_of(x)) else x


@derived(tolerance="rnn", samples=_batch_cost_samples)
def ctc_batch_cost(y_true: TensorLike, y_pred: TensorLike, input_length: TensorLike, label_length: TensorLike) -> Any:
    """The CTC loss of each sample, with the last class as blank.

    Args:
        y_true: integer labels (batch, length), which may be floats; entries from ``label_length`` on are ignored.
        y_pred: probabilities (batch, time, classes), such as the output of a softmax.
        input_length: the number of valid time steps, integers (batch, 1).
        label_length: the number of valid labels, integers (batch, 1).

    Returns:
        (batch, 1), infinite where the input is too short for the labels.

    Raises:
        ValueError: shapes that do not fit; when the program runs, a label out of range.

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.

    >>> from kbackend import K
    >>> y = K.constant([[[0.5, 0.5], [0.5, 0.5]]])
    >>> cost = K.ctc_batch_cost(K.constant([[0]], "int32"), y, K.constant([[2]], "int32"), K.constant([[1]], "int32"))
    >>> round(float(K.eval(cost)[0, 0]), 4)  # three of four paths: -log(0.75)
    0.2877
    """
    lengths = [_integers(_vector(given)) for given in (label_length, input_length)]
    cost = ctc_cost(_integers(y_true), _logits_of(y_pred), *lengths, blank=-1)
    return expand_dims(cost, 1)


@derived(tolerance="rnn", samples=lambda: [
    call(_whole([1, 2], [2, 0]), In((2, 4, 3)), _whole(2, 1), _whole(4, 3), dtypes=_FLOATS)])
def ctc_loss(target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike,
             mask_index: int = 0) -> Any:
    """The CTC loss of each sample.

    Args:
        target: integer labels (batch, length); entries from ``target_length`` on are ignored.
        output: logits (batch, time, classes).
        target_length, output_length: the number of valid labels and time steps, integers (batch,).
        mask_index: the class of the blank.

    Returns:
        (batch,), infinite where the output is too short for the labels.

    Raises:
        ValueError: shapes that do not fit; when the program runs, a label out of range.
        TypeError: ``output`` is not a float tensor.

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.

    >>> from kbackend import K
    >>> from kbackend.ops import ctc_loss
    >>> target, ones = K.constant([[1]], "int32"), K.constant([1], "int32")
    >>> round(float(K.eval(ctc_loss(target, K.zeros((1, 2, 2)), ones, ones * 2))[0]), 4)
    0.2877
    """
    return ctc_cost(
        _integers(target), output, _integers(target_length), _integers(output_length), blank=mask_index)


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
    """The most likely class of each time step, without blanks and, with ``merge``, without repetitions.

    Returns:
        int32 labels (batch, time), padded with -1, and minus the sum of the largest logits, (batch, 1).
    """
    valid = _positions(length(logits, 1)) < expand_dims(as_positions(lengths), 1)
    best = cast(argmax_along(logits, axis=-1), "int32")
    kept = valid & (best != blank)
    if merge:
        kept = kept & (best != _shifted(best, 1, -1))
    score = sum_(select_elements(valid, reduce_max(logits, axis=-1), 0.0), axis=1, keepdims=True)
    return _compacted(best, kept), -score


def _compacted(labels: Any, kept: Any) -> Any:
    """The kept elements of each row at its start, followed by -1."""
    order = argsort(select_elements(kept, 0, 1), axis=1)
    count = sum_(cast(kept, "int32"), axis=1, keepdims=True)
    return select_elements(_positions(length(labels, 1)) < count, take_along(labels, order, axis=1), -1)


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
        int32 labels (top_paths, batch, time), padded with -1, and their log-probabilities (batch, top_paths) in the
        dtype of the logits. Missing sequences are empty, with log-probability -inf.
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
def classic_ctc_decode(y_pred: TensorLike, input_length: TensorLike, greedy: bool = True, beam_width: int = 100,
               top_paths: int = 1, merge_repeated: bool = False) -> tuple[list[Any], Any]:
    """Decode the most likely labels, with the last class as blank.

    Args:
        y_pred: probabilities (batch, time, classes).
        input_length: the number of valid time steps, integers (batch,).
        greedy: whether to take the most likely class of each time step instead of a beam search.
        beam_width: the number of prefixes that the beam search keeps.
        top_paths: the number of sequences that the beam search returns.
        merge_repeated: whether to collapse equal adjacent labels after a beam search, as TensorFlow 1 did.

    Returns:
        A list with an int32 tensor (batch, longest) for each path, padded with -1, and for the greedy decoder minus the
        sum of the largest logits (batch, 1), for the beam search the log-probabilities (batch, top_paths).

    Raises:
        ValueError: shapes that do not fit, or more paths than beams.

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.

    >>> from kbackend import K
    >>> y = K.one_hot(K.constant([[0, 0, 2, 1]], "int32"), 3)
    >>> [K.eval(path).tolist() for path in K.ctc_decode(y, K.constant([4], "int32"))[0]]
    [[[0, 1]]]
    """
    logits, input_length = _logits_of(y_pred), _integers(input_length)
    if greedy:
        labels, score = ctc_greedy(logits, input_length, blank=-1, merge=True)
        return [_cropped(labels)], score
    found, score = ctc_beam_search(logits, input_length, blank=-1, beam_width=beam_width, top_paths=top_paths)
    paths = [found[i] for i in range(top_paths)]
    return [_cropped(_merged(path) if merge_repeated else path) for path in paths], score


def _cropped(labels: Any) -> Any:
    """``labels`` without the last columns that are -1 in every row."""
    counts = sum_(cast(labels != -1, "int32"), axis=1)
    longest = reduce_max(concatenate_last([[0], counts], axis=0))
    return labels[:, 0:longest]


def _merged(labels: Any) -> Any:
    """``labels`` without repetitions of adjacent labels."""
    return _compacted(labels, (labels != -1) & (labels != _shifted(labels, 1, -1)))


def _modern_decode_samples() -> list[Sample]:
    y = In(values=4.0 * np.eye(3)[[[0, 1, 1, 0, 1], [2, 1, 1, 2, 2]]] + 0.1 * np.arange(30).reshape(2, 5, 3) % 0.7,
           gradient=False)
    sizes = _whole(5, 3)
    common: dict[str, Any] = {"gradient": False, "dtypes": ("float64", "float32")}
    return [
        call(y, sizes, **common), call(y, sizes, merge_repeated=False, mask_index=2, name="not merged", **common),
        call(y, sizes, "beam_search", 10, 2, name="beams", **common),
        call(y, sizes, "random", raises=ValueError, gradient=False, name="strategy")]


@derived(tolerance="reduction", samples=_modern_decode_samples)
def ctc_decode(inputs: TensorLike, sequence_lengths: TensorLike, strategy: str = "greedy", beam_width: int = 100,
               top_paths: int = 1, merge_repeated: bool = True, mask_index: int = 0) -> tuple[Any, Any]:
    """Decode the most likely labels of sequences of logits.

    Args:
        inputs: logits (batch, time, classes).
        sequence_lengths: the number of valid time steps, integers (batch,).
        strategy: 'greedy' for the most likely class of each time step, or 'beam_search'.
        beam_width: the number of prefixes that the beam search keeps.
        top_paths: the number of sequences that the beam search returns.
        merge_repeated: whether the greedy strategy collapses equal adjacent classes.
        mask_index: the class of the blank.

    Returns:
        int32 labels (paths, batch, time), padded with -1, with one path when greedy; and for the greedy strategy minus
        the sum of the largest logits (batch, 1), for the beam search the log-probabilities (batch, top_paths).

    Raises:
        ValueError: an unknown strategy, shapes that do not fit, or more paths than beams.

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification", 2006.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.ctc_decode([[[0.0, 9.0], [9.0, 0.0], [0.0, 9.0]]], [3])[0]).tolist()
    [[[1, 1, -1]]]
    """
    logits, sequence_lengths = as_tensor(inputs), _integers(sequence_lengths)
    if not dtypes.is_float(dtype_of(logits)):
        logits = cast(logits, config.floatx())
    if strategy == "greedy":
        labels, score = ctc_greedy(logits, sequence_lengths, blank=mask_index, merge=bool(merge_repeated))
        return expand_dims(labels, 0), score
    if strategy != "beam_search":
        raise ValueError(f"the strategy must be 'greedy' or 'beam_search', it is {strategy!r}")
    labels, score = ctc_beam_search(
        logits, sequence_lengths, blank=mask_index, beam_width=beam_width, top_paths=top_paths)
    return labels, score


__all__ = ["ctc_decode", "ctc_loss"]
