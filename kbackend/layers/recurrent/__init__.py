"""Layers that carry a state along the steps of a sequence, their cells, and the layers around them."""

from kbackend.layers.recurrent.bidirectional import *
from kbackend.layers.recurrent.conv_lstm import *
from kbackend.layers.recurrent.cudnn import *
from kbackend.layers.recurrent.gru import *
from kbackend.layers.recurrent.lstm import *
from kbackend.layers.recurrent.rnn import *
from kbackend.layers.recurrent.simple_rnn import *
from kbackend.layers.recurrent.stacked import *
from kbackend.layers.recurrent.time_distributed import *
from kbackend.layers.spellings import accept as _accept

_accept(globals())
