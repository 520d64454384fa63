"""Models as modules of an engine."""

from __future__ import annotations

from typing import Any

from kbackend.graph.redirect import Redirect
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.lowering.program import lowered
from kbackend.model.network import Network
from kbackend.ops.core.updates import as_updates
from kbackend.plugin.contract import Target
from kbackend.plugin.modes import rng_of
from kbackend.plugin.modules.parts import ModelParts
from kbackend.plugin.select import target


class HasModules(Network):
    """The part of a model that gives it to an engine."""

    def as_torch(self, device: str | None = None, *, named: bool = False) -> Any:
        """The model as a ``torch.nn.Module``, whose parameters are the weights of the model.

        Both have the same memory: what a training loop of torch, ``load_state_dict`` or :meth:`fit` changes, the other
        sees. The model moves to torch; where it runs on another engine in between, the module gets the values at its
        next call. ``train()`` and ``eval()`` choose the learning phase. In training a call updates what the layers
        update (moving averages, states) and draws what the next step of ``fit`` would draw. Penalties of regularizers,
        added losses and constraints of weights are not part of it.

        Args:
            device: "cpu", "cuda"; torch's first choice when None.
            named: whether the module gives a dict of the outputs by their names.

        Returns:
            The module. It takes a tensor for each input, or a list or dict of them. Names in its ``state_dict`` are
            those of layers and weights, as "dense.kernel"; variables that are no weights follow under "state".

        Raises:
            ValueError: the model does not know the shapes of its inputs yet.
            MissingKernel: a layer holds a module of another engine.
            kbackend.BackendError: torch is not installed.

        >>> from kbackend import Input, Model, available_backends, layers
        >>> if "torch" in available_backends():
        ...     x = Input((3,))
        ...     module = Model(x, layers.Dense(2, name="dense")(x)).as_torch()
        ...     assert list(module.state_dict()) == ["dense.kernel", "dense.bias"]
        """
        return _module(self, "torch", device, named)

    def as_tf(self, device: str | None = None, *, named: bool = False) -> Any:
        """The model as a ``tf.Module``, whose variables are the weights of the model.

        ``module(x, training=False)`` is traced for both phases, so that ``tf.saved_model.save(module, folder)`` writes
        it. What else is said of :meth:`as_torch` holds here too.

        Args:
            device: "cpu", "cuda"; TensorFlow's first choice when None.
            named: whether the module gives a dict of the outputs by their names.

        Returns:
            The module. It takes a tensor for each input, or a list or dict of them.

        Raises:
            ValueError: the model does not know the shapes of its inputs yet.
            MissingKernel: a layer holds a module of another engine.
            kbackend.BackendError: TensorFlow is not installed.

        >>> from kbackend import Input, Model, available_backends, layers
        >>> if "tensorflow" in available_backends():
        ...     x = Input((3,))
        ...     module = Model(x, layers.Dense(2, name="dense")(x)).as_tf()
        ...     assert [v.shape.as_list() for v in module.trainable_variables] == [[3, 2], [2]]
        """
        return _module(self, "tensorflow", device, named)


def _module(model: Any, engine: str, device: str | None, named: bool) -> Any:
    if not model.built:
        raise ValueError(f"the model {model.name} does not know the shapes of its inputs yet; build it first")
    where = target(engine, device)
    rng = rng_of(where.backend)
    programs = [
        lowered(Graph(model.inputs, outputs, updates, f"{model.name}_{kind}"), where, phase, rng, around=(0,))
        for phase, (kind, outputs, updates) in enumerate(_phases(model))
    ]
    model.to(engine, device)
    return where.backend.make_module(_parts(model, where, named, programs))


def _phases(model: Any) -> list[tuple[str, list[Tensor], list[Any]]]:
    """The outputs and updates of the test and of the training phase; layers that are not trainable rest."""
    redirect = Redirect(model._frozen_results())
    updates = list(model.updates)
    instead = iter(redirect([t for t in tree_leaves(updates) if isinstance(t, Tensor)]))
    updates = tree_map(lambda v: next(instead) if isinstance(v, Tensor) else v, updates)
    return [
        ("test", list(model.outputs), as_updates(model.state_updates)),
        ("train", redirect(model.outputs), as_updates(updates)),
    ]


def _parts(model: Any, where: Target, named: bool, programs: list[Any]) -> ModelParts:
    from kbackend.saving.structure import keys_of  # late: few models become modules

    weights = list(model.weights)
    known = {id(v) for v in weights}
    read = {id(v): v for program in programs for v in program.variables}
    state = [v for key, v in read.items() if key not in known]
    for variable in (*weights, *state):
        variable.cell(where)
    return ModelParts(
        name=model.name,
        target=where,
        inputs={name: TensorSpec(t.shape, t.dtype) for name, t in zip(model.input_names, model.inputs)},
        outputs=model.output_names,
        single=model._single_output,
        named=named,
        programs=(programs[0], programs[1]),
        weights=dict(zip(keys_of(weights), weights)),
        trainable=frozenset(id(v) for v in model.trainable_weights),
        state=dict(zip(keys_of(state), state)),
    )
