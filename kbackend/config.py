"""Settings of the process: floatx, epsilon, image_data_format; the config file and environment variables.

Order of precedence: a call in the program, an environment variable, ``~/.kbackend/config.json``, the default.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")
_KNOWN_KEYS = {"floatx", "epsilon", "image_data_format", "backend", "device", "rng", "deterministic", "threads"}


class ConfigError(ValueError):
    """The config file exists but cannot be used."""


def config_path() -> Path:
    """The config file: ``$KBACKEND_HOME/config.json``, else ``~/.kbackend/config.json``."""
    home = os.environ.get("KBACKEND_HOME")
    return (Path(home) if home else Path.home() / ".kbackend") / "config.json"


def read_config_file() -> dict[str, Any]:
    """The settings in the config file, {} when there is none.

    Raises:
        ConfigError: the file is not a JSON object or holds an unknown key.
    """
    path = config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} must hold a JSON object, it holds {type(settings).__name__}")
    unknown = sorted(set(settings) - _KNOWN_KEYS)
    if unknown:
        raise ConfigError(f"{path}: unknown settings {unknown}; known are {sorted(_KNOWN_KEYS)}")
    return settings


class _Settings:
    """Read once, on first use, so that importing kbackend touches no file."""

    def __init__(self) -> None:
        self._values: dict[str, Any] | None = None

    def _load(self) -> dict[str, Any]:
        if self._values is None:
            file = read_config_file()
            self._values = {
                "floatx": _checked_floatx(file.get("floatx", "float32")),
                "epsilon": float(file.get("epsilon", 1e-7)),
                "image_data_format": _checked_data_format(file.get("image_data_format", "channels_last")),
            }
        return self._values

    def __getitem__(self, key: str) -> Any:
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._load()[key] = value
        changes[0] += 1


#: how often a setting of the process has changed; what was worked out before holds no longer
changes = [0]
_settings = _Settings()


def floatx() -> str:
    """The default float type, as a string.

    >>> from kbackend import K
    >>> K.floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(floatx: str) -> None:
    """Set the default float type: 'float16', 'bfloat16', 'float32' or 'float64'.

    Args:
        floatx: one of these names.

    Raises:
        ValueError: another value.

    >>> from kbackend import K
    >>> K.set_floatx("float64")
    >>> K.placeholder((2,)).dtype
    'float64'
    >>> K.set_floatx("float32")
    """
    _settings["floatx"] = _checked_floatx(floatx)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite; 1e-7 unless set.

    >>> from kbackend import K
    >>> K.epsilon()
    1e-07
    """
    return _settings["epsilon"]


def set_epsilon(e: float) -> None:
    """Set the value of :func:`epsilon`.

    Args:
        e: a number, added by losses and norms where they divide or take a logarithm.

    >>> from kbackend import K
    >>> K.set_epsilon(1e-5)
    >>> K.epsilon()
    1e-05
    >>> K.set_epsilon(1e-7)
    """
    _settings["epsilon"] = float(e)


def image_data_format() -> str:
    """The default layout of images: 'channels_last' (default) or 'channels_first'.

    >>> from kbackend import K
    >>> K.image_data_format()
    'channels_last'
    """
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images.

    Args:
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first' (batch, channels, rows,
            columns).

    Raises:
        ValueError: neither 'channels_last' nor 'channels_first'.

    >>> from kbackend import K
    >>> K.set_image_data_format("channels_first")
    >>> K.image_data_format()
    'channels_first'
    >>> K.set_image_data_format("channels_last")
    """
    _settings["image_data_format"] = _checked_data_format(data_format)


def normalize_data_format(value: str | None) -> str:
    """``value``, or the default layout when it is None, checked.

    Args:
        value: 'channels_last', 'channels_first', or None for the default.

    Raises:
        ValueError: neither 'channels_last' nor 'channels_first'.

    >>> from kbackend import K
    >>> K.normalize_data_format(None)
    'channels_last'
    """
    return image_data_format() if value is None else _checked_data_format(value)


def _checked_floatx(value: Any) -> str:
    if value not in FLOAT_TYPES:
        raise ValueError(f"unknown floatx {value!r}; choose one of {', '.join(FLOAT_TYPES)}")
    return str(value)


def _checked_data_format(value: Any) -> str:
    lowered = value.lower() if isinstance(value, str) else value
    if lowered not in ("channels_last", "channels_first"):
        raise ValueError(f"unknown data_format {value!r}; choose 'channels_last' or 'channels_first'")
    return str(lowered)
