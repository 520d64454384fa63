"""The dtypes of layers: in which they compute, and in which they keep their weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
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

    def of_layer(self, path: str) -> DTypePolicy:
        """The policy of a layer at a path: this one."""
        return self

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


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies of layers by their paths: given as ``dtype``, or to :func:`set_dtype_policy` for all layers.

    The path of a layer is its name, below the names of the layers and models in whose calls it is built:
    ``encoder/dense``. A key is a path, or a regular expression for whole paths. Layers keep the map in their
    configuration, and have the policy that it gives them.

    Args:
        default_policy: of the other layers; that of the process when None.
        policy_map: the policies, or their names.

    Raises:
        ValueError: a map in place of a policy, an unknown policy, a key twice, or, when a layer asks, several regular
            expressions for one path.
        TypeError: the policies are no mapping.

    Source: Keras 3's class of that name.

    >>> from kbackend.dtype_policies import DTypePolicyMap
    >>> policies = DTypePolicyMap("float32", {"head": "float64", "body/.*": "mixed_bfloat16"})
    >>> policies["body/dense"], policies["head"], policies["head/dense"]
    (<DTypePolicy 'mixed_bfloat16'>, <DTypePolicy 'float64'>, <DTypePolicy 'float32'>)
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError(f"the default policy of a map must be one policy, it is {default_policy!r}")
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(f"the policies of a map come as a mapping from paths, not as {policy_map!r}")
        self._default = None if default_policy is None else get(default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        for path, policy in (policy_map or {}).items():
            self[path] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no key is for."""
        if self._default is not None:
            return self._default
        ours = dtype_policy()
        return ours.default_policy if isinstance(ours, DTypePolicyMap) and ours is not self else _plain(ours)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:  # type: ignore[override]
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:  # type: ignore[override]
        return self.default_policy.variable_dtype

    def of_layer(self, path: str) -> DTypePolicy:
        return self[path]

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policies:
            return self._policies[path]
        found = [key for key in self._policies if re.fullmatch(key, path)]
        if len(found) > 1:
            raise ValueError(f"the path {path!r} fits {', '.join(map(repr, found))}; one key at most may fit")
        return self._policies[found[0]] if found else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self._policies:
            raise ValueError(f"the map has a policy for {path!r}, {self._policies[path]!r}; delete it first")
        try:
            re.compile(path)
        except (TypeError, re.error) as error:
            raise ValueError(f"a key of a map is a path or a regular expression, not {path!r}: {error}") from None
        made = get(policy)
        if isinstance(made, DTypePolicyMap):
            raise ValueError(f"the policy for {path!r} must be one policy, it is {policy!r}")
        self._policies[path] = made

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def get_config(self) -> dict[str, Any]:
        return {
            "default_policy": None if self._default is None else serialize(self._default),
            "policy_map": {path: serialize(policy) for path, policy in self._policies.items()},
        }

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicyMap) and other.get_config() == self.get_config()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<DTypePolicyMap {self._policies!r}, else {self.default_policy!r}>"


def _plain(policy: DTypePolicy) -> DTypePolicy:
    """The policy; that of floatx for a map that has no default and is the policy of the process."""
    return DTypePolicy(config.floatx()) if isinstance(policy, DTypePolicyMap) else policy


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
    return {"class_name": type(dtype_policy).__name__, "config": dtype_policy.get_config()}


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
    if config.get("class_name") == "DTypePolicyMap" and isinstance(settings, Mapping):
        return DTypePolicyMap(settings.get("default_policy"), settings.get("policy_map"))
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
    return _chosen[0] if _chosen else _of_dtype(config.floatx())


@cache
def _of_dtype(dtype: str) -> DTypePolicy:
    return DTypePolicy(dtype)


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


__all__ = ["DTypePolicy", "DTypePolicyMap", "deserialize", "dtype_policy", "get", "serialize", "set_dtype_policy"]
