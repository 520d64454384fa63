"""The walk of nested lists, tuples and dicts: order of keys, None, namedtuples and subclasses."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest

from kbackend import Input, K, layers, ops
from kbackend.ground.tree import tree_flatten, tree_leaves, tree_map, tree_structure, tree_unflatten

Pair = namedtuple("Pair", "b a")


class Row(list):
    pass


NESTED = {"b": 1, "a": (2, [3, None]), "c": {"z": [], "y": 4}}


def test_leaves_come_as_written_and_none_is_one():
    assert tree_leaves(NESTED) == [1, 2, 3, None, 4]
    assert tree_leaves(OrderedDict(b=1, a=2)) == [1, 2]
    assert tree_leaves(Pair(1, Row([2, 3]))) == [1, 2, 3]
    assert tree_leaves(None) == [None] and tree_leaves("ab") == ["ab"] and tree_leaves([]) == []


def test_a_map_keeps_the_order_of_keys_and_makes_plain_containers():
    made = tree_map(str, NESTED)
    assert made == {"b": "1", "a": ("2", ["3", "None"]), "c": {"z": [], "y": "4"}}
    assert list(made) == ["b", "a", "c"]
    pair, row, ordered = tree_map(str, Pair(1, 2)), tree_map(str, Row([1])), tree_map(str, OrderedDict(b=1, a=2))
    assert (type(pair), type(row), type(ordered)) == (tuple, list, dict)
    assert (pair, row, list(ordered.items())) == (("1", "2"), ["1"], [("b", "1"), ("a", "2")])


def test_a_node_may_be_a_leaf():
    def is_pair(node):
        return isinstance(node, Pair)

    tree = [Pair(1, 2), (3, Pair(4, 5))]
    assert tree_leaves(tree, is_pair) == [Pair(1, 2), 3, Pair(4, 5)]
    assert tree_map(lambda leaf: leaf.a if is_pair(leaf) else leaf, tree, is_pair) == [2, (3, 5)]
    assert tree_leaves({"x": {"y": 1}}, lambda node: isinstance(node, dict) and "y" in node) == [{"y": 1}]


def test_flat_leaves_come_by_sorted_keys_and_none_is_no_leaf():
    leaves, spec = tree_flatten(NESTED)
    assert leaves == [2, 3, 1, 4]
    again = tree_unflatten(spec, "wxyz")
    assert again == {"a": ("w", ["x", None]), "b": "y", "c": {"y": "z", "z": []}}
    assert list(again) == ["a", "b", "c"]


def test_what_is_put_together_again_has_the_types_of_lists_and_tuples():
    leaves, spec = tree_flatten((Pair(1, Row([2])), OrderedDict(b=3, a=4)))
    assert leaves == [1, 2, 4, 3]
    pair, mapping = tree_unflatten(spec, [5, 6, 7, 8])
    assert pair == Pair(5, [6]) and type(pair) is Pair and type(pair.a) is Row
    assert mapping == {"a": 7, "b": 8} and type(mapping) is dict


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": [2]}, {"b": [3], "a": 4}, True),
        ([1, 2], (1, 2), False),
        ([1, None], [1, 2], False),
        ([1, 2], [1], False),
        ({"a": 1}, {"b": 1}, False),
        (Pair(1, 2), (1, 2), False),
    ],
)
def test_structures_are_equal_where_one_can_take_the_leaves_of_the_other(one, other, equal):
    assert (tree_structure(one) == tree_structure(other)) is equal


def test_layers_take_operands_as_written_and_branches_match_keys():
    class Rest(layers.Layer):
        def call(self, inputs):
            return {"second": inputs["b"] - inputs["a"], "first": inputs["a"] * 1}

    b, a = Input((2,), name="b"), Input((2,), name="a")
    layer = Rest()
    out = layer({"b": b, "a": a})
    call = out["first"].history
    assert [t.name for t in call.operands] == ["b", "a"]
    assert list(out) == ["second", "first"] and call.outputs == (out["second"], out["first"])
    chosen = ops.cond(K.placeholder((), dtype="bool"), lambda: {"x": 1.0, "y": 2.0}, lambda: {"y": 4.0, "x": 3.0})
    assert list(chosen) == ["x", "y"]
