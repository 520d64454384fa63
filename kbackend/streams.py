"""Random streams: the seed, op id and step that determine the bits of each draw.

The generator is the counter-based Philox4x32-10. Its key is the *seed* of 64 bits. Its counter of 128 bits consists,
from the low word up, of the index of the block of four words, the *trial* (the attempt of a draw by rejection), the
*step* (how often the draw has been made) and the *op id* (the identity of the draw).

The op id is a hash of the *path* of the draw: the enclosing layers, the weight and the op, such as
``encoder/kernel/random_uniform``. A layer named by the user appears in the path by that name, any other by its class
and the number of layers of that class that drew before it since the seed was set. So a draw does not depend on which
other draws exist, nor on the order in which named layers are made. A path that is used again gets a number.

A draw with an explicit seed has that seed as key and the op id 0, so that it is the same in any program. A
:class:`SeedGenerator` gives its draws the op ids 0, 1, 2...

Source: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11. The reasons for this design
are in docs/decisions/0009.
"""

from __future__ import annotations

import hashlib
import operator
import os
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from kbackend.graph.node import Node
from kbackend.graph.variable import Variable
from kbackend.graph.walk import map_args
from kbackend.ground.arguments import keywords_of, unknown_keywords

#: the op id of the shuffles in fit, whose step is the epoch
SHUFFLE_OP_ID = (1 << 32) - 1
#: op ids below this belong to draws with an explicit seed
_OWN_SEED_IDS = 1 << 20
_KEY_BITS = (1 << 64) - 1
#: parts of the set of op ids, each searched from its start
_BUCKETS = 1 << 9


class _Process:
    """The seed of the process and the paths used since it was set."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.key: int | None = None
        self.epoch = 0
        self._forget()

    def _forget(self) -> None:
        self.uses: dict[str, int] = {}
        self.taken = _Ids()

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

    def number(self, path: str, uses: dict[str, int] | None = None) -> int:
        """How often the path was used before; counts this use, in ``uses`` or with the paths of the process."""
        uses = self.uses if uses is None else uses
        with self.lock:
            count = uses.get(path, 0)
            uses[path] = count + 1
            return count

    def op_id(self, path: str) -> int:
        """An op id that no other path has."""
        owner = _path.owner
        uses = owner.uses if owner is not None and self is _process and owner.epoch == self.epoch else None
        with self.lock:
            count = self.number(path, uses)
            text = f"{path}#{count}" if count else path
            found = _hashed(text)
            while found in self.taken:  # a hash collision, of probability 2**-32 for a pair of paths
                text += "'"
                found = _hashed(text)
            self.taken.add(found)
            return found


class _Ids:
    """A growing set of op ids in 4 bytes each: they outlive the models whose draws they belong to."""

    def __init__(self) -> None:
        self._buckets: dict[int, array[int]] = {}

    def add(self, op_id: int) -> None:
        self._buckets.setdefault(op_id % _BUCKETS, array("I")).append(op_id)

    def __contains__(self, op_id: int) -> bool:
        return op_id in self._buckets.get(op_id % _BUCKETS, ())


def _hashed(text: str) -> int:
    """A hash in [_OWN_SEED_IDS, SHUFFLE_OP_ID)."""
    digest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    return _OWN_SEED_IDS + digest % (SHUFFLE_OP_ID - _OWN_SEED_IDS)


class _Path(threading.local):
    """The path of the enclosing scopes in this thread, the innermost numbered owner, the discardable counts inside
    :class:`trying`, the outermost call of a layer, and the streams that :class:`given_streams` gives calls."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.owner: Owner | None = None
        self.discarded: _Process | None = None
        self.call: call_streams | None = None
        self.given: dict[str, list[Sequence[Stream]]] | None = None


_process = _Process()
_path = _Path()


def _counts() -> _Process:
    """The counts of used paths: those of the process, or the discardable ones inside :class:`trying`."""
    return _path.discarded or _process


def set_seed(seed: int) -> None:
    """Set the seed of the process, which determines the draws, dropout masks, initial values and shuffles made after.

    Args:
        seed: an integer, of which the low 64 bits are used.

    Raises:
        TypeError: ``seed`` is not an integer.

    >>> from kbackend import K
    >>> K.set_seed(7)
    >>> a = K.eval(K.random_uniform((3,)))
    >>> K.set_seed(7)
    >>> bool((a == K.eval(K.random_uniform((3,)))).all())
    True
    """
    _process.seed(_key(seed))


def epoch() -> int:
    """How often the seed of the process has been set."""
    return _process.epoch


def has_own_seed(op_id: int) -> bool:
    """Whether an op id belongs to a draw with an explicit seed."""
    return op_id < _OWN_SEED_IDS


