"""The NumPy engine: the default where nothing else is installed, and the definition for all others."""

from kbackend.plugin.contract import Backend
from kbackend.plugin.discover import engine


@engine(module="numpy", install="pip install kbackend", preference=10, reference=True)
def backend() -> Backend:
    from kbackend_numpy.engine import NumpyBackend

    return NumpyBackend()
