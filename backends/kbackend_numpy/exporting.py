"""How NumPy's programs are written as files of their own: autograd's functions become those that they wrap."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval, isbox

from kbackend.plugin.exporting import LOAD, Argument, Exporting, Spelling

_WRAPPED = {
    id(value): getattr(np, name) for name, value in vars(anp).items() if not name.startswith("_") and hasattr(np, name)
}


def _replaced(value: Any) -> Any:
    if value is anp:
        return np
    if callable(value) and id(value) in _WRAPPED:
        return _WRAPPED[id(value)]
    return getattr(value, "fun", value) if getattr(value, "__name__", "") and hasattr(value, "fun") else value


_LOADER = """
class Model:
    \"\"\"The model.\"\"\"

    def __init__(self, arrays):
        self.weights = {name: arrays[name] for name in WEIGHTS}

    def predict(self, inputs):
        \"\"\"The outputs for a batch, an array for each input.\"\"\"
        if isinstance(inputs, dict):
            inputs = [inputs[name] for name in INPUTS]
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        feeds = [np.asarray(x, dtype) for x, dtype in zip(given, INPUTS.values(), strict=True)]
        with np.errstate(all="ignore"):
            outputs, new = ${program}(*feeds, list(self.weights.values()))
        self.weights.update(zip(UPDATED, new))
        return outputs[0] if len(outputs) == 1 else list(outputs)
"""

SPELLING = Spelling(
    modules={
        "np": "numpy",
        "np.linalg": "numpy.linalg",
        "np.fft": "numpy.fft",
        "np.lib.stride_tricks": "numpy.lib.stride_tricks",
    },
    known_calls={isbox: False, getval: Argument(0)},
    replaced=_replaced,
    no_gradients="NumPy has none, autograd takes them here",
    loader=_LOADER + LOAD,
    always=("np",),
)

EXPORTING = Exporting(SPELLING)
