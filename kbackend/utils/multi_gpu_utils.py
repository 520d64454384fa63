"""Keras 2's copies of a model on several GPUs, which kbackend does not have."""

from __future__ import annotations

from typing import Any

from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = ["multi_gpu_model"]


def multi_gpu_model(model: Any, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False) -> Any:
    """Refused: a model runs on one device.

    Args:
        model, gpus, cpu_merge, cpu_relocation: as in Keras 2, without effect.

    Raises:
        NotImplementedError: always; the message says what to do.
    """
    raise NotImplementedError(
        "multi_gpu_model is not there: a model runs on one device. Leave the call out, and choose the device with "
        "kbackend.set_device('cuda:0') or model.to('torch', device='cuda:0')"
    )


_suggest_in(__name__)
