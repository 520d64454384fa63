"""Operators and NumPy-style methods of symbolic tensors."""

from __future__ import annotations

from kbackend.graph.tensor import install_operators
from kbackend.ops import elementwise, linear
from kbackend.ops.evaluate import evaluate

install_operators(
    {
        "add": elementwise.add,
        "mul": elementwise.multiply,
        "matmul": linear.matmul,
        "evaluate": evaluate,
    },
    {"astype": elementwise.cast},
)
