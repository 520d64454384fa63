"""The namespace ``kbackend.ops``: the functions of NumPy and Keras 3 by their names, on any engine.

Names that K has with the same meaning are the same objects. docs/guide/ops.md tells which are not.
"""

from __future__ import annotations

from kbackend.ops.activation import (
    elu,
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
from kbackend.ops.activations_more import (
    celu,
    glu,
    hard_shrink,
    hard_silu,
    hard_tanh,
    log_sigmoid,
    mish,
    relu6,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from kbackend.ops.any_rank import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    conv,
    conv_transpose,
    depthwise_conv,
    extract_sequences,
    fold,
    max_pool,
    psnr,
    separable_conv,
    unfold,
)
from kbackend.ops.arithmetic import abs_ as abs
from kbackend.ops.arithmetic import (
    add,
    divide,
    floor_divide,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    sign,
    sqrt,
    square,
    subtract,
)
from kbackend.ops.arranging import (
    flip,
    fliplr,
    flipud,
    meshgrid,
    moveaxis,
    ravel,
    roll,
    rot90,
    slice_update,
    swapaxes,
    take,
)
from kbackend.ops.attention import dot_product_attention
from kbackend.ops.bits import (
    bitwise_left_shift,
    bitwise_right_shift,
    gcd,
    lcm,
    ldexp,
    nextafter,
    signbit,
    view,
)
from kbackend.ops.choice import cast, clip, stop_gradient
from kbackend.ops.complexes import angle, complex_, conj, imag, polar, real, view_as_complex, view_as_real
from kbackend.ops.conversion import (
    array,
    convert_to_numpy,
    convert_to_tensor,
    empty,
    empty_like,
    full_like,
    get_item,
)
from kbackend.ops.creation import dtype, is_tensor, ndim, ones_like, zeros_like
from kbackend.ops.ctc import ctc_loss
from kbackend.ops.custom import custom_gradient
from kbackend.ops.decompositions import eig, eigh, lu_factor, qr, svd
from kbackend.ops.fourier import fft, fft2, ifft, ifft2, irfft, rfft
from kbackend.ops.joining import broadcast_to, stack, tile
from kbackend.ops.kinds import (
    allclose,
    copy,
    fabs,
    isclose,
    isin,
    isneginf,
    isposinf,
    isreal,
    nan_to_num,
    saturate_cast,
    trunc,
)
from kbackend.ops.layer_norm import group_normalization, layer_normalization, normalize, rms_normalization
from kbackend.ops.least_squares import lstsq, matrix_rank, pinv
from kbackend.ops.linalg import cholesky, cholesky_inverse, det, inv, logdet, slogdet, solve, solve_triangular
from kbackend.ops.linear import dot
from kbackend.ops.logic import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from kbackend.ops.losses import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from kbackend.ops.mapping import associative_scan, fori_loop, jvp, vectorize, vectorized_map
from kbackend.ops.mapping import map_ as map
from kbackend.ops.modern import (
    concatenate,
    eye,
    identity,
    linspace,
    ones,
    repeat,
    split,
    squeeze,
    switch,
    transpose,
    zeros,
)
from kbackend.ops.modern import max_ as max
from kbackend.ops.modern import min_ as min
from kbackend.ops.modern import slice_ as slice
from kbackend.ops.modern_control import cond, scan, while_loop
from kbackend.ops.modern_reductions import argmax, argmin, batch_normalization, cumprod, cumsum, moments, prod
from kbackend.ops.modern_shaping import matmul, pad, take_along_axis, unstack, where
from kbackend.ops.modern_values import (
    arange,
    ctc_decode,
    full,
    gelu,
    hard_sigmoid,
    in_top_k,
    leaky_relu,
    one_hot,
)
from kbackend.ops.modern_values import round_ as round
from kbackend.ops.nans import (
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
)
from kbackend.ops.norms import cdist, norm
from kbackend.ops.ordering import argsort, sort
from kbackend.ops.pairs import (
    arctan2,
    divide_no_nan,
    fmax,
    fmin,
    fmod,
    heaviside,
    hypot,
    logaddexp,
    logaddexp2,
    power,
    true_divide,
)
from kbackend.ops.patterns import depth_to_space, rearrange, space_to_depth
from kbackend.ops.pieces import append, array_split, dsplit, dstack, hsplit, hstack, vsplit, vstack
from kbackend.ops.products import einsum, inner, outer, tensordot, trace, vdot
from kbackend.ops.ranking import top_k
from kbackend.ops.reduction import all_ as all
from kbackend.ops.reduction import any_ as any
from kbackend.ops.reduction import logsumexp, mean, std, var
from kbackend.ops.reduction import sum_ as sum
from kbackend.ops.reshaping import expand_dims, reshape, shape, size
from kbackend.ops.scattering import (
    bincount,
    scatter,
    scatter_update,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
)
from kbackend.ops.searching import argpartition, digitize, histogram, nonzero, searchsorted, unique
from kbackend.ops.short_time import istft, stft
from kbackend.ops.special import (
    arccosh,
    arcsinh,
    arctanh,
    cbrt,
    deg2rad,
    digamma,
    erfc,
    erfinv,
    exp2,
    i0,
    lgamma,
    log2,
    log10,
    rad2deg,
    sinc,
)
from kbackend.ops.statistics import (
    average,
    count_nonzero,
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    percentile,
    ptp,
    quantile,
)
from kbackend.ops.synonyms import (
    absolute,
    amax,
    amin,
    arccos,
    arcsin,
    arctan,
    bitwise_invert,
    conjugate,
    hard_swish,
    left_shift,
    right_shift,
)
from kbackend.ops.triangles import (
    diag,
    diagflat,
    diagonal,
    diff,
    geomspace,
    logspace,
    multi_hot,
    select,
    trapezoid,
    tri,
    tril,
    triu,
    unravel_index,
)
from kbackend.ops.unary import (
    ceil,
    cos,
    cosh,
    erf,
    exp,
    expm1,
    floor,
    log,
    log1p,
    reciprocal,
    rsqrt,
    sin,
    sinh,
    tan,
    tanh,
)
from kbackend.ops.vectors import corrcoef, correlate, cross, kron, vander
from kbackend.ops.windows import bartlett, blackman, hamming, hanning, kaiser

__all__ = [
    "abs", "absolute", "adaptive_average_pool", "adaptive_max_pool", "add", "all", "allclose", "amax", "amin",
    "angle", "any", "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "argmax", "argmin", "argpartition", "argsort", "array", "array_split", "associative_scan",
    "average", "average_pool", "bartlett", "batch_normalization", "binary_crossentropy", "bincount",
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "blackman", "broadcast_to", "cast", "categorical_crossentropy", "cbrt", "cdist", "ceil",
    "celu", "cholesky", "cholesky_inverse", "clip", "complex_", "concatenate", "cond", "conj", "conjugate", "conv",
    "conv_transpose", "convert_to_numpy", "convert_to_tensor", "copy", "corrcoef", "correlate", "cos", "cosh",
    "count_nonzero", "cross", "ctc_decode", "ctc_loss", "cumprod", "cumsum", "custom_gradient", "deg2rad",
    "depth_to_space", "depthwise_conv", "det", "diag", "diagflat", "diagonal", "diff", "digamma", "digitize", "divide",
    "divide_no_nan", "dot", "dot_product_attention", "dsplit", "dstack", "dtype", "eig", "eigh", "einsum",
    "elu", "empty", "empty_like", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expand_dims", "expm1",
    "extract_sequences", "eye", "fabs", "fft", "fft2", "flip", "fliplr", "flipud", "floor", "floor_divide",
    "fmax", "fmin", "fmod", "fold", "fori_loop", "full", "full_like", "gcd", "gelu", "geomspace", "get_item",
    "glu", "greater", "greater_equal", "group_normalization", "hamming", "hanning", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "heaviside", "histogram", "hsplit", "hstack", "hypot", "i0", "identity",
    "ifft", "ifft2", "imag", "in_top_k", "inner", "inv", "irfft", "is_tensor", "isclose", "isfinite", "isin", "isinf",
    "isnan", "isneginf", "isposinf", "isreal", "istft", "jvp", "kaiser", "kron", "layer_normalization", "lcm",
    "ldexp", "leaky_relu", "left_shift", "less", "less_equal", "lgamma", "linspace", "log", "log10", "log1p", "log2",
    "log_sigmoid", "log_softmax", "logaddexp", "logaddexp2", "logdet", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "logsumexp", "lstsq", "lu_factor", "map", "matmul",
    "matrix_rank", "max", "max_pool", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mish", "mod",
    "moments", "moveaxis", "multi_hot", "multiply", "nan_to_num", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile",
    "nanstd", "nansum", "nanvar", "ndim", "negative", "nextafter", "nonzero", "norm", "normalize",
    "not_equal", "one_hot", "ones", "ones_like", "outer", "pad", "percentile", "pinv", "polar", "power",
    "prod", "psnr", "ptp", "qr", "quantile", "rad2deg", "ravel", "real", "rearrange", "reciprocal", "relu",
    "relu6", "repeat", "reshape", "rfft", "right_shift", "rms_normalization", "roll", "rot90", "round",
    "rsqrt", "saturate_cast", "scan", "scatter", "scatter_update", "searchsorted", "segment_max",
    "segment_min", "segment_prod", "segment_sum", "select", "selu", "separable_conv", "shape", "sigmoid",
    "sign", "signbit", "silu", "sin", "sinc", "sinh", "size", "slice", "slice_update", "slogdet",
    "soft_shrink", "softmax", "softplus", "softsign", "solve", "solve_triangular", "sort", "space_to_depth",
    "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax", "split", "sqrt",
    "square", "squareplus", "squeeze", "stack", "std", "stft", "stop_gradient", "subtract", "sum", "svd",
    "swapaxes", "swish", "switch", "take", "take_along_axis", "tan", "tanh", "tanh_shrink", "tensordot",
    "threshold", "tile", "top_k", "trace", "transpose", "trapezoid", "tri", "tril", "triu", "true_divide",
    "trunc", "unfold", "unique", "unravel_index", "unstack", "vander", "var", "vdot", "vectorize",
    "vectorized_map", "view", "view_as_complex", "view_as_real", "vsplit", "vstack", "where", "while_loop",
    "zeros", "zeros_like",
]

#: names beyond those of NumPy and Keras 3 that this namespace has too
BEYOND = ("complex_", "digamma", "group_normalization", "ifft", "lgamma", "mish")
