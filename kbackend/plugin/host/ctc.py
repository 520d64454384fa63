"""Prefix beam search of CTC outputs.

Source: Hannun, Maas, Jurafsky, Ng, "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs", 2014.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

_NEVER = -np.inf
_BLANK, _LABEL = 0, 1  # how a path that gives a prefix ends


def beam_search(logits: Any, lengths: Any, blank: int, width: int, paths: int) -> tuple[Any, Any]:
    """The most probable label sequences of a batch.

    Args:
        logits: ``(batch, time, classes)``.
        lengths: the numbers of time steps, ``(batch,)``.
        blank: the class of the blank label.
        width: the number of prefixes kept after each step.
        paths: the number of sequences for each sample.

    Returns:
        The labels, int32 ``(paths, batch, time)``, padded with -1; and the log probabilities ``(batch, paths)`` in the
        dtype of ``logits``, -inf for sequences that do not exist.
    """
    batch, time, _ = logits.shape
    labels = np.full((paths, batch, time), -1, np.int32)
    scores = np.full((batch, paths), _NEVER)
    wide = np.asarray(logits, np.float64)
    for row in range(batch):
        best = _search(wide[row, : int(lengths[row])], blank, width, paths)
        for path, (prefix, score) in enumerate(best):
            labels[path, row, : len(prefix)] = prefix
            scores[row, path] = score
    return labels, scores.astype(logits.dtype)


def _search(logits: Any, blank: int, width: int, paths: int) -> list[tuple[tuple[int, ...], float]]:
    """The label sequences of one sample with their log probabilities, the most probable first."""
    shifted = logits - logits.max(axis=-1, keepdims=True) if logits.size else logits
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, _NEVER)}
    for step in logs:
        beams = _extended(beams, step, blank)
        if len(beams) > width:
            kept = heapq.nsmallest(width, beams.items(), key=lambda item: (-_total(item[1]), item[0]))
            beams = dict(kept)
    best = heapq.nsmallest(paths, beams.items(), key=lambda item: (-_total(item[1]), item[0]))
    return [(prefix, _total(parts)) for prefix, parts in best]


def _extended(
    beams: dict[tuple[int, ...], tuple[float, float]], step: Any, blank: int
) -> dict[tuple[int, ...], tuple[float, float]]:
    """The prefixes after one more step, each with the log probabilities of ending in a blank and in a label."""
    extended: dict[tuple[int, ...], list[float]] = {}

    def add(prefix: tuple[int, ...], end: int, value: float) -> None:
        parts = extended.setdefault(prefix, [_NEVER, _NEVER])
        parts[end] = np.logaddexp(parts[end], value)

    for prefix, (in_blank, in_label) in beams.items():
        both = np.logaddexp(in_blank, in_label)
        for label, log in enumerate(step):
            if label == blank:
                add(prefix, _BLANK, both + log)
            elif prefix and label == prefix[-1]:
                add(prefix, _LABEL, in_label + log)
                add((*prefix, label), _LABEL, in_blank + log)
            else:
                add((*prefix, label), _LABEL, both + log)
    return {prefix: (parts[_BLANK], parts[_LABEL]) for prefix, parts in extended.items() if max(parts) > _NEVER}


def _total(parts: tuple[float, float]) -> float:
    return float(np.logaddexp(*parts))
