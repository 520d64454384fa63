"""Crossentropy kernels."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

_NO_LABEL = -(1 << 62)  # ignore_index: torch skips rows of this label, so it must be none

#: no reduction, as torch's functions without keywords take it
_EACH = 0


def checked_labels(labels: Any, logits: Any) -> Any:
    _check(labels, logits.shape[-1])
    return labels


def _check(labels: Any, count: int) -> None:
    outside = (labels < 0) | (labels >= count)
    if outside.any():
        raise ValueError(f"the label {labels[outside].flatten()[0].item()} is not in [0, {count})")


def label_crossentropy(labels: Any, logits: Any) -> Any:
    count = logits.shape[-1]
    rows = logits if logits.dim() == 2 else logits.reshape(labels.numel(), count)
    flat = labels.reshape(-1).to(torch.int64)
    if logits.is_cpu:
        try:
            loss = F.cross_entropy(rows, flat, reduction="none", ignore_index=_NO_LABEL)
        except IndexError:
            _check(labels, count)
            raise
    else:
        # A label out of range would disable the device for the rest of the process, and a check would synchronize.
        loss = F.cross_entropy(rows, flat.clamp(0, count - 1), reduction="none", ignore_index=_NO_LABEL)
        loss = torch.where((flat < 0) | (flat >= count), math.nan, loss)
    return loss if logits.dim() == 2 else loss.view(logits.shape[:-1])


def sigmoid_crossentropy(target: Any, logits: Any, limit: float | None = None) -> Any:
    if limit is not None:
        logits = torch._C._nn.hardtanh(logits, -limit, limit)  # as clamp, whose gradient takes four passes, not one
    if target.shape != logits.shape:
        raise ValueError(f"the target has the shape {tuple(target.shape)}, the logits {tuple(logits.shape)}")
    return torch.binary_cross_entropy_with_logits(logits, target, None, None, _EACH)


KERNELS: dict[str, Any] = {
    "checked_labels": checked_labels,
    "label_crossentropy": label_crossentropy,
    "sigmoid_crossentropy": sigmoid_crossentropy,
}
