"""Graphs as values: printing, walking, slicing, substituting, checking; what tensors cannot do."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from kbackend import K
from kbackend.graph.tensor import TensorSpec
from kbackend.graph.verify import InvalidGraph, check_node, verify
from kbackend.graph.walk import DisconnectedGraph, Graph, ancestors, depends_on

pytestmark = pytest.mark.engine("numpy")


@pytest.fixture
def parts():
    x = K.placeholder((None, 3), name="x")
    w = K.variable(np.arange(6.0).reshape(3, 2), name="w")
    h = K.dot(x, w)
    y = K.tanh(h)
    return x, w, h, y


def run(inputs, outputs, values):
    return K.function(inputs, outputs)(values)


# ---------------------------------------------------------------------- printing


def test_a_graph_prints_as_python_with_one_line_a_node(parts):
    x, w, h, y = parts
    lines = str(Graph([x], [y], name="net")).splitlines()
    assert lines[0] == "def net(x):  # float32[?, 3]"
    assert lines[-1] == f"    return {y.name}"
    body = [line.split("  #")[0].strip() for line in lines[1:-1]]
    assert body == ["w = variable()", f"{h.name} = matmul(x, w)", f"{y.name} = tanh({h.name})"]
    compile(str(Graph([x], [y])), "graph", "exec")


def test_a_printed_graph_shows_attributes_updates_and_awkward_names():
    x = K.placeholder((2, 3), name="in put/1")
    n = K.variable(0.0, name="n")
    text = str(Graph([x], [K.permute_dimensions(x, (1, 0))], [(n, K.add(n, 1.0))], name="2 f"))
    compile(text, "graph", "exec")
    assert "permute_dimensions(in_put_1, pattern=(1, 0))  # float32[3, 2]" in text
    assert "update(n, " in text


def test_tensors_and_nodes_print_what_they_are(parts):
    x, _, h, _ = parts
    assert repr(x) == "<Tensor 'x' shape=(None, 3) dtype=float32>"
    assert "matmul(x, w)" in repr(h.node)


# ---------------------------------------------------------------------- walking


def test_nodes_come_in_topological_order(parts):
    x, _, h, y = parts
    nodes = Graph([x], [y, h]).nodes()
    place = {node.number: i for i, node in enumerate(nodes)}
    assert [n.op.name for n in nodes] == ["variable", "matmul", "tanh"]
    for node in nodes:
        assert all(place.get(t.node.number, -1) < place[node.number] for t in node.inputs)


def test_ancestors_stop_at_the_given_tensors(parts):
    _, _, h, y = parts
    assert [n.op.name for n in ancestors([y], [h])] == ["tanh"]


def test_a_deep_graph_needs_no_deep_stack():
    x = K.placeholder((2,), name="x")
    y = x
    for _ in range(3000):
        y = K.tanh(y)
    assert len(Graph([x], [y]).nodes()) == 3000
    assert str(Graph([x], [y])).count("tanh(") == 3000


def test_dependence_is_found_along_edges(parts):
    x, w, h, _ = parts
    other = K.placeholder((2,))
    assert depends_on([h], [x, w, other]) == [True, True, False]


def test_leaves_and_variables(parts):
    x, w, _, y = parts
    n = K.variable(1.0, name="n")
    graph = Graph([x], [y], [(n, K.add(n, 1.0))])
    assert {id(v) for v in graph.variables()} == {id(w), id(n)}
    assert {t.node.op.name for t in graph.leaves()} == {"variable", "constant"}


# ---------------------------------------------------------------------- slicing, substituting


def test_a_graph_slices_between_any_tensors(parts):
    x, _, h, y = parts
    middle = Graph([x], [y]).between([h], [y])
    assert [n.op.name for n in middle.nodes()] == ["tanh"]
    given = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(run([h], [y], [given])[0], np.tanh(given), rtol=1e-6)


def test_slicing_from_an_unconnected_tensor_fails(parts):
    x, _, h, y = parts
    other = K.placeholder((2,), name="other")
    with pytest.raises(DisconnectedGraph, match="other"):
        Graph([x], [y]).between([other], [y])


def test_substitution_computes_the_copy_from_the_replacement(parts):
    x, _, h, y = parts
    z = K.placeholder((None, 2), name="z")
    copy = Graph([x], [y]).substitute({h: z})
    assert depends_on(copy.outputs, [z, x]) == [True, False]
    assert Graph([x], [y]).nodes()[1] is h.node, "the original stays"
    assert depends_on([y], [x]) == [True]
    given = np.array([[0.5, -0.5]], "float32")
    np.testing.assert_allclose(run([z], copy.outputs, [given])[0], np.tanh(given), rtol=1e-6)


def test_substitution_infers_shapes_and_dtypes_anew(parts):
    x, _, _, _ = parts
    y = K.reshape(K.tanh(x), (-1,))
    four = K.placeholder((4, 3), dtype="float64")
    copy = Graph([x], [y]).substitute({x: four})
    assert copy.inputs[0] is four
    assert copy.outputs[0].spec == TensorSpec((12,), "float64")


def test_substitution_shares_what_does_not_change(parts):
    x, w, h, y = parts
    apart = K.tanh(w)
    copy = Graph([x], [y, apart]).substitute({x: K.placeholder((5, 3))})
    assert copy.outputs[1] is apart and copy.outputs[0] is not y


def test_substitution_that_does_not_fit_fails(parts):
    x, _, _, y = parts
    with pytest.raises(ValueError, match="matmul.*inner dimensions 4 and 3"):
        Graph([x], [y]).substitute({x: K.placeholder((None, 4))})


# ---------------------------------------------------------------------- immutability


def test_nodes_cannot_be_changed(parts):
    _, _, h, _ = parts
    for name in ("op", "args", "attrs", "outputs", "number"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(h.node, name, None)
    with pytest.raises(AttributeError, match="immutable"):
        del h.node.args
    with pytest.raises(TypeError):
        K.permute_dimensions(h, (1, 0)).node.attrs["pattern"] = (0, 1)


# ---------------------------------------------------------------------- what tensors cannot do


def test_truth_value_length_iteration_and_in_say_what_to_do(parts):
    x, _, _, _ = parts
    with pytest.raises(TypeError, match=r"K\.switch"):
        bool(x)
    with pytest.raises(TypeError, match=r"K\.switch"):
        assert x and x
    with pytest.raises(TypeError, match=r"K\.shape\(tensor\)\[0\]"):
        len(x)
    with pytest.raises(TypeError, match=r"K\.map_fn"):
        list(x)
    with pytest.raises(TypeError, match=r"K\.any"):
        assert 1.0 in x
    with pytest.raises(TypeError, match="graph_json"):
        pickle.dumps(x)


def test_known_length_and_iteration():
    x = K.constant([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [K.eval(row).tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]


def test_values_of_tensors_without_placeholders_and_the_names_of_those_with():
    c = K.constant([1.0, 2.0])
    assert np.asarray(K.add(c, c)).tolist() == [2.0, 4.0]
    assert float(K.constant(2.5)) == 2.5
    with pytest.raises(ValueError, match="'x'.*'y'|'y'.*'x'"):
        K.add(K.placeholder((2,), name="x"), K.placeholder((2,), name="y")).numpy()


# ---------------------------------------------------------------------- verify


def test_a_sound_graph_passes(parts):
    x, w, _, y = parts
    gradient = K.gradients(K.sum(y), [w])[0]
    assert verify(Graph([x], [y, gradient], [(w, K.add(w, gradient))])) is None


def test_inputs_that_nothing_depends_on_are_all_listed(parts):
    x, _, _, y = parts
    a, b = K.placeholder((2,), name="a"), K.placeholder((2,), name="b")
    with pytest.raises(DisconnectedGraph, match="inputs 'a', 'b'"):
        verify(Graph([x, a, b], [y]))


def test_placeholders_that_are_not_fed_are_listed(parts):
    _, _, _, y = parts
    with pytest.raises(DisconnectedGraph, match="'x'"):
        verify(Graph([], [y]))


def test_two_inputs_of_one_name_and_an_input_twice_are_refused():
    a, b = K.placeholder((2,), name="a"), K.placeholder((2,), name="a")
    with pytest.raises(InvalidGraph, match="two inputs are named 'a'"):
        verify(Graph([a, b], [K.add(a, b)]))
    with pytest.raises(InvalidGraph, match="twice"):
        verify(Graph([a, a], [K.tanh(a)]))


def test_updates_must_fit_and_be_single():
    v = K.variable([1.0, 2.0], name="v")
    with pytest.raises(InvalidGraph, match="new value"):
        verify(Graph([], [], [(v, K.constant([1.0]))]))
    with pytest.raises(InvalidGraph, match="new value"):
        verify(Graph([], [], [(v, K.cast(v, "int32"))]))
    with pytest.raises(InvalidGraph, match="two different updates"):
        verify(Graph([], [], [(v, K.add(v, 1.0)), (v, K.add(v, 2.0))]))


def test_a_node_whose_results_do_not_follow_is_refused(parts):
    _, _, h, y = parts
    h.shape = (None, 5)
    with pytest.raises(InvalidGraph, match="matmul"):
        check_node(h.node)
    h.shape = (None, 2)
    check_node(h.node)
    h.dtype = "bool"
    with pytest.raises(InvalidGraph, match="tanh"):
        check_node(y.node)


# ---------------------------------------------------------------------- no engine


def test_graphs_are_built_printed_and_saved_without_any_engine(fresh_python):
    printed = fresh_python("""
import sys
from kbackend import K
from kbackend.saving.graph_json import from_json, to_json
from kbackend.graph.verify import verify
from kbackend.graph.walk import Graph
x = K.placeholder((None, 3), name="x")
w = K.zeros((3, 2), name="w")
y = K.concatenate([K.dot(x, w)[:, ::-1], K.reshape(x, [K.shape(x)[0], 3])], axis=1)
graph = Graph([x], [y, *K.gradients(K.sum(y), [w])])
str(graph), verify(graph), from_json(to_json(graph, values=False), {"w": w})
print(sorted({"torch", "tensorflow", "autograd", "kbackend_numpy", "kbackend_torch"} & set(sys.modules)))
""")
    assert printed.strip() == "[]"


def test_size_counts_the_nodes_of_branches_and_loops():
    x = K.placeholder((3,))
    plain = Graph([x], [K.exp(x) + 1.0])
    branched = Graph([x], [K.switch(K.sum(x) > 0.0, lambda: K.exp(x) + 1.0, lambda: K.switch(
        K.sum(x) > 1.0, lambda: x * 2.0, lambda: x))])
    assert plain.size() == len(plain.nodes())
    assert branched.size() > len(branched.nodes()) + plain.size()
