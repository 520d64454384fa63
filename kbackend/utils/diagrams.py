"""Pictures of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kbackend.drawing import boxes
from kbackend.ground.files import write_atomically
from kbackend.model.inspecting.diagram import Shown, diagram_of


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Draw a model as boxes and arrows, without Graphviz.

    Args:
        model: the model; one whose shapes are not known yet is drawn as the chain of its layers.
        to_file: a file to write, by its ending PNG, SVG, PDF or JPEG, or the program for Graphviz ('.dot'); None for no
            file.
        show_shapes, show_dtype: whether boxes tell shapes and dtypes, of inputs → results.
        show_layer_names: whether they tell the layers' names.
        rankdir: where arrows go: 'TB' (down), 'BT', 'LR' or 'RL'.
        expand_nested: whether models inside the model are drawn with their layers.
        dpi: dots an inch of the file.
        show_layer_activations: whether boxes tell activations.
        show_trainable: whether they tell if weights are trained.
        splines: the lines that the program for Graphviz asks for; the picture has curves.

    Returns:
        A figure of matplotlib, which notebooks show.

    Raises:
        ValueError: another direction, or an ending that there is not.
        TypeError: it is no model.

    >>> from kbackend import Input, Model, layers, utils
    >>> x = Input((4,))
    >>> figure = utils.plot_model(Model(x, layers.Dense(2)(x)), to_file=None, show_shapes=True)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['Input', '(None, 4)', 'Dense', '(None, 4) → (None, 2)']
    """
    shown = Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    diagram = diagram_of(model, shown)
    figure = boxes.picture(diagram, rankdir)
    if to_file is None:
        return figure
    if Path(to_file).suffix == ".dot":
        write_atomically(to_file, boxes.dot_text(diagram, rankdir, dpi, splines).encode())
    else:
        figure.write(to_file, dpi)
    return figure


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """A model as a graph of the package pydot, for programs that change it. :func:`plot_model` needs no such package.

    Args:
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested: as for :func:`plot_model`.
        dpi, show_layer_activations, show_trainable, splines: as for :func:`plot_model`.
        subgraph: whether it is a cluster, to be put into another graph.

    Returns:
        A ``pydot.Dot``, or a ``pydot.Cluster``.

    Raises:
        ImportError: pydot is not installed.

    >>> from kbackend import Input, Model, layers, utils
    >>> x = Input((3,), name="x")
    >>> model = Model(x, layers.Dense(2, name="two")(x))
    >>> dot = utils.model_to_dot(model)  # needs pydot
    >>> len(dot.get_nodes()) >= 2
    True
    """
    try:
        import pydot
    except ImportError as error:
        raise ImportError(
            "model_to_dot gives a graph of pydot: pip install 'kbackend[plots]'. plot_model draws without it, and "
            f"writes the program for Graphviz to a file that ends in .dot ({error})"
        ) from error
    shown = Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    text = boxes.dot_text(diagram_of(model, shown), rankdir, dpi, splines)
    graph = pydot.graph_from_dot_data(text)[0]
    if not subgraph:
        return graph
    cluster = pydot.Cluster(model.name, label=model.name)
    for node in graph.get_nodes():
        cluster.add_node(node)
    for inner in graph.get_subgraphs():
        cluster.add_subgraph(inner)
    for edge in graph.get_edges():
        cluster.add_edge(edge)
    return cluster
