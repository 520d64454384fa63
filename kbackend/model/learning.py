"""Data of one call: what a model learns from it, undone where it is refused, and predictions of a single batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbackend.layers.base.inside import Inside
from kbackend.training import data, loop
from kbackend.training.arrays import prediction_groups
from kbackend.training.measuring import of_model


@contextmanager
def unbuilt_if_refused(model: Any) -> Iterator[Callable[[], None]]:
    """A context in which data may build a model. It gives a function that says that the data was taken; an error before
    that leaves a model that was not built, and the layers in it, as they were."""
    if model.built:
        yield _nothing
        return
    before = [(layer, _attributes(layer)) for layer in Inside(model).layers]
    taken: list[bool] = []
    try:
        yield lambda: taken.append(True)
    except BaseException:
        if not taken:
            for layer, attributes in before:
                vars(layer).clear()
                vars(layer).update(attributes)
        raise


def _attributes(layer: Any) -> dict[str, Any]:
    """The attributes of a layer; what it collects in lists, dicts and sets is copied."""
    return {k: v.copy() if type(v) in (list, dict, set) else v for k, v in vars(layer).items()}


def _nothing() -> None: ...


def is_one_batch(model: Any, x: np.ndarray, batch_size: int | None) -> bool:
    """Whether ``predict`` of an array is one run of the program whatever the model is."""
    if not model.built or model.own_predict or not x.ndim or not 0 < len(x) <= data.batch_size(batch_size):
        return False
    return all(t.shape and t.shape[0] is None for t in model._topology.inputs)


def predict_one_batch(model: Any, x: np.ndarray) -> Any:
    """``predict`` without a source of batches, which costs more than a small program."""
    steps = model._steps
    groups = prediction_groups(steps, x)
    of_model.settle(steps, "predict", groups, len(x))
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
