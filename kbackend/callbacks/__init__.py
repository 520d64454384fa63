"""Callbacks: objects that are told what happens during training."""

from kbackend.callbacks.base import Callback, CallbackList, Logs
from kbackend.callbacks.history import History
from kbackend.callbacks.progress import ProgbarLogger
from kbackend.callbacks.simple import LambdaCallback, LearningRateScheduler
from kbackend.callbacks.stopping import EarlyStopping, TerminateOnNaN
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "ProgbarLogger",
    "TerminateOnNaN",
]

_suggest_in(__name__)
