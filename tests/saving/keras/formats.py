"""The page docs/formats.md: which layers the files of which format hold.

    python tests/saving/keras/formats.py > docs/formats.md

It needs Keras 3 on TensorFlow, with ``tests`` and the checkout on the path.
"""

from __future__ import annotations

from typing import Any

HEAD = """# Layers by format

`.kb`, JSON and YAML hold every layer; a `Lambda` needs its function again, and a layer of one's own its class, in
`custom_objects`. The table says what else a layer is exchanged with: *both ways* with `.keras`, `.h5` and `.weights.h5`
of Keras 3, tested over the table of layer configurations, with equal predictions; *by name* where name and arguments
are exchanged, and no predictions are compared; *none* where Keras 3 has no such layer. Keras 2 means that arguments of
tf-keras 2.21 are read, Keras 1 that it has other arguments or layouts there, which are read too.

Made by `python tests/saving/keras/formats.py`.

| layer | Keras 3 | Keras 2 | Keras 1 |
|---|---|---|---|
"""
#: layers of Keras 2 alone
OLD = ("LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU", "CuDNNGRU", "CuDNNLSTM")
#: the first words of those of Keras 3 alone
NEW = ("AdaptiveAveragePooling", "AdaptiveMaxPooling", "AugMix", "AutoContrast", "ColorJitter", "CutMix",
       "Equalization", "MixUp", "RMSNormalization", "RandAugment", "RandomColor", "RandomErasing", "RandomGaussianBlur",
       "RandomGrayscale",
       "RandomHue", "RandomInvert", "RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear",
       "Solarization", "Pipeline", "STFT", "MelSpectrogram", "MaxNumBoundingBoxes", "ReversibleEmbedding")  # fmt: skip


def page(keras: Any) -> str:
    """The text of the page."""
    from layers.table import all_rows

    from kbackend import layers
    from kbackend.layers.legacy import SPELLINGS
    from kbackend.saving.keras.old import _GATES

    tested = {row.layer for row in all_rows() if row.keras is True}
    lines = []
    for name, found in sorted(vars(layers).items()):
        base = layers.Layer
        if not isinstance(found, type) or not issubclass(found, base) or found is base or found.__name__ != name:
            continue
        there = hasattr(keras.layers, name)
        three = ("both ways" if name in tested else "by name") if there else "none"
        two = "read" if there and not name.startswith(NEW) or name in OLD else "none"
        first = name in {**SPELLINGS, **_GATES} or found.__module__.endswith(".legacy")
        lines.append(f"| `{name}` | {three} | {two} | {'read' if first else 'none'} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2]))
    import keras

    print(page(keras), end="")
