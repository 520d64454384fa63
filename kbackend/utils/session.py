"""Settings of the process, and questions about tensors."""

from __future__ import annotations

import gc
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import dtypes
from kbackend.config import floatx
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import ancestors
from kbackend.streams import set_seed


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and kbackend's random numbers, and the generators of the engines that are loaded.

    Args:
        seed: an integer in [0, 2**32).

    >>> from kbackend import K, utils
    >>> utils.set_random_seed(3)
    >>> first = K.eval(K.random_uniform((2,)))
    >>> utils.set_random_seed(3)
    >>> bool((K.eval(K.random_uniform((2,))) == first).all())
    True
    """
    random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Reset the counters of names and the learning phase; see ``K.clear_session``.

    Args:
        free_memory: whether objects that nothing refers to are removed at once.

    >>> from kbackend import utils
    >>> utils.clear_session()
    """
    K.clear_session()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """Whether a value is a symbolic tensor.

    Args:
        x: any value.

    >>> from kbackend import Input, utils
    >>> utils.is_keras_tensor(Input((2,))), utils.is_keras_tensor([1.0])
    (True, False)
    """
    return isinstance(x, Tensor)


def get_source_inputs(tensor: Tensor) -> list[Tensor]:
    """The placeholders that a tensor depends on.

    Args:
        tensor: a symbolic tensor of any shape.

    >>> from kbackend import Input, K, utils
    >>> x = Input((2,), name="x")
    >>> [t.name for t in utils.get_source_inputs(K.tanh(x) + 1)]
    ['x']
    """
    nodes = ancestors([tensor])
    return [output for node in nodes if node.op.role is Role.PLACEHOLDER for output in node.outputs]


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype, floatx for None.

    Args:
        dtype: a name, a NumPy dtype or type, an engine's dtype, or None.

    >>> import numpy as np
    >>> from kbackend import utils
    >>> utils.standardize_dtype(np.int64), utils.standardize_dtype(None)
    ('int64', 'float32')
    """
    return floatx() if dtype is None else dtypes.canonical(dtype)


class Config:
    """Settings as attributes and as entries, which can be fixed.

    Args:
        **kwargs: the settings.

    >>> from kbackend.utils import Config
    >>> config = Config(units=3)
    >>> config.rate = 0.1
    >>> config.freeze().as_dict()
    {'units': 3, 'rate': 0.1}
    """

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__["_values"] = dict(kwargs)
        self.__dict__["_frozen"] = False

    def freeze(self) -> Config:
        """Allow no changes from now on."""
        self.__dict__["_frozen"] = True
        return self

    def unfreeze(self) -> Config:
        """Allow changes again."""
        self.__dict__["_frozen"] = False
        return self

    def as_dict(self) -> dict[str, Any]:
        return dict(self._values)

    def to_json(self) -> str:
        return json.dumps(self._values)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def keys(self) -> Any:
        return self._values.keys()

    def values(self) -> Any:
        return self._values.values()

    def items(self) -> Any:
        return self._values.items()

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name not in values:
            raise AttributeError(f"there is no setting {name!r}; there are {', '.join(values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self._check()
        del self._values[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._check()
        self._values[name] = value

    def _check(self) -> None:
        if self._frozen:
            raise ValueError("the settings are fixed; call unfreeze() first")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{k}={v!r}' for k, v in self._values.items())})"


class FeatureSpace:
    """Keras's tables of features, which kbackend does not have.

    Args:
        features, output_mode, crosses, crossing_dim, hashing_dim, num_discretization_bins, name: as in Keras 3,
            without effect.

    Raises:
        NotImplementedError: always; the message says what to use.
    """

    def __init__(
        self,
        features: Any,
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        raise NotImplementedError(
            "FeatureSpace is not there; prepare columns with pandas or scikit-learn (ColumnTransformer), and give the "
            "model an Input for each column or one for the joined array"
        )
