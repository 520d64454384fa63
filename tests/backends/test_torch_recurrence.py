"""PyTorch's fused recurrences: the loops of steps that stand in for them, and their second derivatives."""

import numpy as np
import pytest

pytestmark = [pytest.mark.engine("torch"), pytest.mark.processor]

GATES = {"lstm": 4, "gru": 3, "simple": 1}


def operands(kind, bias=True, batch=3, time=4, features=3, units=2):
    import torch

    random, gates = np.random.RandomState(0), GATES[kind]
    shapes = [(batch, time, features), *[(batch, units)] * (2 if kind == "lstm" else 1)]
    shapes += [(features, gates * units), (units, gates * units)]
    shapes += [(2, 3 * units) if kind == "gru" else (gates * units,)]
    made = [torch.from_numpy(random.uniform(-1, 1, s)).requires_grad_() for s in shapes]
    return made if bias else [*made[:-1], None]


def functions(kind):
    from kbackend_torch import recurrence
    from kbackend_torch.kernels.rnn import recurrent

    return recurrent.FUSED[{"simple": "simple_rnn"}.get(kind, kind)], getattr(recurrence, f"steps_of_{kind}")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", GATES)
def test_steps_equal_the_fused_kernel(kind, bias):
    fused, steps = functions(kind)
    for a, b in zip(fused(*operands(kind, bias)), steps(*operands(kind, bias)), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", GATES)
def test_gradients_on_an_accelerator(kind, bias):
    """The function that accelerators use, first and second order; it runs on a CPU too."""
    import torch

    fused, _ = functions(kind)
    found = []
    for function in (fused, fused.on_accelerator):
        given = operands(kind, bias)
        wanted = [g for g in given if g is not None]
        loss = sum((r * r).sum() for r in function(*given))
        plain = torch.autograd.grad(loss, wanted, retain_graph=True)
        first = torch.autograd.grad(loss, wanted, create_graph=True)
        second = torch.autograd.grad(sum((g * g).sum() for g in first), wanted)
        found.append([*plain, *first, *second])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", GATES)
def test_no_steps(kind):
    _, steps = functions(kind)
    given = operands(kind, time=0)
    outputs, *states = steps(*given)
    assert outputs.shape == (3, 0, 2)
    for state, start in zip(states, given[1:]):
        np.testing.assert_array_equal(state.detach().numpy(), start.detach().numpy())
