"""Graphs to JSON and back: the same bits, and nothing taken on trust."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from kbackend import K
from kbackend.declare.op import REGISTRY, ops
from kbackend.graph.node import Node
from kbackend.graph.walk import Graph
from kbackend.saving.graph_json import DEEPEST, GraphFormatError, from_json, to_json
from kbackend.testing.samples import realise

pytestmark = pytest.mark.engine("numpy")
RNG = np.random.default_rng(0)


def values_of(graph: Graph, feeds):
    return K.function(list(graph.inputs), list(graph.outputs))(feeds)


def assert_same_bits(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def round_trip(graph: Graph) -> Graph:
    return from_json(graph.to_json())


@pytest.fixture
def network():
    x = K.placeholder((None, 4), name="x")
    w = K.variable(RNG.normal(size=(4, 3)), name="w")
    b = K.variable(RNG.normal(size=3), name="b")
    h = K.tanh(K.dense(x, w, b))
    parts = K.concatenate([h[:, ::-1], K.reshape(x, [K.shape(x)[0], 2, 2])[:, 0]], axis=-1)
    loss = K.sum(K.multiply(parts, parts))
    gw, gh = K.gradients(loss, [w, h])
    second = K.gradients(K.sum(K.multiply(gw, gw)), [w])[0]
    return Graph([x], [parts, loss, gw, gh, second], [(w, K.add(w, K.multiply(gw, -0.1)))], "network")


# ---------------------------------------------------------------------- round trips


def test_a_network_with_gradients_gives_the_same_bits(network):
    feeds = [RNG.normal(size=(5, 4)).astype("float32")]
    copy = round_trip(network)
    assert copy.name == "network"
    assert [t.spec for t in copy.outputs] == [t.spec for t in network.outputs]
    assert [t.name for t in copy.inputs] == ["x"]
    assert_same_bits(values_of(network, feeds), values_of(copy, feeds))
    assert copy.to_json() == network.to_json()


def test_updates_come_back(network):
    copy = round_trip(network)
    ((variable, value),) = copy.updates
    assert variable.name == "w" and value.spec == variable.spec
    before = K.get_value(variable)
    feeds = [RNG.normal(size=(2, 4)).astype("float32")]
    gradient = K.function(list(copy.inputs), [copy.outputs[2]], updates=list(copy.updates))(feeds)[0]
    np.testing.assert_allclose(K.get_value(variable), before - np.float32(0.1) * gradient, rtol=1e-6)


def _round_trip_calls():
    from kbackend.declare.sample import In

    for op in ops():
        if op.kind not in ("primitive", "composite") or op.samples is None or not op.pure:
            continue
        for sample in op.samples():
            if sample.raises is None:
                yield pytest.param(op, sample, In, id=f"{op.name}-{sample.name or len(sample.args)}")
                break


@pytest.mark.parametrize(("op", "sample", "kind"), list(_round_trip_calls()))
def test_every_pure_op_survives(op, sample, kind):
    inputs, feeds = [], []

    def symbol(value):
        if isinstance(value, list):
            return [symbol(v) for v in value]
        if not isinstance(value, kind):
            return value
        feeds.append(realise(value, "float32", RNG))
        inputs.append(K.placeholder(feeds[-1].shape, dtype=str(feeds[-1].dtype), name=f"in{len(inputs)}"))
        return inputs[-1]

    operands, attributes = op.bind(*[symbol(a) for a in sample.args], **sample.kwargs)
    found = op.apply(operands, attributes)
    graph = Graph(inputs, found if isinstance(found, list) else [found])
    copy = round_trip(graph)
    assert [t.node.op.name for t in copy.outputs] == [op.name] * len(copy.outputs)
    assert_same_bits(values_of(graph, feeds), values_of(copy, feeds))


@pytest.mark.parametrize(
    "value", [0.1, float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 1.7976931348623157e308]
)
def test_float_attributes_keep_their_bits(value):
    x = K.placeholder((2,), name="x")
    copy = round_trip(
        Graph([x], [REGISTRY["full_like"].apply((x,), {"value": value, "dtype": None, "name": None})])
    )
    found = copy.outputs[0].node.attrs["value"]
    assert np.float64(found).tobytes() == np.float64(value).tobytes()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0, 2), (2, 3)])
def test_constants_of_every_dtype_keep_their_bits(dtype, shape):
    array = (RNG.uniform(0, 2, shape)).astype(dtype)
    copy = round_trip(Graph([], [K.constant(array, dtype=dtype)]))
    assert_same_bits([copy.outputs[0].node.attrs["value"]], [array])


def test_non_contiguous_and_foreign_byte_orders_are_written_right():
    array = np.arange(6, dtype=">i4").reshape(2, 3).T
    constant = REGISTRY["constant"].apply((), {"value": array, "name": None})
    assert round_trip(Graph([], [constant])).outputs[0].node.attrs["value"].tolist() == array.tolist()


def test_an_inner_tensor_as_input_becomes_a_placeholder(network):
    (x,) = network.inputs
    inner = network.outputs[0]
    y = K.tanh(inner)
    copy = round_trip(Graph([inner], [y]))
    assert copy.inputs[0].node.op.name == "placeholder" and copy.inputs[0].spec == inner.spec
    given = RNG.normal(size=(2, 5)).astype("float32")
    assert_same_bits(values_of(Graph([inner], [y]), [given]), values_of(copy, [given]))


def test_variables_keep_name_dtype_trainability_and_value():
    v = K.variable(np.arange(3), dtype="int32", name="steps")
    v.trainable = False
    (again,) = round_trip(Graph([], [K.multiply(v, 2)])).variables()
    assert again is not v
    assert (again.name, again.dtype, again.trainable) == ("steps", "int32", False)
    assert again.numpy().tolist() == [0, 1, 2]


def test_values_can_be_left_out_and_variables_given():
    v = K.variable([1.0, 2.0], name="v")
    text = to_json(Graph([], [K.multiply(v, 3.0)]), values=False)
    assert from_json(text, {"v": v}).variables() == [v]
    with pytest.raises(GraphFormatError, match="no value for the variable 'v'"):
        from_json(text)
    with pytest.raises(GraphFormatError, match=r"'v' should be float32\[2\]"):
        from_json(text, {"v": K.variable([1.0], name="v")})


def test_a_python_function_cannot_be_written():
    x = K.placeholder((2,), name="x")
    y = Node(REGISTRY["tanh"], (x,), {"function": print}, [x.spec]).outputs[0]
    with pytest.raises(GraphFormatError, match="attribute function.*builtin_function"):
        to_json(Graph([x], [y]))


# ---------------------------------------------------------------------- refusals


def changed(network, change) -> str:
    plain = json.loads(network.to_json())
    change(plain)
    return json.dumps(plain)


def node_of(plain, op):
    return next(n for n in plain["nodes"] if n["op"] == op)


def set_at(*path):
    *path, value = path

    def change(plain):
        place = plain
        for key in path[:-1]:
            place = node_of(plain, key[1:]) if isinstance(key, str) and key.startswith("@") else place[key]
        place[path[-1]] = value

    return change


REFUSALS = {
    "another format": (set_at("format", "zip"), "not a graph"),
    "another version": (set_at("version", 99), "version 99"),
    "a version that is True": (set_at("version", True), "version"),
    "an unknown op": (set_at("@tanh", "op", "os.system"), "'os.system' is not an op"),
    "no op": (set_at("nodes", 0, 3), "node 0 is no node"),
    "a surplus field": (set_at("@tanh", "extra", 1), "should have the fields"),
    "a surplus attribute": (set_at("@tanh", "attrs", {"f": 1}), "its attributes are"),
    "an attribute of a wrong kind": (
        set_at("@sum", "attrs", "axis", {"pickle": "x"}),
        "unknown kind 'pickle'",
    ),
    "an attribute out of range": (set_at("@sum", "attrs", "axis", 7), "axis 7 is out of range"),
    "an attribute of a wrong type": (set_at("@getitem", "attrs", "index", "abc"), r"\(getitem\)"),
    "too few operands": (set_at("@tanh", "args", []), "0 operands"),
    "a missing operand": (set_at("@tanh", "args", [None]), "pair"),
    "a list for a tensor": (set_at("@tanh", "args", [{"list": []}]), "pair"),
    "a tensor for a list": (set_at("@concatenate", "args", [[0, 0]]), "should be a list"),
    "a negative reference": (set_at("@tanh", "args", [[-1, 0]]), "pair"),
    "a result that is not there": (set_at("@tanh", "args", [[0, 5]]), "result 5"),
    "another dtype": (set_at("@tanh", "results", 0, 0, "float16"), "the document says float16"),
    "no dtype": (set_at("@tanh", "results", 0, 0, "object"), "'object' is not a dtype"),
    "another shape": (set_at("@tanh", "results", 0, 1, [None, 9]), "the document says"),
    "a negative shape": (set_at("@tanh", "results", 0, 1, [-1, 3]), "not a shape"),
    "more results": (set_at("@tanh", "results", []), "the document says"),
    "a placeholder's shape": (set_at("@placeholder", "attrs", "shape", {"tuple": [-4]}), r"\(placeholder\)"),
    "a short array": (set_at("@variable", "value", 2, "AAAA"), "needs 48 bytes, the document has 3"),
    "no base64": (set_at("@variable", "value", 2, "?" * 8), "base64"),
    "a huge array": (set_at("@variable", "value", 1, [10**9, 10**9]), "needs 4000000000000000000 bytes"),
    "a variable of another shape": (set_at("@variable", "shape", [12]), r"not float32\[12\]"),
    "a flag that is none": (set_at("@variable", "trainable", 1), "type bool"),
    "an update of no variable": (set_at("updates", 0, 0, [0, 0]), "cannot be the new value"),
    "an update of another shape": (set_at("updates", 0, 1, [0, 0]), "cannot be the new value"),
    "half an update": (set_at("updates", 0, [[0, 0]]), "pair"),
    "an input that is no placeholder": (set_at("inputs", [[1, 0]]), "not a placeholder"),
    "an input twice": (set_at("inputs", [[0, 0], [0, 0]]), "twice"),
    "outputs that are no list": (set_at("outputs", {"a": 1}), "type list"),
    "an output that is not there": (set_at("outputs", [[10**6, 0]]), "does not exist"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_wrong_document_is_refused_with_the_reason(network, case):
    change, message = REFUSALS[case]
    with pytest.raises(GraphFormatError, match=message):
        from_json(changed(network, change))


def test_a_node_that_refers_to_itself_or_a_later_one_is_a_cycle(network):
    plain = json.loads(network.to_json())
    number = plain["nodes"].index(node_of(plain, "tanh"))
    for target, told in ((number, "itself"), (number + 1, f"node {number + 1}")):
        text = changed(network, set_at("@tanh", "args", [[target, 0]]))
        with pytest.raises(GraphFormatError, match=rf"node {number} \(tanh\): x refers to {told}.*cycle"):
            from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '{"format": "kbackend graph"}',
        b"\xff\xfe",
        '{"format": NaN}',
        "[" * 100_000,
    ],
)
def test_what_is_no_graph_is_refused(text):
    with pytest.raises(GraphFormatError):
        from_json(text)


def test_a_bool_array_holds_only_bools():
    text = to_json(Graph([], [K.constant([True, False], dtype="bool")]))
    good, bad = (base64.b64encode(b).decode() for b in (b"\1\0", b"\2\0"))
    assert good in text
    with pytest.raises(GraphFormatError, match="neither 0 nor 1"):
        from_json(text.replace(good, bad))


def test_graphs_nested_without_end_are_refused(network):
    plain = json.loads(network.to_json())
    inner = {k: v for k, v in plain.items() if k not in ("format", "version")}
    for _ in range(DEEPEST + 2):
        outer = json.loads(json.dumps({k: v for k, v in plain.items() if k not in ("format", "version")}))
        node_of(outer, "tanh")["op"] = "sum"
        node_of(outer, "sum")["attrs"] = {"axis": {"graph": inner}, "keepdims": False}
        inner = outer
    with pytest.raises(GraphFormatError, match="nested more than"):
        from_json(json.dumps({"format": plain["format"], "version": plain["version"], **inner}))


def test_every_truncated_or_garbled_document_is_refused_or_still_a_graph(network):
    text = network.to_json()
    refused = 0
    for trial in range(300):
        at = int(RNG.integers(len(text)))
        broken = text[:at] if trial % 2 else text[:at] + chr(int(RNG.integers(32, 127))) + text[at + 1 :]
        try:
            assert isinstance(from_json(broken), Graph)
        except GraphFormatError:
            refused += 1
    assert refused > 150
