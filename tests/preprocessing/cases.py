"""What is compared with keras-preprocessing: functions of its module, or ours, to values.

``python cases.py`` beside an installed keras-preprocessing 1.1.2 writes recorded.json.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).with_name("recorded.json")
PICTURES = np.random.RandomState(0).randint(0, 255, (5, 5, 4, 3)).astype("float32")
TEXTS = ["The cat; sat on the mat!", "the dog ate THE log's cat", ["List", "of", "the", "Words"], ""]
NEW = ["the new cat sat", ["the", "none"], "zebra", ""]

WINDOWS: list[dict[str, Any]] = [
    {}, {"sampling_rate": 2, "batch_size": 3}, {"stride": 3, "batch_size": 4, "reverse": True},
    {"start_index": 3, "end_index": 14, "batch_size": 5}, {"shuffle": True, "batch_size": 4},
]  # fmt: skip
TOKENIZERS: list[dict[str, Any]] = [
    {}, {"num_words": 4}, {"num_words": 4, "oov_token": "<o>"}, {"oov_token": "<o>"}, {"char_level": True},
    {"lower": False, "split": "a", "filters": "t"},
]  # fmt: skip
GENERATORS: list[dict[str, Any]] = [
    {
        "rotation_range": 20, "width_shift_range": 0.1, "height_shift_range": 0.2, "shear_range": 10, "zoom_range": 0.2,
        "channel_shift_range": 20.0, "horizontal_flip": True, "vertical_flip": True, "rescale": 1 / 255,
    },
    {
        "width_shift_range": 3, "height_shift_range": [1, 2], "zoom_range": (0.8, 0.9), "brightness_range": (0.2, 1.2),
        "fill_mode": "constant",
    },
    {"featurewise_center": True, "featurewise_std_normalization": True, "preprocessing_function": lambda a: a + 1},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"zca_whitening": True, "zca_epsilon": 1.0, "rescale": 0.1},
    {"data_format": "channels_first", "rotation_range": 30, "horizontal_flip": True},
]  # fmt: skip


def sequences(module: Any) -> dict[str, Any]:
    def skipgrams(**options: Any) -> Any:
        random.seed(3)
        return module.skipgrams([1, 2, 3, 0, 4, 5, 2, 1], 6, **options)

    found = {
        "table": module.make_sampling_table(8),
        "pairs": [
            skipgrams(window_size=2), skipgrams(seed=4, categorical=True, window_size=1),
            skipgrams(negative_samples=0, shuffle=False, window_size=1),
            skipgrams(sampling_table=[0.5] * 6, window_size=2, negative_samples=0.5),
        ],
    }  # fmt: skip
    series = np.arange(40).reshape(20, 2)
    for number, options in enumerate(WINDOWS):
        np.random.seed(0)
        generator = module.TimeseriesGenerator(series, np.arange(20), length=6, **options)
        found[f"windows {number}"] = [generator[i] for i in range(len(generator))]
    return found


def texts(module: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "hashes": module.hashing_trick("the cat the mat", 100, "md5"),
        "words": module.text_to_word_sequence("aXbXc,d", split="X", lower=False),
    }
    for number, options in enumerate(TOKENIZERS):
        tokenizer = module.Tokenizer(**options)
        tokenizer.fit_on_texts(TEXTS)
        rows = tokenizer.texts_to_sequences(NEW)
        tables = [tokenizer.word_counts, tokenizer.word_docs, tokenizer.index_docs, tokenizer.word_index]
        back = tokenizer.sequences_to_texts([*rows, [1, 2, 99, 3]])
        matrices = [tokenizer.texts_to_matrix(NEW[:2], mode) for mode in ("binary", "count", "freq", "tfidf")]
        config = json.loads(module.tokenizer_from_json(tokenizer.to_json()).to_json())
        config["config"] = {k: json.loads(v) if str(v).startswith("{") else v for k, v in config["config"].items()}
        found[f"tokenizer {number}"] = [*map(dict, tables), rows, back, matrices, config]
    return found


def pictures(module: Any) -> dict[str, Any]:
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    changes = {
        "rotation": lambda: module.random_rotation(PICTURES[0], 30, **axes),
        "shift": lambda: module.random_shift(PICTURES[0], 0.2, 0.3, 0, 1, 2, fill_mode="constant", cval=3.0),
        "shear": lambda: module.random_shear(PICTURES[0], 20, 0, 1, 2, fill_mode="reflect"),
        "zoom": lambda: module.random_zoom(PICTURES[0], (0.7, 1.4), 0, 1, 2, fill_mode="wrap"),
        "brightness": lambda: module.random_brightness(PICTURES[0], (0.3, 0.9)),
        "channels": lambda: module.random_channel_shift(PICTURES[0], 40.0, 2),
        "affine": lambda: module.apply_affine_transform(PICTURES[0], 20, 1, 2, 5, 0.9, 1.1),
    }
    found: dict[str, Any] = {}
    for name, change in changes.items():
        np.random.seed(1)
        found[name] = change()
    for number, options in enumerate(GENERATORS):
        data = PICTURES.transpose(0, 3, 1, 2) if "data_format" in options else PICTURES
        generator = module.ImageDataGenerator(**options)
        generator.fit(data, augment=number == 2, rounds=2, seed=5)
        batches = generator.flow(data, np.arange(5), batch_size=3, seed=7, sample_weight=np.arange(5.0))
        found[f"flow {number}"] = [next(batches) for _ in range(3)]
        found[f"drawn {number}"] = generator.get_random_transform(data.shape[1:], seed=3)
    ordered = generator.flow((data, [np.arange(5), np.ones((5, 2))]), np.arange(5), batch_size=3, seed=7, shuffle=False)
    found["by number"] = [ordered[1], ordered[0]]
    return found


def plain(value: Any) -> Any:
    """As JSON has it, numbers to six digits."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    return float(f"{value:.6g}") if isinstance(value, float) else value


CASES = {"sequence": sequences, "text": texts, "image": pictures}

if __name__ == "__main__":
    import importlib

    found = {name: plain(case(importlib.import_module(f"keras_preprocessing.{name}"))) for name, case in CASES.items()}
    RECORDED.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
