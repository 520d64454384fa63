"""Philox4x32-10 words as torch tensors: by randomgen on the CPU, in integer arithmetic elsewhere."""

import torch

from kbackend.plugin.host import philox

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
WORD = (1 << 32) - 1


def words(
    key: int, stream: int, count: int, device: torch.device | str = "cpu", trial: int = 0, first: int = 0
) -> torch.Tensor:
    """`count` words of a Philox4x32-10 stream, as int32 with the bits of uint32.

    Arguments, errors and the order of words are those of `kbackend.plugin.host.philox.words`. The dtype is signed
    since torch has few operations on uint32.

    >>> words(0, 0, 4).numpy().view("uint32").tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    True
    """
    device = torch.device(device)
    if device.type == "cpu":
        return torch.from_numpy(philox.words(key, stream, count, trial, first).view("int32"))
    return words_on_device(key, stream, count, device, trial, first)


def words_on_device(
    key: int, stream: int, count: int, device: torch.device | str, trial: int = 0, first: int = 0
) -> torch.Tensor:
    """`words` in operations of torch, on any device."""
    philox.check(key, stream, trial)
    skipped = first & 3
    blocks = torch.arange(first >> 2, (first >> 2) - (-(count + skipped) // 4), dtype=torch.int64, device=device)
    high = torch.full_like(blocks, stream & WORD), torch.full_like(blocks, stream >> 32)
    lanes = rounds(key, (blocks & WORD, (blocks >> 32) + trial & WORD, *high))
    # The cast from int64 to int32 keeps the low 32 bits.
    return torch.stack(lanes, dim=1).to(torch.int32).reshape(-1)[skipped : skipped + count]


def rounds(key: int, counter: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """The ten rounds on four int64 tensors, each holding one 32-bit word of all counters."""
    x0, x1, x2, x3 = counter
    low, high = key & WORD, key >> 32
    for _ in range(ROUNDS):
        # A product of two words overflows int64, but its bits are right, and the mask removes the sign extension.
        first, second = x0 * MULTIPLIERS[0], x2 * MULTIPLIERS[1]
        x0, x1, x2, x3 = (
            (second >> 32 & WORD) ^ x1 ^ low,
            second & WORD,
            (first >> 32 & WORD) ^ x3 ^ high,
            first & WORD,
        )
        low, high = low + WEYL[0] & WORD, high + WEYL[1] & WORD
    return x0, x1, x2, x3
