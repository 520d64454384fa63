"""The K namespace: every function of the classic Keras backend, on any engine. ``kbackend.K`` is this module.

Calling the module, ``kbackend.backend()``, gives the name of the active backend, as ``K.backend()`` does.
"""

from __future__ import annotations

import sys

from kbackend.ops import *  # isort: split

# what K has beyond kbackend.ops, and its own meaning of names that it shares
from kbackend.classic.creation import eye, ones, random_normal_variable, random_uniform_variable, zeros
from kbackend.classic.function import function
from kbackend.classic.sessions import (
    clear_session,
    eager,
    get_session,
    manual_variable_initialization,
    set_session,
    symbolic,
)
from kbackend.classic.sparse import ctc_label_dense_to_sparse, is_sparse, to_dense
from kbackend.classic.state import placeholder, variable
from kbackend.classic.values import batch_get_value, batch_set_value, eval, get_value, set_value
from kbackend.config import (
    epsilon,
    floatx,
    image_data_format,
    normalize_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from kbackend.graph.node import name_scope
from kbackend.ground.names import get_uid, reset_uids
from kbackend.ground.suggest import Suggesting
from kbackend.ops.arrays.join import concatenate_last as concatenate
from kbackend.ops.arrays.pad import spatial_2d_padding, spatial_3d_padding, temporal_padding
from kbackend.ops.arrays.ranges import classic_arange as arange
from kbackend.ops.arrays.repeat import repeat_elements
from kbackend.ops.arrays.repeat import repeat_rows as repeat
from kbackend.ops.arrays.reshape import batch_flatten, flatten
from kbackend.ops.arrays.reshape import squeeze_axis as squeeze
from kbackend.ops.arrays.transpose import classic_transpose as transpose
from kbackend.ops.arrays.transpose import permute_dimensions, reverse
from kbackend.ops.control.cond import classic_switch as switch
from kbackend.ops.control.map_fn import foldl, foldr, map_fn
from kbackend.ops.control.phase import (
    in_test_phase,
    in_train_phase,
    learning_phase,
    learning_phase_scope,
    set_learning_phase,
)
from kbackend.ops.control.print import control_dependencies, print_tensor
from kbackend.ops.core.cast import cast_to_floatx, identity
from kbackend.ops.core.gradients import gradients
from kbackend.ops.core.inspect import count_params, int_shape, is_keras_tensor, is_placeholder, is_variable
from kbackend.ops.core.inspect import int_shape as get_variable_shape
from kbackend.ops.core.leaves import constant
from kbackend.ops.core.updates import moving_average_update, update, update_add, update_sub
from kbackend.ops.elementwise.logical import and_, invert, or_, xor
from kbackend.ops.elementwise.power import pow_ as pow
from kbackend.ops.elementwise.rounding import round_half_even as round
from kbackend.ops.elementwise.trigonometric import acos, asin, atan, atan2
from kbackend.ops.image.upsample import resize_images, resize_volumes
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.getitem import classic_slice as slice
from kbackend.ops.indexing.getitem import getitem
from kbackend.ops.indexing.one_hot import classic_one_hot as one_hot
from kbackend.ops.indexing.top_k import classic_in_top_k as in_top_k
from kbackend.ops.linalg.batch_dot import batch_dot
from kbackend.ops.linalg.dense import dense
from kbackend.ops.losses.ctc import classic_ctc_decode as ctc_decode
from kbackend.ops.losses.ctc import ctc_batch_cost
from kbackend.ops.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from kbackend.ops.nn.batch_norm import classic_batch_normalization as batch_normalization
from kbackend.ops.nn.batch_norm import normalize_batch_in_training
from kbackend.ops.nn.conv import (
    bias_add,
    conv1d,
    conv2d,
    conv3d,
    depthwise_conv2d,
    separable_conv1d,
    separable_conv2d,
)
from kbackend.ops.nn.conv_local import local_conv1d, local_conv2d
from kbackend.ops.nn.conv_transpose import conv2d_transpose, conv3d_transpose
from kbackend.ops.nn.dropout import dropout
from kbackend.ops.nn.pooling import pool2d, pool3d
from kbackend.ops.nn.relu import classic_leaky_relu as leaky_relu
from kbackend.ops.nn.sigmoid import classic_gelu as gelu
from kbackend.ops.nn.sigmoid import classic_hard_sigmoid as hard_sigmoid
from kbackend.ops.nn.sigmoid import exponential, linear
from kbackend.ops.random.bernoulli import random_bernoulli, random_binomial
from kbackend.ops.random.normal import random_normal, truncated_normal
from kbackend.ops.random.uniform import random_uniform
from kbackend.ops.reduction.arg import argmax_along as argmax
from kbackend.ops.reduction.arg import argmin_along as argmin
from kbackend.ops.reduction.cumulative import cumprod_along as cumprod
from kbackend.ops.reduction.cumulative import cumsum_along as cumsum
from kbackend.ops.reduction.reductions import l2_normalize
from kbackend.ops.reduction.reductions import reduce_max as max
from kbackend.ops.reduction.reductions import reduce_min as min
from kbackend.ops.reduction.reductions import reduce_prod as prod
from kbackend.ops.rnn.gru import gru
from kbackend.ops.rnn.lstm import lstm
from kbackend.ops.rnn.rnn import rnn
from kbackend.ops.rnn.simple_rnn import simple_rnn
from kbackend.plugin.precision import matmul_precision, set_matmul_precision
from kbackend.plugin.select import backend, device
from kbackend.streams import get_seed, set_seed


class _CallableModule(Suggesting):
    def __call__(self) -> str:
        return backend()


sys.modules[__name__].__class__ = _CallableModule
