"""Callbacks: objects that are told what happens during training."""

from typing import TYPE_CHECKING

from kbackend.callbacks.base import Callback, Logs
from kbackend.callbacks.checkpoints import BackupAndRestore, ModelCheckpoint, OrbaxCheckpoint
from kbackend.callbacks.history import History
from kbackend.callbacks.listeners import CallbackList
from kbackend.callbacks.progress import ProgbarLogger
from kbackend.callbacks.stopping import EarlyStopping, TerminateOnNaN
from kbackend.ground.late import late as _late
from kbackend.ground.suggest import suggest_in as _suggest_in

if TYPE_CHECKING:
    from kbackend.callbacks.averages import BaseLogger, SwapEMAWeights
    from kbackend.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
    from kbackend.callbacks.records import CSVLogger, RemoteMonitor
    from kbackend.callbacks.simple import LambdaCallback
    from kbackend.callbacks.tensorboard import TensorBoard

__getattr__, __dir__ = _late(
    __name__,
    {
        "averages": "BaseLogger SwapEMAWeights",
        "rates": "LearningRateScheduler ReduceLROnPlateau",
        "records": "CSVLogger RemoteMonitor",
        "simple": "LambdaCallback",
        "tensorboard": "TensorBoard",
    },
)

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

_suggest_in(__name__)
