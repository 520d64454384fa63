"""The base of losses: reduction, weights, masks, configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import backend as K
from kbackend import config, dtypes, registry
from kbackend.declare.decorate import traced
from kbackend.declare.op import TensorLike
from kbackend.graph.tensor import Tensor
from kbackend.ground.public import Public
from kbackend.ops.collective.part import as_mean, number_of_batch, over_processes
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.precision import as_dtype

LossFunction = Callable[..., Any]
#: the functions that configurations may name, filled by the package
FUNCTIONS: dict[str, Any] = {}


class Reduction:
    """The names of reductions.

    >>> from kbackend import losses
    >>> losses.MeanSquaredError(losses.Reduction.NONE)([[0.0], [1.0]], [[1.0], [3.0]]).tolist()
    [1.0, 4.0]
    """

    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    MEAN = "mean"
    MEAN_WITH_SAMPLE_WEIGHT = "mean_with_sample_weight"
    AUTO = "auto"


_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def checked_reduction(reduction: Any) -> Any:
    """The name of a reduction; 'auto' of Keras 2 is 'sum_over_batch_size'.

    Raises:
        ValueError: an unknown name.
    """
    found = "sum_over_batch_size" if reduction == "auto" else reduction
    if found not in _REDUCTIONS:
        names = ", ".join(map(repr, _REDUCTIONS))
        raise ValueError(f"reduction must be one of {names}, it is {reduction!r}")
    return found


# ranks and dtypes ------------------------------------------------------------------------------------------


def floating(y_pred: Any) -> Any:
    """Predictions as a float tensor."""
    y_pred = as_tensor(y_pred)
    return y_pred if dtypes.is_float(K.dtype(y_pred)) else as_dtype(y_pred, config.floatx())


def pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as float tensors of one dtype."""
    y_pred = floating(y_pred)
    return as_dtype(as_tensor(y_true), K.dtype(y_pred)), y_pred


