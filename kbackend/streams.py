"""Which bits a draw gets: the seed, the op id and the step. Source of the generator: Salmon, Moraes, Dror, Shaw,
"Parallel Random Numbers: As Easy as 1, 2, 3", SC11. docs/decisions/0009 has the reasons.

The key of Philox4x32-10 is the *seed* of 64 bits. Its counter of 128 bits is, from the low word up: the number of the
block of four words, the *trial* (which attempt of a draw by rejection), the *step* (how often the draw has been made),
and the *op id* (which draw it is).

The op id is a hash of the draw's *path*: the layers it is made in, the weight, and the op, such as
``encoder/kernel/random_uniform``. A layer with a name of its own stands in the path with that name, another with its
class and how many of its class drew before it since the seed was set. So a draw does not change when other draws come
or go, nor when layers with names are made in another order. A path that is used again gets a number.

A draw with a seed of its own has that as key and the op id 0: it is the same in any program. A
:class:`SeedGenerator` gives its draws the op ids 0, 1, 2...
"""

from __future__ import annotations

import hashlib
import operator
import os
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from kbackend.graph.node import Node
from kbackend.graph.variable import Variable
from kbackend.graph.walk import map_args

#: the op id of shuffles in fit, with the number of the epoch as step
SHUFFLE_OP_ID = (1 << 32) - 1
#: op ids from 0 on belong to draws with a seed of their own
_OWN_SEED_IDS = 1 << 20
_KEY_BITS = (1 << 64) - 1


class _Process:
    """The seed of the process and the paths used since it was set."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.key: int | None = None
        self.epoch = 0
        self._forget()

    def _forget(self) -> None:
        self.uses: dict[str, int] = {}
        self.taken: set[int] = set()

    def seed(self, key: int) -> None:
        with self.lock:
            self.key = key
            self.epoch += 1
            self._forget()

    def current_key(self) -> int:
        with self.lock:
            if self.key is None:
                self.key = int.from_bytes(os.urandom(8), "little")
            return self.key

    def number(self, path: str) -> int:
        """How often the path was used before; it is used now."""
        with self.lock:
            count = self.uses.get(path, 0)
            self.uses[path] = count + 1
            return count

    def op_id(self, path: str) -> int:
        """An op id that no other path has."""
        with self.lock:
            count = self.number(path)
            text = f"{path}#{count}" if count else path
            found = _hashed(text)
            while found in self.taken:  # one pair of paths in 2**32
                text += "'"
                found = _hashed(text)
            self.taken.add(found)
            return found


def _hashed(text: str) -> int:
    """A number from _OWN_SEED_IDS on and below SHUFFLE_OP_ID."""
    digest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    return _OWN_SEED_IDS + digest % (SHUFFLE_OP_ID - _OWN_SEED_IDS)


class _Path(threading.local):
    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.used: _Process | None = None


_process = _Process()
_path = _Path()


def _ledger() -> _Process:
    """Where uses are written down: the process, or what stands for it in :class:`trying`."""
    return _path.used or _process


def set_seed(seed: int) -> None:
    """Set the seed of the process; draws, dropout masks, initial values and shuffles made after it repeat.

    Args:
        seed: an integer; its low 64 bits are used.

    Raises:
        TypeError: not an integer.

    >>> from kbackend import K
    >>> K.set_seed(7)
    >>> a = K.eval(K.random_uniform((3,)))
    >>> K.set_seed(7)
    >>> bool((a == K.eval(K.random_uniform((3,)))).all())
    True
    """
    _process.seed(_key(seed))


def epoch() -> int:
    """How often the seed of the process was set."""
    return _process.epoch


def has_own_seed(op_id: int) -> bool:
    """Whether an op id is of a draw with a seed of its own."""
    return op_id < _OWN_SEED_IDS


def get_seed() -> int:
    """The seed of the process as 64 bits; drawn from the operating system when none was set."""
    return _process.current_key()


def _key(seed: Any) -> int:
    if isinstance(seed, bool):
        raise TypeError(f"a seed must be an integer, it is {seed!r}")
    try:
        return operator.index(seed) & _KEY_BITS
    except TypeError:
        raise TypeError(f"a seed must be an integer or a SeedGenerator, it is {seed!r}") from None


class SeedGenerator:
    """A seed that gives each draw made with it bits of its own.

    With a number as ``seed`` two draws get the same bits; with a generator they do not, and a second generator of the
    same seed gives the same draws again, in any program and on any engine.

    Args:
        seed: an integer; drawn from the process' stream when None.
        name: a name; it tells generators without seed apart.

    >>> from kbackend import K, random
    >>> generator = random.SeedGenerator(3)
    >>> a = K.eval(random.uniform((2,), seed=generator))
    >>> b = K.eval(random.uniform((2,), seed=generator))
    >>> bool((a == b).any())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(f"SeedGenerator got unknown arguments {sorted(kwargs)}")
        self.name = name or "seed_generator"
        if seed is None:
            op_id = _ledger().op_id("/".join((*_path.names, self.name)))
            digest = hashlib.blake2b(f"{get_seed()}/{op_id}".encode(), digest_size=8).digest()
            self.seed = int.from_bytes(digest, "little")
        else:
            self.seed = _key(seed)
        self._lock = threading.Lock()
        self.count = 0

    def next(self) -> tuple[int, int]:
        """The key and the op id of the next draw."""
        with self._lock:
            if self.count >= _OWN_SEED_IDS:
                raise RuntimeError(f"{self.name} has given all of its {_OWN_SEED_IDS} op ids; make another")
            self.count += 1
            return self.seed, self.count - 1

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator {self.name}: seed {self.seed}, {self.count} draws>"


