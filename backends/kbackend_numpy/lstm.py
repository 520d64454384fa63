"""An LSTM over all steps as one differentiable NumPy function with a backward pass in closed form.

Internally time is the first axis, and one array (time + 2, batch, units) holds the initial state, the state after each
step and the last cell state. So the primitive is one node for autograd; its public results are slices of the array.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnums
from autograd.tracer import isbox

from kbackend_numpy.recording import primitive

STEPS, LAST_STATE, LAST_CELL = slice(1, -1), -2, -1


class Trace(NamedTuple):
    """The intermediate results that the backward pass needs, time first, in the dtype of computation."""

    x: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    states: np.ndarray
    gates: np.ndarray
    cells: np.ndarray
    cell_outputs: np.ndarray
    dtype: np.dtype


def lstm(x: Any, h0: Any, c0: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> tuple[Any, Any, Any]:
    """An LSTM over axis 1 of `x` with sigmoid gates in the order i, f, c, o and tanh activation.

    x: (batch, time, features); h0, c0: (batch, units); kernel: (features, 4 units); recurrent_kernel:
    (units, 4 units); bias: (4 units,), all floating and of one dtype. Returns the states after each step
    (batch, time, units), the last state and the last cell state (batch, units), in that dtype; float16 is
    computed in float32. Raises a ValueError for shapes that do not fit.

    >>> outputs, h, c = lstm(np.ones((2, 3, 1)), np.zeros((2, 1)), np.zeros((2, 1)),
    ...                      np.ones((1, 4)), np.ones((1, 4)), np.zeros(4))
    >>> outputs.shape, bool((outputs[:, -1] == h).all())
    ((2, 3, 1), True)
    """
    operands = (x, h0, c0, kernel, recurrent_kernel, bias)
    _check(*(tuple(operand.shape) for operand in operands))
    keep: list[Trace] | None = [] if any(map(isbox, operands)) else None
    packed = _lstm(*operands, keep)
    return anp.swapaxes(_take(packed, STEPS), 0, 1), _take(packed, LAST_STATE), _take(packed, LAST_CELL)


def _check(x: tuple, h0: tuple, c0: tuple, kernel: tuple, recurrent_kernel: tuple, bias: tuple) -> None:
    units = recurrent_kernel[0] if recurrent_kernel else 0
    fits = (
        len(x) == 3
        and h0 == c0 == (x[0], units)
        and kernel == (x[2], 4 * units)
        and recurrent_kernel == (units, 4 * units)
        and bias == (4 * units,)
    )
    if not fits:
        raise ValueError(
            f"lstm: x {x}, h0 {h0}, c0 {c0}, kernel {kernel}, recurrent_kernel {recurrent_kernel} and "
            f"bias {bias} must be (batch, time, features), (batch, units), (batch, units), "
            "(features, 4 units), (units, 4 units), (4 units,)"
        )


@primitive
def _lstm(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray,
    keep: list[Trace] | None,
) -> np.ndarray:
    dtype = np.result_type(x, h0, c0, kernel, recurrent_kernel, bias)
    wide = np.promote_types(dtype, np.float32)
    x, kernel, recurrent_kernel = (np.asarray(a, wide) for a in (x, kernel, recurrent_kernel))
    (batch, time, features), units = x.shape, h0.shape[1]
    x = np.ascontiguousarray(x.swapaxes(0, 1))

    # sigmoid(z) is tanh(z / 2) / 2 + 1 / 2, so with halved weights one tanh computes all four gates.
    scale = np.full(4 * units, 0.5, wide)
    scale[2 * units : 3 * units] = 1
    shift = 1 - scale
    gates = x.reshape(time * batch, features) @ (kernel * scale)
    gates += bias * scale
    gates = gates.reshape(time, batch, 4 * units)
    halved = recurrent_kernel * scale

    states = np.empty((time + 2, batch, units), wide)
    cells = np.empty((time + 1, batch, units), wide)
    cell_outputs = np.empty((time, batch, units), wide)
    states[0], cells[0] = h0, c0
    recurrent, entering = np.empty((batch, 4 * units), wide), np.empty((batch, units), wide)
    for t, gate in enumerate(gates):
        np.matmul(states[t], halved, out=recurrent)
        np.add(gate, recurrent, out=gate)
        np.tanh(gate, out=gate)
        np.multiply(gate, scale, out=gate)
        np.add(gate, shift, out=gate)
        i, f, g, o = _gates(gate, units)
        cell, cell_output = cells[t + 1], cell_outputs[t]
        np.multiply(f, cells[t], out=cell)
        np.multiply(i, g, out=entering)
        np.add(cell, entering, out=cell)
        np.tanh(cell, out=cell_output)
        np.multiply(o, cell_output, out=states[t + 1])
    states[-1] = cells[-1]
    if keep is not None:
        keep.append(Trace(x, kernel, recurrent_kernel, states, gates, cells, cell_outputs, dtype))
    return states.astype(dtype, copy=False)


def _gates(z: Any, units: int) -> list[Any]:
    """The slices of the gates i, f, c and o."""
    return [z[..., n * units : (n + 1) * units] for n in range(4)]


@primitive
def _take(packed: np.ndarray, index: int | slice) -> np.ndarray:
    return packed[index]


@primitive
def _put(part: np.ndarray, index: int | slice, shape: tuple[int, ...]) -> np.ndarray:
    packed = np.zeros(shape, part.dtype)
    packed[index] = part
    return packed


defvjp(_take, lambda ans, packed, index: lambda g: _put(g, index, packed.shape), argnums=(0,))
defvjp(_put, lambda ans, part, index, shape: lambda g: _take(g, index), argnums=(0,))


def _vjp(argnums: Sequence[int], ans: Any, args: tuple, kwargs: dict) -> Callable[[Any], tuple]:
    *operands, keep = args

    def gradients(g: Any) -> tuple:
        again = isbox(g) or any(map(isbox, operands))
        return _differentiable_backward(g, argnums, *operands) if again else _backward(g, argnums, keep[-1])

    return gradients


defvjp_argnums(_lstm, _vjp)


def _backward(g: np.ndarray, argnums: Sequence[int], trace: Trace) -> tuple:
    """The gradients of the operands with the numbers `argnums`."""
    time, batch, four_units = trace.gates.shape
    units = four_units // 4
    i, f, c, o = _gates(trace.gates, units)
    # The terms that do not depend on later steps, for all steps at once.
    through_output = o * (1 - trace.cell_outputs**2)
    slopes = np.empty((time, batch, 4, units), trace.gates.dtype)
    slopes[:, :, 0] = c * (i * (1 - i))
    slopes[:, :, 1] = trace.cells[:-1] * (f * (1 - f))
    slopes[:, :, 2] = i * (1 - c**2)
    slopes[:, :, 3] = trace.cell_outputs * (o * (1 - o))

    back = np.ascontiguousarray(trace.recurrent_kernel.T)
    g_z = np.empty_like(slopes)
    g_h, g_c = np.zeros((batch, units), slopes.dtype), g[LAST_CELL].astype(slopes.dtype)
    from_output = np.empty_like(g_h)
    for t in reversed(range(time)):
        np.add(g_h, g[t + 1], out=g_h)
        np.multiply(g_h, through_output[t], out=from_output)
        np.add(g_c, from_output, out=g_c)
        np.multiply(slopes[t, :, :3], g_c[:, None], out=g_z[t, :, :3])
        np.multiply(slopes[t, :, 3], g_h, out=g_z[t, :, 3])
        np.multiply(g_c, f[t], out=g_c)
        np.matmul(g_z[t].reshape(batch, four_units), back, out=g_h)

    rows = g_z.reshape(time * batch, four_units)
    before = trace.states[:time].reshape(time * batch, units)
    inputs = trace.x.reshape(time * batch, trace.x.shape[-1])
    wanted = {
        0: lambda: (rows @ trace.kernel.T).reshape(trace.x.shape).swapaxes(0, 1),
        1: lambda: g_h + g[0],
        2: lambda: g_c,
        3: lambda: inputs.T @ rows,
        4: lambda: before.T @ rows,
        5: lambda: rows.sum(axis=0),
    }
    return tuple(wanted[n]().astype(trace.dtype, copy=False) for n in argnums)


def _differentiable_backward(
    g: Any, argnums: Sequence[int], x: Any, h0: Any, c0: Any, kernel: Any, recurrent_kernel: Any, bias: Any
) -> tuple:
    """The gradients of `_backward` as a slower composition that autograd can differentiate."""
    dtype = g.dtype
    if dtype == np.float16:
        g, x, h0, c0, kernel, recurrent_kernel, bias = (
            a.astype(np.float32) for a in (g, x, h0, c0, kernel, recurrent_kernel, bias)
        )
    time, units = x.shape[1], h0.shape[1]
    z = anp.matmul(x, kernel) + bias
    states, cells, steps = [h0], [c0], []
    for t in range(time):
        i, f, c, o = _gates(z[:, t] + anp.matmul(states[-1], recurrent_kernel), units)
        i, f, c, o = _sigmoid(i), _sigmoid(f), anp.tanh(c), _sigmoid(o)
        cells.append(f * cells[-1] + i * c)
        steps.append((i, f, c, o, anp.tanh(cells[-1])))
        states.append(o * steps[-1][-1])

    g_h, g_c, g_z = anp.zeros_like(h0), g[LAST_CELL], []
    for t in reversed(range(time)):
        i, f, c, o, cell_output = steps[t]
        g_h = g_h + g[t + 1]
        g_c = g_c + g_h * o * (1 - cell_output**2)
        parts = [
            g_c * c * i * (1 - i),
            g_c * cells[t] * f * (1 - f),
            g_c * i * (1 - c**2),
            g_h * cell_output * o * (1 - o),
        ]
        g_z.append(anp.concatenate(parts, axis=-1))
        g_c = g_c * f
        g_h = anp.matmul(g_z[-1], recurrent_kernel.T)

    rows = anp.stack(g_z[::-1], axis=1) if time else anp.zeros((len(h0), 0, kernel.shape[1]), h0.dtype)
    before = anp.stack(states[:-1], axis=1) if time else anp.zeros((len(h0), 0, h0.shape[1]), h0.dtype)
    results = (
        anp.matmul(rows, kernel.T),
        g_h + g[0],
        g_c,
        anp.tensordot(x, rows, ((0, 1), (0, 1))),
        anp.tensordot(before, rows, ((0, 1), (0, 1))),
        anp.sum(rows, axis=(0, 1)),
    )
    return tuple(results[n].astype(dtype) if dtype == np.float16 else results[n] for n in argnums)


def _sigmoid(z: Any) -> Any:
    return 0.5 * anp.tanh(0.5 * z) + 0.5
