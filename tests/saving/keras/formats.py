"""The page docs/formats.md: which layers the files of which format hold.

    python tests/saving/keras/formats.py > docs/formats.md

It needs Keras 3 on TensorFlow, with ``tests`` and the checkout on the path.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

HEAD = """# Layers by format

`.kb`, JSON and YAML hold every layer; a `Lambda` needs its function again, and a layer of one's own its class, in
`custom_objects`. The table says what else a layer is exchanged with: *both ways* with `.keras`, `.h5` and `.weights.h5`
of Keras 3, or of tf-keras 2.21, tested over the table of layer configurations, with equal predictions; *by name* where
name and arguments are exchanged, and no predictions are compared; *none* where Keras has no such layer, or one
that is code. Keras 1 means that it has other arguments or layouts there, which are read too.

[Export](guide/export.md) as a program of NumPy, PyTorch or TensorFlow is tested for every configuration of the table.
The last four columns are formats of engines: *yes* where their own runtime gave the predictions, *no* where the format
cannot hold the layer, with the reason in an `ExportError`, and a dash for layers of which no configuration is tested.

Made by `python tests/saving/keras/formats.py`.

{counts}

| layer | Keras 3 | tf-keras | Keras 1 | torch.export | ONNX | SavedModel | TFLite |
|---|---|---|---|---|---|---|---|
"""
#: layers of tf-keras that are read alone
READ = ("CuDNNGRU", "CuDNNLSTM")
#: and those that tests of tf-keras leave out
APART = ("Lambda", "Wrapper", "SpectralNormalization")


def page(keras: Any) -> str:
    """The text of the page."""
    from layers.table import all_rows
    from saving.export.exceptions import EXCEPTIONS

    from kbackend import layers
    from kbackend.layers.spellings import SPELLINGS
    from kbackend.saving.keras.old import _GATES
    from kbackend.saving.keras.table import has_layer

    tested = {row.layer for row in all_rows()}
    with_keras = {row.layer for row in all_rows() if row.keras is True}
    lines, counts = [], Counter()
    for name, found in sorted(layers.built_in().items()):
        base = layers.Layer
        if found is base or found.__name__ != name:
            continue
        theirs = hasattr(keras.layers, name) and has_layer(name, 3)
        three = ("both ways" if name in with_keras else "by name") if theirs else "none"
        two = "read" if name in READ else "none"
        if has_layer(name, 2):
            two = "both ways" if name in tested and name not in APART else "by name"
        first = name in {**SPELLINGS, **_GATES} or found.__module__.endswith(".legacy")
        left = [("no" if name in absent else "yes") if name in tested else "-" for absent in EXCEPTIONS.values()]
        counts["Keras 3"] += three == "both ways"
        counts["tf-keras"] += two == "both ways"
        counts.update(format for format, cell in zip(EXCEPTIONS, left) if cell == "yes")
        counts["tested"] += name in tested
        lines.append(f"| `{name}` | {three} | {two} | {'read' if first else 'none'} | {' | '.join(left)} |")
    return HEAD.format(counts=_counts(len(lines), counts)) + "\n".join(lines) + "\n"


def _counts(layers: int, counts: Counter[str]) -> str:
    names = {"torch_export": "torch.export", "onnx": "ONNX", "tf_saved_model": "SavedModel", "tflite": "TFLite"}
    left = ", ".join(f"{counts[format]} in {name}" for format, name in names.items())
    return (
        f"Of {layers} layers, {counts['Keras 3']} go both ways with Keras 3 and {counts['tf-keras']} with tf-keras. Of "
        f"{counts['tested']} with\nconfigurations, {counts['tested']} leave as programs, {left}."
    )


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2]))
    import keras

    print(page(keras), end="")