def get_seed() -> int:
    """The seed of the process.

    Returns:
        An integer of 64 bits; drawn from the operating system when no seed was set.

    >>> from kbackend import K
    >>> K.set_seed(7)
    >>> K.get_seed()
    7
    """
    return _process.current_key()


def _key(seed: Any) -> int:
    if isinstance(seed, bool):
        raise TypeError(f"a seed must be an integer, it is {seed!r}")
    try:
        return operator.index(seed) & _KEY_BITS
    except TypeError:
        raise TypeError(f"a seed must be an integer or a SeedGenerator, it is {seed!r}") from None


class SeedGenerator:
    """A seed for several draws, each with different bits.

    Two draws with the same integer seed have the same bits; two draws with one generator differ. A second generator of
    the same seed repeats the sequence of draws, in any program and on any engine.

    Args:
        seed: an integer; None to derive one from the seed of the process.
        name: a name, which distinguishes generators without a seed.
        **kwargs: none is known.

    Raises:
        TypeError: ``seed`` is not an integer, or an unknown argument.

    >>> from kbackend import K, random
    >>> generator = random.SeedGenerator(3)
    >>> a = K.eval(random.uniform((2,), seed=generator))
    >>> b = K.eval(random.uniform((2,), seed=generator))
    >>> bool((a == b).any())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise unknown_keywords("SeedGenerator", kwargs, keywords_of(SeedGenerator))
        self.name = name or "seed_generator"
        if seed is None:
            op_id = _counts().op_id("/".join((*_path.names, self.name)))
            digest = hashlib.blake2b(f"{get_seed()}/{op_id}".encode(), digest_size=8).digest()
            self.seed = int.from_bytes(digest, "little")
        else:
            self.seed = _key(seed)
        self._lock = threading.Lock()
        self.count = 0

    def next(self) -> tuple[int, int]:
        """The key and the op id of the next draw.

        Raises:
            RuntimeError: the generator has seeded 2**20 draws.
        """
        with self._lock:
            if self.count >= _OWN_SEED_IDS:
                raise RuntimeError(f"{self.name} has used all of its {_OWN_SEED_IDS} op ids; make another generator")
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
    """A context that appends ``name`` to the path of the draws made in it.

    Args:
        owner: the numbered owner that the name stands for.
    """

    def __init__(self, name: str, owner: Owner | None = None) -> None:
        self.name, self._owner = name, owner

    def __enter__(self) -> None:
        self._outer = _path.names, _path.owner
        _path.names = (*_path.names, self.name)
        _path.owner = self._owner or _path.owner

    def __exit__(self, *exc: Any) -> None:
        _path.names, _path.owner = self._outer


class trying:
    """A context whose draws are not counted, for graphs that are discarded (shape inference)."""

    def __enter__(self) -> None:
        self._outer = _path.discarded
        _path.discarded = _Process()
        _path.discarded.key = _process.current_key()

    def __exit__(self, *exc: Any) -> None:
        _path.discarded = self._outer


class Owner:
    """An object that draws, such as a layer, and its name in the paths of its draws.

    Args:
        name: the name given by the user, or None.
        kind: the class of the object. Objects without a name are numbered within their class, in the order of their
            first draw since the seed was set.

    Attributes:
        uses: how often each path below its number was used since the seed was set. No other object has these paths, so
            that their counts go with the object.
        epoch: of the seed that the number and the counts belong to.
    """

    def __init__(self, name: str | None, kind: str) -> None:
        self.name, self.kind = name, kind
        self.epoch = -1
        self.uses: dict[str, int] = {}
        self._found = ""

    def path_name(self) -> str:
        if self.name is not None:
            return self.name
        if _path.discarded is not None:
            return f"<{self.kind}>"
        if self.epoch != _process.epoch:
            self.epoch, self.uses = _process.epoch, {}
            self._found = f"<{self.kind} {_process.number(f'<{self.kind}>')}>"
        return self._found

    def scope(self) -> scope:
        """The scope of its draws."""
        name = self.path_name()
        return scope(name, self if name == self._found else None)

    def entered(self) -> Any:
        """The scope, or a null context if it is the innermost open scope."""
        return nullcontext() if _path.names[-1:] == (self.path_name(),) else self.scope()


class TakenStream(NamedTuple):
    """A stream that :func:`stream_of` gave earlier, as the seed of the one draw that it is for."""

    key: int
    op_id: int


def stream_of(what: str, seed: Any = None) -> tuple[int, int]:
    """The key and the op id of a new draw.

    Args:
        what: the op, the last part of the path.
        seed: an integer or :class:`SeedGenerator`; None for the stream of the process; a :class:`TakenStream` as it is.
    """
    if type(seed) is TakenStream:
        return seed
    found = _new_stream(what, seed)
    return found if _path.call is None else _path.call.next(what, *found)


def _new_stream(what: str, seed: Any) -> tuple[int, int]:
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is not None:
        return _key(seed), 0
    return _process.current_key(), _counts().op_id("/".join((*_path.names, what)))


#: the last part of the path of a draw, its key and its op id
Stream = tuple[str, int, int]


class call_streams:
    """A context for the outermost call of a layer, which keeps the streams of the draws made in it.

    Inside :class:`given_streams` they are those given for the layer's name. Draws inside :class:`unkept_streams`, those
    of initial values, are not among them.

    Args:
        layer: the name of the layer.

    Attributes:
        made: the streams, in the order of the draws.
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.made: list[Stream] = []
        self._left: list[Stream] | None = None

    def __enter__(self) -> call_streams:
        self._outer, _path.call = _path.call, self
        queue = None if _path.given is None else _path.given.get(self.layer)
        if queue:
            self._left = list(queue.pop(0))
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        _path.call = self._outer
        if kind is None and self._left:
            raise ValueError(f"{self.layer} makes {len(self.made)} random draws, {len(self._left)} more were expected")

    def next(self, what: str, key: int, op_id: int) -> tuple[int, int]:
        """The stream of the next draw: the one given, else the one proposed."""
        if self._left is not None:
            wanted, key, op_id = self._left.pop(0) if self._left else ("no more", 0, 0)
            if wanted != what:
                raise ValueError(f"{self.layer} makes the random draw {what}, expected was {wanted}")
        self.made.append((what, key, op_id))
        return key, op_id


