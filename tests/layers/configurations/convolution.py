"""Configurations of convolutions."""

from layers.table import Bad, Row

ROWS = [
    Row("Conv1D", dict(filters=3, kernel_size=2), (5, 2)),
    Row("Conv1D", dict(filters=2, kernel_size=3, padding="causal", dilation_rate=2), (6, 3)),
    Row("Conv1D", dict(filters=4, kernel_size=3, strides=2, padding="same", groups=2), (None, 2)),
    Row("Conv2D", dict(filters=3, kernel_size=2), (4, 5, 2)),
    Row("Conv2D", dict(filters=4, kernel_size=(3, 2), strides=(2, 1), padding="same", activation="tanh"), (5, 4, 3)),
    Row("Conv2D", dict(filters=4, kernel_size=(2, 3), dilation_rate=2, use_bias=False), (6, 5, 2)),
    Row("Conv2D", dict(filters=6, kernel_size=2, groups=2), (3, 4, 4)),
]

BAD = [
    Bad("Conv2D", dict(filters=0, kernel_size=2), (4, 5, 2), "filters must be a positive integer, it is 0"),
    Bad("Conv2D", dict(filters=2, kernel_size=2, padding="full"), (4, 5, 2), "padding must be one of valid, same"),
    Bad("Conv2D", dict(filters=2, kernel_size=(2, 2, 2)), (4, 5, 2), "kernel_size must be an integer or 2"),
    Bad("Conv2D", dict(filters=3, kernel_size=2, groups=2), (4, 5, 2), "must be a multiple of groups"),
    Bad("Conv2D", dict(filters=3, kernel_size=2), (5, 2), "rank 4"),
    Bad("Conv2D", dict(filters=3, kernel_size=5), (4, 5, 2), "does not fit"),
]
