"""Hashes of bytes to 64 bits, with the bits that TensorFlow's string ops have: FarmHash and SipHash."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MURMUR = 0xC6A4A7935BD1E995


def _turned(value: int, bits: int) -> int:
    """64 bits turned to the right."""
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _folded(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _mixed(u: int, v: int, factor: int) -> int:
    a = _folded((u ^ v) * factor)
    return _folded((v ^ a) * factor) * factor & _MASK


def fingerprint(data: bytes) -> int:
    """FarmHash's 64 bit fingerprint. Source: Pike, "FarmHash", 2014.

    >>> from kbackend.layers.preprocessing.hashes import fingerprint
    >>> fingerprint(b"") == 0x9AE16A3B2F90404F
    True
    """
    size = len(data)
    if size > 64:
        return _long(data)
    if size > 32:
        return _medium(data)
    if size > 16:
        factor = _K2 + 2 * size
        a, b = _word(data, 0) * _K1, _word(data, 8)
        c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
        return _mixed((_turned(a + b, 43) + _turned(c, 30) + d) & _MASK, (a + _turned(b + _K2, 18) + c) & _MASK, factor)
    return _short(data)


def _short(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = (_word(data, 0) + _K2) & _MASK, _word(data, size - 8)
        c = (_turned(b, 37) * factor + a) & _MASK
        return _mixed(c, (_turned(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        return _mixed(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _folded(y * _K2 & _MASK ^ z * _K0 & _MASK) * _K2 & _MASK
    return _K2


def _medium(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    a, b = _word(data, 0) * _K2 & _MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    y = (_turned(a + b, 43) + _turned(c, 30) + d) & _MASK
    z = _mixed(y, (a + _turned(b + _K2, 18) + c) & _MASK, factor)
    e, f = _word(data, 16) * factor & _MASK, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor & _MASK, (z + _word(data, size - 24)) * factor & _MASK
    return _mixed((_turned(e + f, 43) + _turned(g, 30) + h) & _MASK, (e + _turned(f + a, 18) + g) & _MASK, factor)


def _pair(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Two seeds mixed with 32 bytes."""
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a = (a + w) & _MASK
    b = _turned(b + a + z, 21)
    total = (a + x + y) & _MASK
    return (total + z) & _MASK, (b + _turned(total, 44) + a) & _MASK


def _long(data: bytes) -> int:
    seed = 81
    x = seed
    y = (seed * _K1 + 113) & _MASK
    z = _folded(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(data, 0)) & _MASK
    last = len(data) - 1
    for at in range(0, last // 64 * 64, 64):
        x = _turned(x + y + v[0] + _word(data, at + 8), 37) * _K1 & _MASK
        y = _turned(y + v[1] + _word(data, at + 48), 42) * _K1 & _MASK
        x ^= w[1]
        y = (y + v[0] + _word(data, at + 40)) & _MASK
        z = _turned(z + w[0], 33) * _K1 & _MASK
        v = _pair(data, at, v[1] * _K1, x + w[0])
        w = _pair(data, at + 32, z + w[1], y + _word(data, at + 16))
        z, x = x, z
    factor = (_K1 + ((z & 0xFF) << 1)) & _MASK
    at = len(data) - 64
    w = ((w[0] + (last & 63)) & _MASK, w[1])
    v = ((v[0] + w[0]) & _MASK, v[1])
    w = ((w[0] + v[0]) & _MASK, w[1])
    x = _turned(x + y + v[0] + _word(data, at + 8), 37) * factor & _MASK
    y = _turned(y + v[1] + _word(data, at + 48), 42) * factor & _MASK
    x ^= w[1] * 9 & _MASK
    y = (y + v[0] * 9 + _word(data, at + 40)) & _MASK
    z = _turned(z + w[0], 33) * factor & _MASK
    v = _pair(data, at, v[1] * factor, x + w[0])
    w = _pair(data, at + 32, z + w[1], y + _word(data, at + 16))
    z, x = x, z
    first = (_mixed(v[0], w[0], factor) + _folded(y) * _K0 + z) & _MASK
    return _mixed(first, (_mixed(v[1], w[1], factor) + x) & _MASK, factor)


def joined(first: int, second: int) -> int:
    """One fingerprint of two, in which their order counts."""
    result = first ^ _MURMUR
    result ^= _folded(second * _MURMUR) * _MURMUR & _MASK
    result = _folded(result * _MURMUR) * _MURMUR & _MASK
    return _folded(result)


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 with a key of two words. Source: Aumasson and Bernstein, "SipHash", 2012."""
    v = [word ^ start & _MASK for word, start in zip(
        (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573), (*key, *key)
    )]
    padded = data + b"\0" * (7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for at in range(0, len(padded), 8):
        word = _word(padded, at)
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = (v[0] + v[1]) & _MASK
        v[1] = _turned(v[1], 51) ^ v[0]
        v[0] = _turned(v[0], 32)
        v[2] = (v[2] + v[3]) & _MASK
        v[3] = _turned(v[3], 48) ^ v[2]
        v[0] = (v[0] + v[3]) & _MASK
        v[3] = _turned(v[3], 43) ^ v[0]
        v[2] = (v[2] + v[1]) & _MASK
        v[1] = _turned(v[1], 47) ^ v[2]
        v[2] = _turned(v[2], 32)


__all__: list[str] = []
