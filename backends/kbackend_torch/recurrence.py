"""Recurrences written as loops of steps: what the fused kernels compute, differentiable as often as
wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Function = Callable[..., Any]


def _projected(x: Any, kernel: Any, bias: Any) -> Any:
    """The product of the inputs, made once for all steps, by step."""
    z = x.transpose(0, 1) @ kernel
    return (z if bias is None else z + bias).unbind(0)


def _results(outputs: list[Any], x: Any, *states: Any) -> Any:
    """The outputs, and the states; of no step copies of these, since results share no memory with operands."""
    if outputs:
        return torch.stack(outputs, 1), *states
    return x.new_empty(x.shape[0], 0, states[0].shape[1]), *(s.clone() for s in states)


def steps_of_lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    outputs = []
    for z in _projected(x, kernel, bias):
        i, f, g, o = torch.addmm(z, h, recurrent).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return _results(outputs, x, h, c)


def steps_of_simple(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    outputs = []
    for z in _projected(x, kernel, bias):
        h = torch.tanh(torch.addmm(z, h, recurrent))
        outputs.append(h)
    return _results(outputs, x, h)


def steps_of_gru(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    outputs = []
    for z in _projected(x, kernel, None if bias is None else bias[0]):
        s = h @ recurrent if bias is None else torch.addmm(bias[1], h, recurrent)
        zx, rx, gx = z.chunk(3, 1)
        zh, rh, gh = s.chunk(3, 1)
        update = torch.sigmoid(zx + zh)
        h = update * h + (1 - update) * torch.tanh(gx + torch.sigmoid(rx + rh) * gh)
        outputs.append(h)
    return _results(outputs, x, h)


def gru_weights(kernel: Any, recurrent: Any, bias: Any) -> list[Any]:
    """The weights in PyTorch's layout, transposed, and from the gate order z, r, h to PyTorch's r, z, n."""
    return [
        *(torch.cat([w.t().chunk(3)[n] for n in (1, 0, 2)]) for w in (kernel, recurrent)),
        *(() if bias is None else torch.cat([bias.chunk(3, 1)[n] for n in (1, 0, 2)], 1)),
    ]


def twice_differentiable(fused: Function, steps: Function) -> Function:
    """The fused kernel; where its gradient is differentiated on an accelerator, ``steps`` gives that.

    cuDNN's backward pass has no derivative; that of the kernels for CPUs has one.
    """

    class Fused(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *operands: Any) -> Any:
            needed = ctx.needs_input_grad
            with torch.enable_grad():
                own = [None if o is None else o.detach().requires_grad_(n) for o, n in zip(operands, needed)]
                results = fused(*own)
            ctx.save_for_backward(*operands)
            ctx.own, ctx.results = own, results
            return tuple(r.detach() for r in results)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            needed = ctx.needs_input_grad
            again = torch.is_grad_enabled()
            operands = ctx.saved_tensors if again else ctx.own
            results = steps(*operands) if again else ctx.results
            wanted = [o for o, n in zip(operands, needed) if n]
            found = iter(
                torch.autograd.grad(
                    results, wanted, gradients, retain_graph=True, create_graph=again, allow_unused=True
                )
            )
            return tuple(next(found) if n else None for n in needed)

    def run(*operands: Any) -> Any:
        if (
            operands[0].is_cuda
            and torch.is_grad_enabled()
            and any(o is not None and o.requires_grad for o in operands)
        ):
            return Fused.apply(*operands)
        return fused(*operands)

    run.on_accelerator = Fused.apply  # type: ignore[attr-defined]
    return run
