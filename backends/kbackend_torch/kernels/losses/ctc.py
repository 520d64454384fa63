"""The kernel of CTC beam search."""

from __future__ import annotations

from typing import Any

import torch

from kbackend.plugin.host.ctc import beam_search


def ctc_beam_search(logits: Any, lengths: Any, *, blank: int, beam_width: int, top_paths: int) -> Any:
    """Beam search on the host, since it is a search over prefixes and not arithmetic on tensors."""
    wide = logits.detach().to(torch.float64)
    labels, scores = beam_search(wide.cpu().numpy(), lengths.cpu().numpy(), blank, beam_width, top_paths)
    found = torch.from_numpy(labels), torch.from_numpy(scores).to(logits.dtype)
    return tuple(t.to(logits.device) for t in found)


KERNELS = {"ctc_beam_search": ctc_beam_search}
