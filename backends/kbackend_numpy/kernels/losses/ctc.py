"""The kernel of CTC beam search."""

from __future__ import annotations

from typing import Any

from kbackend.plugin.host.ctc import beam_search


def ctc_beam_search(logits: Any, lengths: Any, *, blank: int, beam_width: int, top_paths: int) -> Any:
    return beam_search(logits, lengths, blank, beam_width, top_paths)


KERNELS = {"ctc_beam_search": ctc_beam_search}