def place_of_draws() -> Any:
    """Where the draws of the outermost call of a layer stand, for :func:`back_to`."""
    call = _path.call
    return call and (call, len(call.made), None if call._left is None else list(call._left))


def back_to(place: Any) -> None:
    """Forget the draws that a call has made since a place: it runs again."""
    if place:
        call, made, call._left = place
        del call.made[made:]


class unkept_streams:
    """A context whose draws do not belong to the call of a layer: those of initial values."""

    def __enter__(self) -> None:
        self._outer, _path.call = _path.call, None

    def __exit__(self, *exc: Any) -> None:
        _path.call = self._outer


class given_streams:
    """A context in which the outermost calls of layers get given streams, for models that are read from files.

    Args:
        streams: for the name of a layer the streams of its calls, in the order of the calls. Calls of other layers get
            new ones.
    """

    def __init__(self, streams: Mapping[str, Sequence[Sequence[Stream]]]) -> None:
        self._streams = {name: list(calls) for name, calls in streams.items()}

    def __enter__(self) -> None:
        self._outer, _path.given = _path.given, self._streams

    def __exit__(self, *exc: Any) -> None:
        _path.given = self._outer


def reserve(op_ids: Iterable[int]) -> None:
    """Keep op ids from being given to new draws."""
    with _process.lock:
        for op_id in op_ids:
            if op_id >= _OWN_SEED_IDS and op_id not in _process.taken:
                _process.taken.add(op_id)


def counter(name: str) -> Variable:
    """A variable that counts runs: the ``step`` of a symbolic draw."""
    return Variable(np.zeros((), np.int64), (), "int64", name=name, trainable=False, counter=True)


def draws(node: Node) -> bool:
    """Whether a node is a random draw with a step counter."""
    return node.op.random and any(isinstance(t, Variable) and t.counter for t in node.inputs)


def drawn_again(node: Node, args: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a node on other operands, with a new stream unless the draw has an explicit seed."""
    attrs = dict(node.attrs)
    if attrs["op_id"] >= _OWN_SEED_IDS:
        attrs["key"], attrs["op_id"] = stream_of(node.op.name)
    renewed = map_args(args, lambda t: counter(t.name) if isinstance(t, Variable) and t.counter else t)
    result = node.op.apply(renewed, attrs)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def permutation(n: int, key: int, stream: int) -> np.ndarray:
    """A random permutation of ``range(n)``, computed on the host: the order that sorts n words of the Philox stream.

    Args:
        n: the number of elements.
        key: a seed of 64 bits, such as :func:`get_seed` returns.
        stream: op id and step, ``op_id << 32 | step``.

    Returns:
        int64 ``(n,)``. Equal words of 64 bits, which occur once in 2**65 / n**2 permutations, keep their order.

    Raises:
        ValueError: a negative ``n``.

    >>> from kbackend.streams import permutation
    >>> sorted(permutation(5, key=1, stream=0).tolist())
    [0, 1, 2, 3, 4]
    """
    from randomgen import Philox

    if n < 0:
        raise ValueError(f"a permutation cannot have {n} elements")
    # randomgen increments the counter before each block.
    start = ((stream << 64) - 1) % (1 << 128)
    words = Philox(key=key, counter=start, number=4, width=32).random_raw(2 * n).astype(np.uint64)
    return np.argsort(words[0::2] << np.uint64(32) | words[1::2], kind="stable")
