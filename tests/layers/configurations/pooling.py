"""Configurations of pooling layers."""

from layers.table import Bad, Row

#: Keras's gradient of the adaptive maximum is what was in the memory
PLANES = {"Max": dict(keras_gradient="it is not initialized"), "Average": {}}
#: TensorFlow's kernels over volumes know float32 only, and Keras's adaptive maximum ends the process in one of them
VOLUMES = {"Max": dict(keras="it ends the process"), "Average": dict(keras_dtype="float32")}

WINDOWS = [
    row
    for kind in ("Max", "Average")
    for row in (
        Row(f"{kind}Pooling1D", dict(pool_size=2), (5, 3)),
        Row(f"{kind}Pooling1D", dict(pool_size=3, strides=1, padding="same"), (4, 2)),
        Row(f"{kind}Pooling1D", dict(pool_size=3, strides=2), (None, 2)),
        Row(f"{kind}Pooling2D", dict(pool_size=2), (4, 5, 2)),
        Row(f"{kind}Pooling2D", dict(pool_size=(2, 3), strides=1, padding="same"), (4, 5, 2)),
        Row(f"{kind}Pooling2D", dict(pool_size=3, strides=2), (None, 7, 2)),
        Row(f"{kind}Pooling2D", dict(pool_size=(1, 2), strides=(2, 1), padding="same"), (5, 3, 2)),
        Row(f"{kind}Pooling3D", dict(pool_size=2), (2, 4, 3, 2), keras_dtype="float32"),
        Row(f"{kind}Pooling3D", dict(pool_size=(1, 2, 3), strides=1, padding="same"), (2, 3, 4, 1),
            keras_dtype="float32"),
        Row(f"{kind}Pooling3D", dict(pool_size=2, strides=(1, 2, 1)), (2, 5, 3, 2), keras_dtype="float32"),
    )
]
WHOLE = [
    row
    for kind in ("Max", "Average")
    for rank, shape in enumerate([(4, 3), (3, 4, 2), (2, 3, 4, 2)], 1)
    for row in (
        Row(f"Global{kind}Pooling{rank}D", {}, shape),
        Row(f"Global{kind}Pooling{rank}D", dict(keepdims=True), shape),
        Row(f"Global{kind}Pooling{rank}D", {}, (None, *shape[1:])),
    )
]
ADAPTIVE = [
    row
    for kind in ("Max", "Average")
    for row in (
        Row(f"Adaptive{kind}Pooling1D", dict(output_size=3), (7, 2), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling1D", dict(output_size=1), (4, 3), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling1D", dict(output_size=5), (5, 2), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling2D", dict(output_size=(2, 3)), (5, 4, 2), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling2D", dict(output_size=2), (4, 6, 1), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling2D", dict(output_size=(1, 4)), (3, 5, 2), **PLANES[kind]),
        Row(f"Adaptive{kind}Pooling3D", dict(output_size=(1, 2, 3)), (2, 3, 4, 2), **VOLUMES[kind]),
        Row(f"Adaptive{kind}Pooling3D", dict(output_size=2), (3, 2, 4, 1), **VOLUMES[kind]),
        Row(f"Adaptive{kind}Pooling3D", dict(output_size=1), (2, 3, 2, 2), **VOLUMES[kind]),
    )
]
ROWS = [
    *WINDOWS,
    *WHOLE,
    *ADAPTIVE,
    Row("GlobalAveragePooling1D", {}, (4, 3), masked=True),
    Row("GlobalAveragePooling1D", dict(keepdims=True), (None, 3), masked=True),

    *(Row(f"{kind}Pooling{rank}D", dict(pool_size=size, strides=strides, padding=padding), shape,
          keras_dtype="float32" if rank == 3 else "float64")
      for kind in ("Max", "Average")
      for rank, shape in enumerate([(7, 2), (5, 4, 1), (3, 4, 2, 1)], 1)
      for size, strides, padding in ((2, None, "same"), (1, 2, "valid"))),
    *(Row(f"Global{kind}Pooling{rank}D", dict(keepdims=True), (None, *shape))
      for kind in ("Max", "Average") for rank, shape in enumerate([(2,), (3, 2), (3, 2, 1)], 1)),
]

BAD = [
    Bad("MaxPooling1D", dict(pool_size=0), (4, 2), "pool_size must be a positive integer, it is 0"),
    Bad("MaxPooling1D", dict(padding="causal"), (4, 2), "padding must be one of valid, same"),
    Bad("MaxPooling1D", {}, (4, 3, 2), "rank 3"),
    Bad("MaxPooling2D", dict(pool_size=6), (4, 5, 2), "does not fit"),
    Bad("MaxPooling2D", dict(strides=-1), (4, 5, 2), "strides must be a positive integer, it is -1"),
    Bad("AveragePooling2D", dict(data_format="last"), (4, 5, 2), "data_format"),
    Bad("AveragePooling3D", dict(pool_size=(1, 2)), (3, 4, 5, 2), "pool_size must be an integer or 3"),
    Bad("GlobalMaxPooling1D", {}, (3,), "rank 3"),
    Bad("GlobalAveragePooling2D", {}, (3, 4), "rank 4"),
    Bad("AdaptiveAveragePooling1D", dict(output_size=0), (4, 2), "output_size must be a positive integer"),
    Bad("AdaptiveMaxPooling2D", dict(output_size=2), (None, 4, 2), "known spatial sizes"),
]
