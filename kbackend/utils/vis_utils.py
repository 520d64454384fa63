"""Pictures of models, with Keras 2's arguments."""

from __future__ import annotations

from typing import Any

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.utils import diagrams

__all__ = ["model_to_dot", "plot_model"]


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
) -> Any:
    """Draw a model to a file; see :func:`kbackend.utils.plot_model`, which says what the arguments mean."""
    return diagrams.plot_model(
        model, to_file, show_shapes, show_layer_names=show_layer_names, rankdir=rankdir, expand_nested=expand_nested,
        dpi=dpi,
    )  # fmt: skip


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
) -> Any:
    """A model as a graph of pydot; see :func:`kbackend.utils.model_to_dot`, which says what the arguments mean."""
    return diagrams.model_to_dot(
        model, show_shapes, show_layer_names=show_layer_names, rankdir=rankdir, expand_nested=expand_nested, dpi=dpi,
        subgraph=subgraph,
    )  # fmt: skip


_suggest_in(__name__)
