"""The toy engine as a backend of kbackend."""

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import REGISTRY
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Backend, Tape
from kbackend.plugin.gaps import not_yet
from toy_backend import array
from toy_backend.array import Toy

KERNELS = {
    "add": array.add,
    "cast": lambda x, dtype: array.cast(x, dtypes.numpy_dtype(dtype)),
    "divide": array.divide,
    "exp": array.exp,
    "identity": lambda x: x,
    "matmul": array.matmul,
    "multiply": array.multiply,
    "negative": array.negative,
    "permute_dimensions": array.permute,
    "reshape": array.reshape,
    "stop_gradient": Toy.detached,
    "subtract": array.subtract,
    "sum": array.sum_,
    "tanh": array.tanh,
}


class ToyTape(Tape):
    """Toy arrays always record; gradients are made of toy arrays, so that they can be differentiated again."""

    def gradients(self, level, loss, tensors, nested, last):
        return array.gradients(loss, tensors)


class ToyBackend(Backend):
    """Arrays are ``Toy``; the devices are names."""

    name = "toy"
    kernels = KERNELS
    gaps = {op.name: not_yet("the toy has a dozen kernels") for op in REGISTRY.values()
            if op.kind == "primitive" and op.name not in KERNELS}
    tape = ToyTape()

    def version(self):
        return "0.1"

    def devices(self):
        return ["cpu", "cuda:1"]

    def is_tensor(self, value):
        return isinstance(value, Toy)

    def spec(self, tensor):
        return TensorSpec(tensor.shape, dtypes.canonical(tensor.dtype))

    def from_numpy(self, array, device):
        return Toy(np.array(array))

    def to_numpy(self, tensor):
        return tensor.value.copy()

    def copy(self, tensor):
        return Toy(tensor.value.copy())

    def compile(self, emitted, target, jit):
        run = emitted.function
        # What is returned must not keep all of the run that made it.
        emitted.function = lambda *feeds: tuple(tuple(t.detached() for t in group) for group in run(*feeds))
        return super().compile(emitted, target, jit)
