"""``kbackend convert``: a model from one file format to another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kbackend.ground.files import write_atomically
from kbackend.tools.arguments import file_name
from kbackend.tools.files import MODELS, STRUCTURES, WEIGHTS, is_weights, read_model

#: end of the name -> format of :meth:`kbackend.Model.export`
_EXPORTS = {".py": "python", ".onnx": "onnx", ".pt2": "torch_export", ".tflite": "tflite"}
_FORMATS = (*_EXPORTS.values(), "tf_saved_model")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = (
        "The end of a name tells its format. Read: .kb, .keras, .h5 (Keras 1 to 3), .json and .yaml (structure), and "
        "with --into .weights.h5 and .safetensors. Written: these, and programs without kbackend: .py (NumPy, torch "
        "or TensorFlow), .onnx, .pt2 (torch.export), .tflite, and with --format tf_saved_model a folder."
    )
    parser.add_argument("source", type=file_name, help="the file that is read")
    parser.add_argument("target", type=file_name, help="the file that is written")
    parser.add_argument("--into", type=file_name, metavar="MODEL", help="the model that weights in SOURCE belong to")
    parser.add_argument("--format", choices=_FORMATS, help="where the end of the name of TARGET does not tell it")
    parser.add_argument("--engine", help="whose kernels an exported program uses")
    parser.add_argument("--overwrite", action="store_true", help="replace TARGET if it exists")


def run(options: argparse.Namespace) -> int:
    """Read, write and say what was written."""
    source, target = options.source, options.target
    write = _writer(target, options.format, options.engine)
    if target.exists() and not options.overwrite:
        raise ValueError(f"{target} exists; --overwrite replaces it")
    write(_read(source, options.into), target)
    print(f"{target}: {_size(target):,} bytes")
    return 0


def _read(source: Path, into: Path | None) -> Any:
    if into is None:
        return read_model(source)
    if not is_weights(source):
        raise ValueError(f"--into is for weights alone ({', '.join(WEIGHTS)}), not for {source.name}")
    model = read_model(into)
    model.load_weights(source)
    return model


def _writer(target: Path, format: str | None, engine: str | None) -> Any:
    """A function of the model and the path.

    Raises:
        ValueError: the end of the name says no format.
    """
    format = format or _EXPORTS.get(target.suffix)
    if format is not None:
        return lambda model, path: model.export(path, format, engine=engine)
    if is_weights(target):
        return lambda model, path: model.save_weights(path)
    if target.suffix == ".json":
        return lambda model, path: write_atomically(path, model.to_json(indent=2).encode())
    if target.suffix in STRUCTURES:
        return lambda model, path: write_atomically(path, model.to_yaml().encode())
    if target.suffix in MODELS:
        return lambda model, path: model.save(path)
    known = ", ".join((*MODELS, *WEIGHTS, *STRUCTURES, *_EXPORTS))
    raise ValueError(f"unknown format of {target.name!r}: the name must end in {known}, or give --format")


def _size(path: Path) -> int:
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files)
