"""All op declarations, a file a family. Importing this package imports no engine."""

from kbackend.ops import (  # noqa: F401
    activation,
    control,
    convolution,
    creation,
    dropout,
    elementwise,
    foreign,
    linear,
    losses,
    normalization,
    operators,
    optimizing,
    quantile,
    random,
    ranking,
    recurrent,
    reduction,
    shaping,
    state,
    transposed,
)
