"""Modes of PyTorch that a user has switched on, and that programs must not see."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import torch

F = TypeVar("F", bound=Callable[..., Any])

#: whether torch.autocast is on for any device; the public function takes four times as long
_autocast: Callable[[], bool] = getattr(
    torch._C, "_is_any_autocast_enabled", lambda: torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"))
_inference: Callable[[], bool] = torch.is_inference_mode_enabled
_functions: Callable[[], bool] = torch._C._is_torch_function_mode_enabled
#: whether each mode is on, for callers to whom the call of :func:`active` is a cost
MODES = _inference, _autocast, _functions


def active() -> bool:
    """Whether torch.inference_mode, torch.autocast or a torch function mode (a default device) is on."""
    return _inference() or _autocast() or _functions()


@contextmanager
def switched_off() -> Iterator[None]:
    """All of these off. Gradients are recorded as they were."""
    recording = torch.is_grad_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch._C.DisableTorchFunction())
        stack.enter_context(torch.inference_mode(False))
        for device in {"cpu", "cuda"} if _autocast() else ():
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(torch.set_grad_enabled(recording))
        yield


def ordinary(tensor: Any) -> Any:
    """The tensor, copied if it was made in inference mode, which cannot take part in gradients."""
    return tensor.clone() if isinstance(tensor, torch.Tensor) and tensor.is_inference() else tensor


def outside(function: F) -> F:
    """A function that runs with all modes off; tensors among its arguments become ordinary ones."""

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        if _inference() or _autocast() or _functions():
            with switched_off():
                return function(*args)
        return function(*args)

    return run  # type: ignore[return-value]


def _one_thread() -> None:
    torch.set_num_threads(1)  # the threads of the parent are gone, and waiting for them would never end


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread)
