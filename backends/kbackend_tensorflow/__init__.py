"""The TensorFlow engine."""

from kbackend.plugin.contract import Backend
from kbackend.plugin.discover import engine


@engine(module="tensorflow", install="pip install 'kbackend[tensorflow-cpu]'", preference=20)
def backend() -> Backend:
    from kbackend_tensorflow.engine import TensorFlowBackend

    return TensorFlowBackend()
