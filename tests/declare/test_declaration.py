"""Declarations: typed fields, operands found by evaluating annotations, and the facts that others read from them."""

from __future__ import annotations

from typing import Any, Optional

import pytest

import kbackend.backend  # noqa: F401 - declares all ops
from kbackend import K
from kbackend.declare.decorate import composite, derived, primitive, structural
from kbackend.declare.op import DERIVED, DRAW, REGISTRY, Op, TensorLike, TensorList, ops
from kbackend.declare.operands import parameters_of
from kbackend.graph.node import Role
from kbackend.graph.tensor import TensorSpec
from kbackend.graph.variable import VARIABLE_OP

Maybe = Optional[TensorLike]  # noqa: UP045 - the old way to write it


@pytest.fixture(autouse=True)
def registries():
    """The tables as they were, whatever a test declares."""
    tables = dict(REGISTRY), dict(DERIVED)
    yield
    for table, kept in zip((REGISTRY, DERIVED), tables):
        table.clear()
        table.update(kept)


@pytest.mark.parametrize("decorator", [primitive, composite, derived])
def test_a_misspelt_field_is_refused_at_import(decorator):
    with pytest.raises(TypeError, match="toleranse"):
        decorator(toleranse="exact")


def test_a_structural_op_needs_its_role_and_name():
    with pytest.raises(TypeError, match="role"):
        structural(name="leaf")
    with pytest.raises(TypeError, match="differentiable"):
        structural(Role.CONSTANT, name="leaf", differentiable=False)


@pytest.mark.parametrize("fields", [
    {"promoted": ("z",)}, {"hyperparameters": ("rate",)}, {"random": True}, {"spellings": {"a": "b"}},
])
def test_a_field_that_names_no_parameter_is_refused(fields):
    with pytest.raises(ValueError, match=r"names the parameter '\w+', which is not there"):
        @composite(**fields)
        def wrong(x: TensorLike) -> Any:
            return x


def test_a_spelling_that_is_a_parameter_is_refused():
    with pytest.raises(ValueError, match="spells 'y' in two ways"):
        @composite(spellings={"y": "x"})
        def wrong(x: TensorLike, y: TensorLike) -> Any:
            return x


def test_operands_are_found_whatever_way_they_are_annotated():
    def every(a: TensorLike, b: TensorLike | None, c: "TensorList", d: Maybe = None, *rest: TensorLike,  # noqa: UP037
              e: int = 1, f: TensorList | None = None, g: list[TensorLike] | None = None, h=None) -> Any:
        return a

    op = Op(every, "derived")
    assert op.operands == ("a", "b", "c", "d", "rest", "f")
    assert (op.lists, op.optional, op.attributes) == ({"c", "f"}, {"b", "d", "f"}, ("e", "g", "h"))
    assert op.positional == ("a", "b", "c", "d", "rest")


def test_operands_are_found_without_postponed_annotations():
    scope: dict[str, Any] = {"TensorLike": TensorLike}
    exec("def now(x: TensorLike, y: TensorLike | None, n: int): ...", scope)
    op = Op(scope["now"], "derived")
    assert (op.operands, op.optional, op.attributes) == (("x", "y"), {"y"}, ("n",))


def test_another_name_for_an_operand_is_one():
    scope: dict[str, Any] = {"Image": TensorLike, "Any": Any}
    exec("from __future__ import annotations\ndef show(TensorLike_: Any, x: Image): ...", scope)
    assert Op(scope["show"], "derived").operands == ("x",)


def test_an_annotation_that_means_nothing_is_refused_at_import():
    with pytest.raises(TypeError, match=r"the annotation 'TensorLiek \| None' of .*wrong\(x\) cannot be evaluated"):
        @primitive
        def wrong(x: TensorLiek | None) -> Any:  # noqa: F821
            return x


def test_annotations_agree_with_the_text_of_every_declaration():
    """The text is what a reader sees: an alias or a missing import must not make it say something else."""
    for op in ops():
        for name, parameter in op.signature.parameters.items():
            text = str(parameter.annotation)
            assert (name in op.operands) == text.startswith(("TensorLike", "TensorList")), (op, name)
            assert (name in op.lists) == text.startswith("TensorList"), (op, name)
            assert (name in op.optional) == (name in op.operands and "None" in text), (op, name)


def test_binding_sorts_a_call():
    def called(x: TensorLike, ys: TensorList, n: int = 2, *, key: str = "k") -> Any:
        return x

    op = Op(called, "primitive")
    assert op.bind(1, ys=[2, 3], key="q") == ((1, [2, 3]), {"n": 2, "key": "q"})
    with pytest.raises(TypeError):
        op.bind(1)
    assert parameters_of(called).attributes == ("n", "key")


def test_every_draw_is_declared_random():
    for op in ops():
        if op.kind != "derived":
            assert op.random == set(op.attributes).issuperset(DRAW), op


def test_each_role_has_one_op_and_only_structural_ops_have_one():
    roles = [op.role for op in ops() if op.role is not Role.KERNEL]
    assert sorted([*roles, VARIABLE_OP.role], key=str) == sorted(set(Role) - {Role.KERNEL}, key=str)
    assert all((op.kind == "structural") == (op.role is not Role.KERNEL) for op in ops())


def test_variables_have_all_facts_that_graphs_ask_for():
    from kbackend.graph.node import OpLike

    missing = [name for name in (*OpLike.__annotations__, *vars(OpLike)) if not name.startswith("_")
               and not hasattr(VARIABLE_OP, name)]
    assert not missing
    assert VARIABLE_OP.prepared([], {}) == {}


def test_a_hyperparameter_of_an_op_is_no_weight():
    from kbackend import Input, Model

    x, rate, scale = Input((3,)), K.variable(0.5, name="rate"), K.variable(2.0, name="scale")
    model = Model(x, K.dropout(x * scale, rate))
    assert model.weights == [scale]


def test_inference_is_the_rule_of_a_composite_and_the_body_of_a_primitive():
    def rule(x: TensorSpec) -> TensorSpec:
        return x

    assert Op(rule, "primitive").inference is rule
    assert Op(lambda x: x, "composite", rule=rule).inference is rule
    assert Op(lambda x: x, "composite").inference is None
