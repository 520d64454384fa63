"""Results replaced by others in a graph, and what depends on what."""

from __future__ import annotations

import numpy as np

from kbackend import K
from kbackend.graph.redirect import Redirect
from kbackend.graph.walk import ancestors, dependents


def value(tensor, x, at):
    return K.function([x], [tensor])([np.float32(at)])[0].item()


def test_replacements_are_followed_through_one_another():
    x = K.placeholder(())
    pairs, h = [], x
    for _ in range(3):
        instead = h + 1.0
        result = h * 10.0
        pairs.append((result, instead))
        h = result
    end = h - x
    redirect = Redirect(pairs)
    assert value(end, x, 2) == 1998 and value(redirect([end])[0], x, 2) == 3
    assert value(redirect([h])[0], x, 2) == 5
    assert value(Redirect(pairs[1:])([end])[0], x, 2) == 20  # 2 * 10 + 1 + 1 - 2


def test_nodes_that_do_not_change_are_shared_and_others_are_made_once():
    x = K.placeholder(())
    before = K.exp(x)
    result = before * 2.0
    beside = K.sin(x)
    end = beside + result
    redirect = Redirect([(result, before)])
    assert redirect([before, x]) == [before, x]
    first, second = redirect([end * 1.0])[0], redirect([end * 3.0])[0]
    assert first.node.args[0] is second.node.args[0]
    nodes = ancestors([first, second])
    assert beside.node in nodes and before.node in nodes and result.node not in nodes and end.node not in nodes
    assert Redirect([])([end]) == [end]


def test_replacements_may_stand_in_front_of_one_another():
    x = K.placeholder(())
    first, second, third = x + 1.0, x + 2.0, x + 3.0
    redirect = Redirect([(third, second), (second, first)])
    assert redirect([third]) == [first]


def test_dependents_are_those_behind_a_source():
    x, y = K.placeholder(()), K.placeholder(())
    a, b = x * 2.0, y * 2.0
    c = a + b
    assert dependents([a, b, c, x], [x]) == [a, c, x]
    assert dependents([a, b, c], [x, y]) == [a, b, c] and dependents([a, c], []) == dependents([], [x]) == []
