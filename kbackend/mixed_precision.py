"""Computing in 16 bits with float32 weights, by the names of ``tf.keras.mixed_precision`` and of Keras 3."""

from __future__ import annotations

from kbackend.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from kbackend.optimizers.loss_scale import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
