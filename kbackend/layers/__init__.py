"""All layers, a folder or file a family; each module lists its public names in ``__all__``."""

from __future__ import annotations

from types import ModuleType as _ModuleType

from kbackend.ground.collector import collector_at_rest as _collector_at_rest
from kbackend.ground.suggest import suggest_in as _suggest_in

with _collector_at_rest(lasting=True):
    from kbackend.layers import legacy
    from kbackend.layers.activation import *
    from kbackend.layers.attention import *
    from kbackend.layers.base.input import Input, InputLayer
    from kbackend.layers.base.layer import Layer
    from kbackend.layers.base.serialization import deserialize, serialize
    from kbackend.layers.base.spec import InputSpec
    from kbackend.layers.convolution import *
    from kbackend.layers.core import *
    from kbackend.layers.legacy import *
    from kbackend.layers.merge import *
    from kbackend.layers.normalization import *
    from kbackend.layers.pooling import *
    from kbackend.layers.preprocessing import *
    from kbackend.layers.recurrent import *
    from kbackend.layers.regularization import *
    from kbackend.layers.reshaping import *
    from kbackend.layers.wrapper import *


def built_in() -> dict[str, type[Layer]]:
    """The classes of layers by name.

    >>> from kbackend import layers
    >>> layers.built_in()["Dense"]
    <class 'kbackend.layers.core.dense.Dense'>
    """
    return {k: v for k, v in globals().items() if isinstance(v, type) and issubclass(v, Layer)}


def _forget_modules() -> None:
    """Remove the modules of families, which ``import *`` brings along with their names."""
    for name, value in list(globals().items()):
        if isinstance(value, _ModuleType) and value.__name__ != f"{__name__}.{name}":
            del globals()[name]


_forget_modules()
legacy.accept(built_in())
_suggest_in(__name__)