def aligned(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """:func:`pair`, of equal ranks where one has a last dimension of 1 that the other lacks."""
    return same_rank(*pair(y_true, y_pred))


def same_rank(a: Any, b: Any, expand: bool = True) -> tuple[Any, Any]:
    """Tensors of equal ranks, where one has a last dimension of 1 that the other lacks: a vector gets that dimension
    (unless ``expand`` is false), and from a tensor of higher rank it is taken."""
    if len(a.shape) == len(b.shape) + 1 and a.shape[-1] == 1:
        if len(b.shape) == 1 and expand:
            return a, K.expand_dims(b, -1)
        return K.squeeze(a, -1), b
    if len(b.shape) == len(a.shape) + 1 and b.shape[-1] == 1:
        b, a = same_rank(b, a, expand)
    return a, b


# weights and masks -----------------------------------------------------------------------------------------


def mask_of(tensor: Any) -> Any:
    """The mask that a layer or loss gave to a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def with_mask(tensor: Any, mask: Any) -> Any:
    """The tensor, which has the mask from now on."""
    if isinstance(tensor, Tensor):
        tensor._keras_mask = mask
    return tensor


def masked_weight(sample_weight: Any, mask: Any, dtype: str, whole: bool = False) -> Any:
    """Sample weights with 0 where a mask is false; None without both.

    Args:
        whole: whether the weights that stay are scaled so that a mean over all entries is one over those of the mask.
    """
    if mask is None:
        return sample_weight
    mask = as_dtype(mask, dtype)
    if whole:
        count = over_processes(as_dtype(K.size(mask), dtype))
        mask = mask * K.divide_no_nan(count, over_processes(K.sum(mask)))
    if sample_weight is None:
        return mask
    mask, sample_weight = same_rank(mask, as_dtype(sample_weight, dtype))
    return _leading(sample_weight, mask) * _leading(mask, sample_weight)


def _leading(weight: Any, values: Any) -> Any:
    """Weights of leading dimensions with further dimensions of 1."""
    for _ in range(len(values.shape) - len(weight.shape)):
        weight = K.expand_dims(weight, -1)
    return weight


def reduced(values: Any, sample_weight: Any, reduction: Any) -> Any:
    """Values times sample weights, reduced.

    Args:
        values: one loss for each sample, or for each of its parts.
        sample_weight: None, a number for all, or of the leading dimensions of ``values``.
        reduction: see :class:`Loss`.
    """
    if sample_weight is not None:
        values, sample_weight = same_rank(values, as_dtype(as_tensor(sample_weight), K.dtype(values)))
        values = values * _leading(sample_weight, values)
    if reduction in (None, "none") or len(values.shape) == 0:
        return number_of_batch(values)
    if reduction == "sum" or 0 in values.shape:
        return as_mean(K.sum(values))
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return K.divide_no_nan(as_mean(K.sum(values)), over_processes(K.sum(sample_weight)))
    return K.mean(values)


# losses ----------------------------------------------------------------------------------------------------


class Loss(Public):
    """Base class of losses. A loss of one's own defines ``call(y_true, y_pred)``, written with K, which gives one value
    for each sample.

    Args:
        name: shown in messages and logs.
        reduction: 'sum_over_batch_size' or 'mean' (the sum over the number of values), 'sum',
            'mean_with_sample_weight' (the sum over the sum of the sample weights), or None or 'none' for no reduction.
        dtype: in which it is computed; floatx when None.

    Raises:
        ValueError: an unknown reduction.
        NotImplementedError: a subclass without ``call``, when it is called.

    >>> from kbackend import K, losses
    >>> class Cubed(losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return K.mean(K.abs(y_true - y_pred) ** 3, axis=-1)
    >>> float(Cubed()([[0.0], [0.0]], [[1.0], [2.0]]))
    4.5
    """

    def __init__(self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None) -> None:
        self.name = name or type(self).__name__.lower()
        self.reduction = checked_reduction(reduction)
        self._dtype = None if dtype is None else dtypes.canonical(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """In which the loss is computed."""
        return self._dtype or config.floatx()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: the targets.
            y_pred: the predictions; a mask that a layer gave them excludes what it masks.
            sample_weight: one number for each sample, or of the leading dimensions of the values, or one for all.

        Returns:
            A scalar, or the values when there is no reduction.
        """
        return _called(y_true, y_pred, sample_weight, self)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """What ``call`` gives for operands in the loss's dtype."""
        y_pred = as_dtype(as_tensor(y_pred), self.dtype)
        values = self.call(self._targets(y_true), y_pred)
        return as_dtype(values, self.dtype) if K.dtype(values) != self.dtype else values

    def _targets(self, y_true: Any) -> Any:
        return as_dtype(as_tensor(y_true), self.dtype)

    def in_training(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Any:
        """The scalar that training minimises. As in Keras 2, what a mask of the predictions excludes has the weight 0
        and is counted in a mean; without a reduction the mean is taken."""
        weight = masked_weight(sample_weight, mask, self.dtype)
        value = self._reduced(y_true, y_pred, weight, masked=False)
        return K.mean(value) if len(value.shape) else value

    def _reduced(self, y_true: Any, y_pred: Any, sample_weight: Any, masked: bool = True) -> Any:
        values = self.values(y_true, y_pred)
        masks = [m for m in (mask_of(y_pred) if masked else None, mask_of(values)) if m is not None]
        mask = masks[0] if masks else None
        for other in masks[1:]:
            mask = K.logical_and(mask, other)
        whole = self.reduction in ("mean", "sum_over_batch_size")
        return reduced(values, masked_weight(sample_weight, mask, self.dtype, whole), self.reduction)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        hidden = ("name", "reduction", "dtype", "fn")
        shown = registry.settings_text({k: v for k, v in self.get_config().items() if k not in hidden})
        return f"<{type(self).__name__} {self.name!r}{shown and ' '}{shown}>"


@traced
def _called(y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None, loss: Any) -> Any:
    return loss._reduced(y_true, y_pred, sample_weight)


class LossFunctionWrapper(Loss):
    """A loss made of a function ``(y_true, y_pred, **options)``.

    Args:
        fn: the function; it gives one value for each sample.
        reduction, name, dtype: see :class:`Loss`.
        **kwargs: options that the function gets at each call.

    >>> from kbackend import losses
    >>> float(losses.LossFunctionWrapper(losses.mean_squared_error)([[1.0]], [[3.0]]))
    4.0
    """

    def __init__(
        self,
        fn: LossFunction,
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self.options = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """What the function gives, for operands of equal ranks."""
        return self.fn(*same_rank(y_true, y_pred), **self.options)

    def _targets(self, y_true: Any) -> Any:
        """The targets as they are: large labels are no floats, and functions cast what they need."""
        return as_tensor(y_true)

    def get_config(self) -> dict[str, Any]:
        options = {name: registry.plain(value) for name, value in self.options.items()}
        own = {"fn": registry.plain(self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**super().get_config(), **own, **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if isinstance(config.get("fn"), str):
            config = {**config, "fn": registry.find(config["fn"], FUNCTIONS, "loss")}
        return cls(**config)
