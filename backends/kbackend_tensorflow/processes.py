"""The workers of a TensorFlow cluster, described by TF_CONFIG."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from kbackend.plugin.contract import causes
from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import Launch

#: of the collectives of kbackend among those of the process; TensorFlow's strategies number theirs from 0
_GROUP_KEY = 0x6B6261
_joined: list[TensorFlowGroup] = []


def joined() -> TensorFlowGroup | None:
    """The run that this process is a part of."""
    return _joined[-1] if _joined else None


def join(launch: Launch, timeout: float) -> TensorFlowGroup:
    """Meet the other workers.

    Raises:
        DistributedError: they did not come, or TensorFlow has run operations already.
    """
    if _joined:
        return _joined[-1]
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=timeout)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise DistributedError(
            f"process {launch.rank} of {launch.size} did not meet the other workers of TF_CONFIG: {error}. TensorFlow "
            "meets them before its first operation: call model.distribute, or enter the context, before anything runs"
        ) from error
    _joined.append(TensorFlowGroup(strategy, launch, timeout))
    return _joined[-1]


class TensorFlowGroup:
    """The workers of a cluster.

    Args:
        strategy: what keeps the connections.
        launch: which of them this one is.
        timeout: seconds after which a worker that does not come counts as lost.
    """

    overlaps = False  # the sums of buckets run as soon as they can, without an op of their own
    compiles = False  # XLA has no collectives on the CPU (TensorFlow 2.21)

    def __init__(self, strategy: Any, launch: Launch, timeout: float) -> None:
        self._strategy = strategy
        self.rank, self.size, self.timeout = launch.rank, launch.size, timeout
        self._instances = itertools.count(1)

    def _options(self) -> dict[str, Any]:
        """All workers trace the same programs in the same order, so that equal numbers meet."""
        return {
            "group_size": self.size,
            "group_key": _GROUP_KEY,
            "instance_key": next(self._instances),
            "ordering_token": [],
            "timeout_seconds": float(self.timeout),
        }

    def sum(self, tensor: Any) -> Any:
        """The sum of a tensor over the workers."""
        wide = tf.float32 if tensor.dtype == tf.bfloat16 else tensor.dtype  # which the kernel does not know
        reduced = tf.raw_ops.CollectiveReduceV2(
            input=tf.cast(tensor, wide), merge_op="Add", final_op="Id", **self._options()
        )
        return tf.cast(reduced, tensor.dtype)

    def gather(self, content: bytes) -> list[bytes]:
        try:
            sizes = self._gathered(np.array([[len(content)]], np.int64))[:, 0]
            padded = np.frombuffer(content.ljust(-(-(int(max(sizes)) + 1) // 8) * 8, b"\0"), np.int64)
            rows = self._gathered(padded[None])
        except tf.errors.OpError as error:
            raise DistributedError(f"process {self.rank} of {self.size}: {self.lost(error) or error}") from error
        return [row.tobytes()[:size] for row, size in zip(rows, sizes)]

    def _gathered(self, row: np.ndarray) -> np.ndarray:
        with tf.device("CPU:0"):
            return tf.raw_ops.CollectiveGatherV2(input=tf.constant(row), **self._options()).numpy()

    def lost(self, error: BaseException) -> str | None:
        kinds = (tf.errors.DeadlineExceededError, tf.errors.UnavailableError, tf.errors.AbortedError,
                 tf.errors.CancelledError)
        for each in causes(error):
            if isinstance(each, DistributedError):
                return str(each)
            if isinstance(each, kinds):
                lines = [line for line in str(each.message).splitlines() if line.strip()]
                told = next((line for line in lines if "ollective" in line or "task" in line), lines[0])
                return f"another process has stopped, or hangs for {self.timeout:g} s: {told.strip()}"
        return None

    def close(self) -> None:
        _joined.clear()
