"""Layers that carry a state along the steps of a sequence, their cells, and the layers around them."""

from kbackend.layers.recurrent.bidirectional import Bidirectional
from kbackend.layers.recurrent.conv_lstm import (
    ConvLSTM1D,
    ConvLSTM1DCell,
    ConvLSTM2D,
    ConvLSTM2DCell,
    ConvLSTM3D,
    ConvLSTM3DCell,
    ConvRNN2D,
)
from kbackend.layers.recurrent.cudnn import CuDNNGRU, CuDNNLSTM
from kbackend.layers.recurrent.gru import GRU, GRUCell
from kbackend.layers.recurrent.lstm import LSTM, LSTMCell
from kbackend.layers.recurrent.rnn import RNN
from kbackend.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from kbackend.layers.recurrent.stacked import StackedRNNCells
from kbackend.layers.recurrent.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM1DCell",
    "ConvLSTM2D",
    "ConvLSTM2DCell",
    "ConvLSTM3D",
    "ConvLSTM3DCell",
    "ConvRNN2D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]
