"""The dtypes of layers: in which they compute, and in which they keep their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend import config, dtypes

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
#: the names by which configurations of Keras 2 and 3 call a policy
_CLASSES = ("DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1")


class DTypePolicy:
    """In which dtype a layer computes, and in which it keeps its weights.

    Args:
        name: a dtype for both; "mixed_float16" or "mixed_bfloat16" to compute in 16 bits with float32 weights.

    Attributes:
        name: the name.
        compute_dtype: of the inputs, the computation and the results.
        variable_dtype: of the weights.

    Raises:
        ValueError: an unknown name.

    Source: Micikevicius et al., "Mixed Precision Training", 2018.

    >>> from kbackend.dtype_policies import DTypePolicy
    >>> policy = DTypePolicy("mixed_float16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('float16', 'float32')
    """

    def __init__(self, name: Any) -> None:
        if isinstance(name, str) and name in _MIXED:
            self.name, self.compute_dtype, self.variable_dtype = name, _MIXED[name], "float32"
            return
        try:
            found = dtypes.canonical(name)
        except TypeError as error:
            raise ValueError(f"a dtype policy is {' or '.join(map(repr, _MIXED))}, or a dtype; {error}") from None
        self.name = self.compute_dtype = self.variable_dtype = found

    @property
    def is_mixed(self) -> bool:
        """Whether the weights have another dtype than the computation."""
        return self.compute_dtype != self.variable_dtype

    def input_dtype(self, dtype: str) -> str:
        """The dtype that an input takes: floats that of the computation, but float64 stays as it is where that is
        float32, as in Keras 2; all others their own.

        >>> DTypePolicy("mixed_bfloat16").input_dtype("float64"), DTypePolicy("float32").input_dtype("float16")
        ('bfloat16', 'float32')
        """
        wanted = self.compute_dtype
        if not (dtypes.is_float(dtype) and dtypes.is_float(wanted)) or (dtype, wanted) == ("float64", "float32"):
            return dtype
        return wanted

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<DTypePolicy {self.name!r}>"


#: the policy of the process, for all its threads; none while it follows floatx
_chosen: list[DTypePolicy] = []


def get(identifier: Any) -> DTypePolicy:
    """A policy from itself, its name, its configuration or a dtype; the policy of the process for None.

    Raises:
        ValueError: an unknown name, or another configuration.

    >>> from kbackend import dtype_policies
    >>> dtype_policies.get("mixed_bfloat16")
    <DTypePolicy 'mixed_bfloat16'>
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    return DTypePolicy(identifier)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as ``{"class_name": ..., "config": ...}``."""
    return {"class_name": "DTypePolicy", "config": dtype_policy.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """A policy from what :func:`serialize`, or Keras, wrote.

    Args:
        config: the configuration.
        custom_objects: not used: there are no policies of one's own.

    Raises:
        ValueError: no configuration of a policy.

    >>> from kbackend import dtype_policies
    >>> dtype_policies.deserialize({"class_name": "Policy", "config": {"name": "mixed_float16"}}).compute_dtype
    'float16'
    """
    settings = config.get("config")
    named = isinstance(settings, Mapping) and isinstance(settings.get("name"), str)
    if config.get("class_name") not in _CLASSES or not named:
        raise ValueError(f"a dtype policy has a class_name of {', '.join(_CLASSES)} and a name, not {dict(config)!r}")
    assert isinstance(settings, Mapping)
    return DTypePolicy(settings["name"])


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are made without one: that of :func:`kbackend.mixed_precision.set_dtype_policy`,
    else floatx.

    >>> from kbackend import dtype_policies
    >>> dtype_policies.dtype_policy()
    <DTypePolicy 'float32'>
    """
    return _chosen[0] if _chosen else DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are made from now on, in all threads.

    Args:
        policy: a policy, its name or a dtype; None to follow floatx again.

    Raises:
        ValueError: an unknown name; the policy is as before.

    >>> from kbackend import dtype_policies, layers
    >>> dtype_policies.set_dtype_policy("mixed_bfloat16")
    >>> layers.Dense(3).compute_dtype
    'bfloat16'
    >>> dtype_policies.set_dtype_policy(None)
    >>> layers.Dense(3).compute_dtype
    'float32'
    """
    _chosen[:] = [] if policy is None else [get(policy)]


__all__ = ["DTypePolicy", "deserialize", "dtype_policy", "get", "serialize", "set_dtype_policy"]
