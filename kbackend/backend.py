"""The K namespace: every function of the classic Keras backend, on any engine. ``kbackend.K`` is this module.

Calling the module, ``kbackend.backend()``, gives the name of the active backend, as ``K.backend()`` does.
"""

from __future__ import annotations

import sys
from types import ModuleType

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
from kbackend.ops import api as _api
from kbackend.ops.activation import (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    linear,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
)
from kbackend.ops.batched import batch_dot
from kbackend.ops.control import cond, control_dependencies, print_tensor, switch, while_loop
from kbackend.ops.convolution import (
    bias_add,
    conv1d,
    conv2d,
    conv3d,
    depthwise_conv2d,
    pool2d,
    pool3d,
    separable_conv1d,
    separable_conv2d,
)
from kbackend.ops.creation import (
    arange,
    count_params,
    dtype,
    eye,
    full,
    int_shape,
    is_keras_tensor,
    is_placeholder,
    is_sparse,
    is_tensor,
    is_variable,
    linspace,
    ndim,
    ones,
    ones_like,
    to_dense,
    zeros,
    zeros_like,
)
from kbackend.ops.ctc import ctc_batch_cost, ctc_decode
from kbackend.ops.dropout import dropout
from kbackend.ops.elementwise import abs_ as abs
from kbackend.ops.elementwise import (
    acos,
    add,
    and_,
    asin,
    atan,
    atan2,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    cast,
    cast_to_floatx,
    ceil,
    clip,
    cos,
    cosh,
    divide,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    identity,
    invert,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    or_,
    reciprocal,
    rsqrt,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tan,
    tanh,
    where,
    xor,
)
from kbackend.ops.elementwise import pow_ as pow
from kbackend.ops.elementwise import round_ as round
from kbackend.ops.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from kbackend.ops.function import batch_get_value, batch_set_value, eval, function, get_value, set_value
from kbackend.ops.image import resize_images, resize_volumes
from kbackend.ops.indexing import gather, getitem, one_hot, take_along_axis
from kbackend.ops.indexing import slice_ as slice
from kbackend.ops.linear import dense, dot, matmul
from kbackend.ops.local import local_conv1d, local_conv2d
from kbackend.ops.loops import foldl, foldr, map_fn, rnn, scan
from kbackend.ops.losses import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from kbackend.ops.normalization import batch_normalization, moments, normalize_batch_in_training
from kbackend.ops.phase import (
    clear_session,
    get_uid,
    in_test_phase,
    in_train_phase,
    learning_phase,
    learning_phase_scope,
    reset_uids,
    set_learning_phase,
)
from kbackend.ops.random import (
    random_bernoulli,
    random_binomial,
    random_normal,
    random_normal_variable,
    random_uniform,
    random_uniform_variable,
    truncated_normal,
)
from kbackend.ops.ranking import in_top_k, top_k
from kbackend.ops.recurrent import gru, lstm, simple_rnn
from kbackend.ops.reduction import all_ as all
from kbackend.ops.reduction import any_ as any
from kbackend.ops.reduction import (
    argmax,
    argmin,
    cumprod,
    cumsum,
    l2_normalize,
    logsumexp,
    mean,
    norm,
    prod,
    std,
    var,
)
from kbackend.ops.reduction import max_ as max
from kbackend.ops.reduction import min_ as min
from kbackend.ops.reduction import sum_ as sum
from kbackend.ops.sessions import eager, get_session, manual_variable_initialization, set_session, symbolic
from kbackend.ops.shaping import (
    batch_flatten,
    broadcast_to,
    concatenate,
    expand_dims,
    flatten,
    pad,
    permute_dimensions,
    repeat,
    repeat_elements,
    reshape,
    reverse,
    shape,
    size,
    spatial_2d_padding,
    spatial_3d_padding,
    split,
    squeeze,
    stack,
    temporal_padding,
    tile,
    transpose,
    unstack,
)
from kbackend.ops.sparse import ctc_label_dense_to_sparse
from kbackend.ops.state import (
    constant,
    gradients,
    moving_average_update,
    placeholder,
    update,
    update_add,
    update_sub,
    variable,
)
from kbackend.ops.streams import get_seed, set_seed
from kbackend.ops.transposed import conv2d_transpose, conv3d_transpose
from kbackend.plugin.precision import matmul_precision, set_matmul_precision
from kbackend.plugin.select import backend, device

for _name in _api.__all__:  # where K has another meaning of a name, K keeps it
    globals().setdefault(_name, getattr(_api, _name))


class _CallableModule(ModuleType):
    def __call__(self) -> str:
        return backend()


sys.modules[__name__].__class__ = _CallableModule
