"""Configurations of the layers that prepare numbers and images in the graph."""

from layers.table import Bad, Row

NO_DERIVATIVE = dict(gradient=False)
COPIES = dict(keras="it computes with copies of its weights, made when they are adapted")
IN_FLOAT32 = dict(keras="its TensorFlow resizes in float32 alone")
IMAGE = (6, 5, 2)

ROWS = [
    Row("Rescaling", dict(scale=0.5), (3,)),
    Row("Rescaling", dict(scale=2, offset=-1.0), (2, 3), masked=True),
    Row("Rescaling", dict(scale=[0.5, 1.0, 2.0], offset=[0.0, 1.0, 2.0]), (None, 3),
        keras="lists are arguments of ours"),
    Row("Normalization", {}, (3,), **COPIES),
    Row("Normalization", dict(axis=(1, 2)), (2, 3), masked=True, **COPIES),
    Row("Normalization", dict(axis=None), (2, 3), **COPIES),
    Row("Normalization", dict(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.25]), (2, 3)),
    Row("Normalization", dict(mean=2.0, variance=0.5, invert=True), (None, 3)),
    Row("Normalization", dict(axis=(1, -1), mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]), (2, 3)),
    Row("Discretization", dict(bin_boundaries=[-0.5, 0.0, 1.0]), (4,), **NO_DERIVATIVE),
    Row("Discretization", dict(bin_boundaries=[-0.5, 0.0, 1.0], output_mode="one_hot"), (4,), **NO_DERIVATIVE),
    Row("Discretization", dict(bin_boundaries=[-0.5, 0.0], output_mode="multi_hot"), (4,), **NO_DERIVATIVE),
    Row("Discretization", dict(bin_boundaries=[-0.5, 0.0], output_mode="count"), (4,), **NO_DERIVATIVE),
    Row("CategoryEncoding", dict(num_tokens=5), (4,), values=5),
    Row("CategoryEncoding", dict(num_tokens=5, output_mode="count"), (4,), values=5),
    Row("CategoryEncoding", dict(num_tokens=5, output_mode="one_hot"), (4,), values=5),
    Row("CategoryEncoding", dict(num_tokens=5, output_mode="one_hot"), (1,), values=5),
    Row("Resizing", dict(height=3, width=4), IMAGE, **IN_FLOAT32),
    Row("Resizing", dict(height=8, width=7, interpolation="nearest"), IMAGE),
    Row("Resizing", dict(height=3, width=3, crop_to_aspect_ratio=True), IMAGE, **IN_FLOAT32),
    Row("Resizing", dict(height=4, width=6, pad_to_aspect_ratio=True, fill_value=0.5), IMAGE, **IN_FLOAT32),
    Row("Resizing", dict(height=3, width=2, antialias=True), IMAGE, **IN_FLOAT32),
    Row("CenterCrop", dict(height=3, width=2), IMAGE),
    Row("CenterCrop", dict(height=6, width=5), IMAGE),
    Row("CenterCrop", dict(height=8, width=3), IMAGE, **IN_FLOAT32),

    Row("Rescaling", dict(scale=1 / 3, offset=0.25), (2, 3, 1)),
    Row("Normalization", dict(mean=[0.0, 1.0], variance=[1.0, 2.0]), (3, 2)),
    Row("Discretization", dict(bin_boundaries=[0.0]), (2, 3), **NO_DERIVATIVE),
    Row("CategoryEncoding", dict(num_tokens=4, output_mode="multi_hot"), (None,), values=4),
    Row("Resizing", dict(height=2, width=10, interpolation="nearest", data_format="channels_last"), IMAGE),
    Row("CenterCrop", dict(height=2, width=5), IMAGE),
]

BAD = [
    Bad("Rescaling", dict(scale="half"), (3,), "scale must be a number or a list of numbers, it is 'half'"),
    Bad("Normalization", dict(mean=1.0), (3,), "give both mean and variance, or none"),
    Bad("Normalization", dict(mean=[1.0], variance=[1.0, 2.0]), (3,), "must have one shape"),
    Bad("Normalization", dict(axis=3), (3,), "axis is (3,), the input has the shape (None, 3)"),
    Bad("Normalization", {}, (3, None), "must be known"),
    Bad("Discretization", {}, (3,), "give bin_boundaries, or num_bins"),
    Bad("Discretization", dict(num_bins=3), (3,), "it has no boundaries yet; call adapt(data) first"),
    Bad("Discretization", dict(bin_boundaries=[1.0, 0.0]), (3,), "bin_boundaries must rise"),
    Bad("Discretization", dict(bin_boundaries=[1.0], sparse=True), (3,), "sparse=True is not supported"),
    Bad("CategoryEncoding", {}, (3,), "num_tokens must be a positive integer, it is None"),
    Bad("CategoryEncoding", dict(num_tokens=3, output_mode="int"), (3,), "output_mode must be one of one_hot"),
    Bad("Resizing", dict(height=0, width=2), IMAGE, "height must be a positive integer, it is 0"),
    Bad("Resizing", dict(height=2, width=2, interpolation="cubic"), IMAGE, "interpolation must be one of"),
    Bad("Resizing", dict(height=2, width=2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), IMAGE, "only one of"),
    Bad("CenterCrop", dict(height=2, width=2, data_format="channels_last"), (None, 5, 2), "images need a known size"),
]
