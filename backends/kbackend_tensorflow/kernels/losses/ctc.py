"""The kernel of CTC beam search."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.host.ctc import beam_search


def ctc_beam_search(logits: Any, lengths: Any, *, blank: int, beam_width: int, top_paths: int) -> Any:
    """Beam search on the host, since it is a search over prefixes and not arithmetic on tensors."""

    def search(values: Any, sizes: Any) -> Any:
        return beam_search(values, sizes, blank, beam_width, top_paths)

    wide = tf.cast(logits, tf.float64)
    labels, scores = tf.numpy_function(search, [wide, lengths], [tf.int32, tf.float64], stateful=False)
    labels = tf.ensure_shape(labels, (top_paths, *logits.shape[:2]))
    return labels, tf.cast(tf.ensure_shape(scores, (logits.shape[0], top_paths)), logits.dtype)


KERNELS = {"ctc_beam_search": ctc_beam_search}
