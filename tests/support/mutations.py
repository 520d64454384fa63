"""Wrong documents: plain values of JSON with one thing changed."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

OTHERS = (None, -1, 0, 7, 1.5, True, "", "other", [], [0], {}, {"a": 1})


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values inside a document."""
    if not isinstance(document, (dict, list)):
        return
    for key, part in document.items() if isinstance(document, dict) else enumerate(document):
        yield (*path, key)
        yield from places(part, (*path, key))


def mutations(document: Any, count: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Documents with a value dropped, renamed, doubled or replaced, each with a text that says what was done."""
    random = np.random.default_rng(seed)
    everywhere = list(places(document))
    for _ in range(count):
        path = everywhere[int(random.integers(len(everywhere)))]
        changed = copy.deepcopy(document)
        yield f"{list(path)} {_change(changed, path, random)}", changed


def _change(document: Any, path: tuple[Any, ...], random: np.random.Generator) -> str:
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    kind = random.choice(["drop", "rename", "replace", "replace", "replace"])
    if kind == "drop":
        del holder[key]
    elif kind == "rename" and isinstance(holder, dict):
        holder[f"{key}_x"] = holder.pop(key)
    elif kind == "rename":
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        other = OTHERS[int(random.integers(len(OTHERS)))]
        holder[key] = copy.deepcopy(other)
        return f"is {other!r}"
    return f"{kind}"
