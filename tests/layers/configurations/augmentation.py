"""Configurations of layers that change images in training; what they draw is in tests/layers/preprocessing."""

from layers.table import Row

IMAGE = (5, 4, 3)
UNIT = dict(value_range=(0.0, 1.0))
ARGUMENTS = {
    "AutoContrast": ({}, UNIT, dict(value_range=(-1.0, 1.0))),
    "MixUp": ({}, dict(alpha=0.4), dict(alpha=0.2, seed=2)),
    "CutMix": ({}, dict(factor=0.5), dict(factor=(0.2, 0.8), seed=2)),
    "RandomBrightness": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomColorDegeneration": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomColorJitter": (dict(**UNIT), dict(brightness_factor=0.1, hue_factor=0.2), dict(contrast_factor=0.2, seed=2)),
    "RandomContrast": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomCrop": (dict(height=3, width=2), dict(height=5, width=4), dict(height=4, width=3, seed=2)),
    "RandomErasing": (dict(factor=0.5), dict(factor=1.0, fill_value=0.5, **UNIT), dict(scale=(0.1, 0.2), seed=2)),
    "RandomFlip": ({}, dict(mode="horizontal"), dict(mode="vertical", seed=2)),
    "RandomGaussianBlur": (dict(kernel_size=3), dict(sigma=(0.4, 0.9), **UNIT), dict(factor=0.5, seed=2)),
    "RandomGrayscale": ({}, dict(factor=1.0), dict(factor=0.2, seed=2)),
    "RandomHue": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomInvert": ({}, dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomPosterization": (dict(factor=3), dict(factor=4, **UNIT), dict(factor=5, seed=2)),
    "RandomRotation": (dict(factor=0.2), dict(factor=(-0.1, 0.3), fill_mode="nearest"),
                       dict(factor=0.5, interpolation="nearest", seed=2)),
    "RandomSaturation": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomSharpness": (dict(factor=0.2), dict(factor=(0.1, 0.3), **UNIT), dict(factor=0.5, seed=2)),
    "RandomShear": (dict(x_factor=0.2), dict(y_factor=0.3, fill_mode="constant"), dict(x_factor=(0.1, 0.2), seed=2)),
    "RandomTranslation": (dict(height_factor=0.2, width_factor=0.1), dict(height_factor=0.1, width_factor=0.2,
                          fill_mode="wrap"), dict(height_factor=(0.1, 0.2), width_factor=0.0, seed=2)),
    "RandomZoom": (dict(height_factor=0.2), dict(height_factor=0.1, width_factor=0.2, fill_mode="constant"),
                   dict(height_factor=(0.1, 0.2), seed=2)),
    "Solarization": ({}, dict(addition_factor=0.1, **UNIT), dict(threshold_factor=0.2, seed=2)),
}  # fmt: skip
#: against its documentation
WHOLE = {"RandomCrop": "it leaves images whole outside of training"}
ROWS = [
    Row(layer, arguments, IMAGE, masked=place == 1,
        keras="Keras drops the mask" if place == 1 else WHOLE.get(layer, True))
    for layer, each in ARGUMENTS.items()
    for place, arguments in enumerate(each)
]
