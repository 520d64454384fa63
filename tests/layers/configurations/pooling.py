"""Configurations of pooling layers."""

from layers.table import Bad, Row

ROWS = [
    Row("MaxPooling2D", {}, (4, 5, 2)),
    Row("MaxPooling2D", dict(pool_size=(2, 3), strides=1, padding="same"), (4, 5, 2)),
    Row("MaxPooling2D", dict(pool_size=3, strides=2), (None, 7, 2)),
    Row("AveragePooling2D", dict(pool_size=2), (4, 5, 2)),
    Row("AveragePooling2D", dict(pool_size=(2, 3), strides=1, padding="same"), (4, 5, 2)),
    Row("AveragePooling2D", dict(pool_size=3, strides=2), (None, 7, 2)),
    Row("GlobalAveragePooling1D", {}, (4, 3)),
    Row("GlobalAveragePooling1D", dict(keepdims=True), (4, 3), masked=True),
    Row("GlobalAveragePooling1D", {}, (None, 3), masked=True),
]

BAD = [
    Bad("MaxPooling2D", dict(pool_size=0), (4, 5, 2), "pool_size must be a positive integer, it is 0"),
    Bad("MaxPooling2D", dict(padding="causal"), (4, 5, 2), "padding must be one of valid, same"),
    Bad("MaxPooling2D", dict(pool_size=6), (4, 5, 2), "does not fit"),
]