class scope:
    """A context: draws made in it have ``name`` in their path."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self._outer = _path.names
        _path.names = (*_path.names, self.name)

    def __exit__(self, *exc: Any) -> None:
        _path.names = self._outer


class trying:
    """A context whose draws are not counted: for graphs that are thrown away (shape inference)."""

    def __enter__(self) -> None:
        self._outer = _path.used
        _path.used = _Process()
        _path.used.key = _process.current_key()

    def __exit__(self, *exc: Any) -> None:
        _path.used = self._outer


class Owner:
    """How something that draws, such as a layer, stands in the paths of its draws.

    Args:
        name: its own name, or None.
        kind: its class, for those without a name: they are numbered in the order in which they first draw after the
            seed was set.
    """

    def __init__(self, name: str | None, kind: str) -> None:
        self.name, self.kind = name, kind
        self._epoch = -1
        self._found = ""

    def path_name(self) -> str:
        if self.name is not None:
            return self.name
        if _path.used is not None:
            return f"<{self.kind}>"
        if self._epoch != _process.epoch:
            self._epoch = _process.epoch
            self._found = f"<{self.kind} {_process.number(f'<{self.kind}>')}>"
        return self._found

    def scope(self) -> scope:
        return scope(self.path_name())

    def entered(self) -> Any:
        """The scope, unless it is the innermost that is open."""
        name = self.path_name()
        return nullcontext() if _path.names[-1:] == (name,) else scope(name)


def stream_of(what: str, seed: Any = None) -> tuple[int, int]:
    """The key and the op id for a new draw.

    Args:
        what: the op; the last part of the path.
        seed: None for the process' stream, an integer, or a :class:`SeedGenerator`.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is not None:
        return _key(seed), 0
    return _process.current_key(), _ledger().op_id("/".join((*_path.names, what)))


def counter(name: str) -> Variable:
    """A counter of runs: the ``step`` of a symbolic draw."""
    return Variable(np.zeros((), np.int64), (), "int64", name=name, trainable=False, counter=True)


def draws(node: Node) -> bool:
    """Whether a node makes random numbers."""
    return node.op.random and any(isinstance(t, Variable) and t.counter for t in node.inputs)


def drawn_again(node: Node, args: Sequence[Any]) -> tuple[Any, ...]:
    """The results of the node on other operands, with draws of their own unless the draw has a seed of its own."""
    attrs = dict(node.attrs)
    if attrs["op_id"] >= _OWN_SEED_IDS:
        attrs["key"], attrs["op_id"] = stream_of(node.op.name)
    renewed = map_args(args, lambda t: counter(t.name) if isinstance(t, Variable) and t.counter else t)
    result = node.op.apply(renewed, attrs)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def permutation(n: int, key: int, stream: int) -> np.ndarray:
    """A random order of ``range(n)`` as int64, on the host: the ranks of 64-bit words of the Philox stream.

    Args:
        n: how many.
        key: a seed of 64 bits, such as :func:`get_seed` gives.
        stream: op id and step, ``op_id << 32 | step``.

    Equal words, of which there is one pair in 2**64 / n**2 orders, keep their order.

    >>> from kbackend.streams import permutation
    >>> sorted(permutation(5, key=1, stream=0).tolist())
    [0, 1, 2, 3, 4]
    """
    from randomgen import Philox

    if n < 0:
        raise ValueError(f"a permutation of {n} elements")
    # randomgen adds one to the counter before it makes a block.
    start = ((stream << 64) - 1) % (1 << 128)
    words = Philox(key=key, counter=start, number=4, width=32).random_raw(2 * n).astype(np.uint64)
    return np.argsort(words[0::2] << np.uint64(32) | words[1::2], kind="stable")
