"""Predictions: of a single batch, and what keeps those of several from being joined."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.training import data, loop, measuring
from kbackend.training.arrays import prediction_groups


def is_one_batch(model: Any, x: np.ndarray, batch_size: int | None) -> bool:
    """Whether ``predict`` of an array is one run of the program whatever the model is."""
    if not model.built or model.own_predict or not x.ndim or not 0 < len(x) <= data.batch_size(batch_size):
        return False
    for tensor in model._topology.inputs:
        if not tensor.shape or tensor.shape[0] is not None:
            return False
    return True


def predict_one_batch(model: Any, x: np.ndarray) -> Any:
    """``predict`` without a source of batches, which costs more than a small program."""
    steps = model._steps
    groups = prediction_groups(steps, x)
    measuring.settle(steps, "predict", groups, len(x))
    return model._packed(loop.predict_batch(steps.predict(), steps.target(), groups.inputs))


def check_joinable(model: Any, function: Any) -> None:
    """Refuse outputs that several batches cannot be joined of.

    Raises:
        DataError: an output is a single number for each batch.
    """
    names = [t.name for t in function.outputs] if model.own_predict else model.output_names
    for name, tensor in zip(names, function.outputs):
        if tensor.shape == ():
            raise data.DataError(
                f"the output {name!r} is a single number for each batch, so that of several batches cannot be "
                "joined; use predict_on_batch, or a batch_size of at least the number of samples"
            )
