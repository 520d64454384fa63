"""The walk that all walks of graphs are."""

from __future__ import annotations

import random

import pytest

from kbackend.graph.walk import walk


@pytest.fixture
def operands():
    """A random graph in which item n reads three of the items before it, some of them twice."""
    rng = random.Random(5)
    return [[rng.randrange(max(0, n - 20), n) for _ in range(3)] if n else [] for n in range(2_000)]


def reached(operands, start):
    found = set()
    for n in range(start, -1, -1):
        if n == start or n in found:
            found |= {n, *operands[n]}
    return found


@pytest.mark.parametrize("after", [False, True])
def test_each_item_comes_once_and_is_left_once(operands, after):
    left = []
    found = list(walk([1_990, 1_990, 1_500], lambda n: left.append(n) or operands[n], after))
    assert len(found) == len(set(found)) and set(found) == reached(operands, 1_990) | reached(operands, 1_500)
    assert sorted(left) == sorted(found)


def test_operands_come_first_in_their_order(operands):
    found = list(walk([1_999], operands.__getitem__, after=True))
    place = {n: i for i, n in enumerate(found)}
    assert all(place[m] < place[n] for n in found for m in operands[n])
    assert found == depth_first(operands, 1_999, set())


def depth_first(operands, n, seen):
    """What the walk is by definition, with recursion."""
    seen.add(n)
    before = [found for m in operands[n] if m not in seen for found in depth_first(operands, m, seen)]
    return [*before, n]


@pytest.mark.parametrize("after", [False, True])
def test_a_chain_may_be_longer_than_the_stack_of_python(after):
    found = list(walk([100_000], lambda n: [n - 1] if n else [], after))
    assert found == list(range(100_001) if after else range(100_000, -1, -1))
