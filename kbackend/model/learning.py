"""Learning the shapes of a model's inputs from data, undone where the data is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from kbackend.layers.base.inside import Inside


def unbuilt_if_refused(model: Any) -> AbstractContextManager[Callable[[], Any]]:
    """A context in which data may build a model. It gives a function that says that the data was taken; an error before
    that leaves a model that was not built, and the layers in it, as they were."""
    return _BUILT if model.built else _unbuilt_if_refused(model)


@contextmanager
def _unbuilt_if_refused(model: Any) -> Iterator[Callable[[], Any]]:
    before = [(layer, _attributes(layer)) for layer in Inside(model).layers]
    taken: list[bool] = []
    try:
        yield lambda: taken.append(True)
    except BaseException:
        if not taken:
            for layer, attributes in before:
                vars(layer).clear()
                vars(layer).update(attributes)
            model._steps = model._steps.of_changed_model()  # which know the weights of the model that was built
        raise


def _attributes(layer: Any) -> dict[str, Any]:
    """The attributes of a layer; what it collects in lists, dicts and sets is copied."""
    return {k: v.copy() if type(v) in (list, dict, set) else v for k, v in vars(layer).items()}


def _nothing() -> None: ...


_BUILT: AbstractContextManager[Callable[[], Any]] = nullcontext(_nothing)
