"""Methods of layers, models, tensors and callbacks that Keras 0 to 2.3 had."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.streams import set_seed
from kbackend.training.arrays import groups_of, inputs_of

# models -----------------------------------------------------------------------------------------------------


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None) -> Any:
    """The outputs, as ``predict`` gives them."""
    return self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps)


def predict_classes(
    self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None
) -> np.ndarray:
    """The class of each sample: the place of the largest output, or 0 and 1 for one output of a probability."""
    found = self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps)
    return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")


is_compiled = property(lambda self: self.optimizer is not None, doc="Whether ``compile`` was called.")
collected_trainable_weights = property(lambda self: list(self.trainable_weights), doc="The weights of a train step.")
inner_model = property(lambda self: self, doc="The model itself, which Sequential had inside up to Keras 2.1.")
feed_inputs = property(lambda self: list(self.inputs), doc="The tensors that a step is fed with.")
feed_targets = property(lambda self: self.targets, doc="The placeholders of the targets.")
feed_sample_weights = property(lambda self: self.sample_weights, doc="The placeholders of the sample weights.")


def refusing(method: Any) -> Any:
    """A method of models that says what became of arguments of Keras 0."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs.keys() & OF_KERAS_0.keys():
            raise TypeError(f"{name}= went in Keras 1; {OF_KERAS_0[name]}")
        return method(*args, **kwargs)

    return call


#: arguments of fit, evaluate and compile, and what to write
OF_KERAS_0 = {
    "show_accuracy": "write metrics=['accuracy'] in compile",
    "class_mode": "leave it out; the loss says what the classes are",
    "theano_mode": "leave it out; kbackend does not run on Theano",
}


def standardize_user_data(
    self: Any, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, batch_size: Any = None
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Lists of the arrays of inputs, targets and sample weights, which are 1 where none are given."""
    if y is None:
        return inputs_of(self._steps, x), [], []
    found = groups_of(self._steps, x, y, sample_weight, class_weight)
    return found.inputs, found.targets, found.weights or [np.ones(len(t), "float32") for t in found.targets]


def make_train_function(self: Any) -> None:
    """Make the state of the optimizer, so that ``optimizer.set_weights`` finds it; programs make themselves."""
    if self.optimizer is None:
        raise RuntimeError(f"the model {self.name} is not compiled; call model.compile first")
    self.training_graph()


def make_test_function(self: Any) -> None:
    """Nothing is to be done: programs make themselves, in any thread."""


make_predict_function = make_test_function


#: of Keras 1's methods for generators; ``nb_epoch`` and its like are renamed before
SAMPLES = {"samples_per_epoch": "steps_per_epoch", "nb_val_samples": "validation_steps", "val_samples": "steps"}


def counting_samples(method: Any) -> Any:
    """A method for generators that takes numbers of samples too, as in Keras 1: as many batches as have them, by the
    size of the first batch."""

    @functools.wraps(method)
    def call(self: Any, generator: Any, *args: Any, **kwargs: Any) -> Any:
        for old, new in SAMPLES.items():
            if old not in kwargs:
                continue
            samples = kwargs.pop(old)
            held_out = old == "nb_val_samples"
            source = kwargs.get("validation_data") if held_out else generator
            size, source = _size_of_batches(source)
            warnings.warn(f"{old}= is a spelling of Keras 1; write {new}=, a number of batches", DeprecationWarning, 2)
            if held_out:
                kwargs["validation_data"] = source
            else:
                generator = source
            if size is not None:
                kwargs[new] = math.ceil(samples / size)
        return method(self, generator, *args, **kwargs)

    return call


def _size_of_batches(source: Any) -> tuple[int | None, Any]:
    """The samples of the first batch, and the source with that batch still in it; None for arrays."""
    if source is None or isinstance(source, (tuple, list)):
        return None, source
    if hasattr(source, "__getitem__"):
        return _samples(source[0]), source
    batches: Iterator[Any] = iter(source)
    first = next(batches)
    return _samples(first), itertools.chain([first], batches)


def _samples(batch: Any) -> int:
    x = batch[0] if isinstance(batch, (tuple, list)) else batch
    while isinstance(x, (list, tuple, dict)):
        x = next(iter(x.values())) if isinstance(x, dict) else x[0]
    return len(x)


# layers -----------------------------------------------------------------------------------------------------


def get_output(self: Any, train: bool = False) -> Any:
    """The output of the layer; ``train`` has no effect, the learning phase has."""
    return self.output


def get_input(self: Any, train: bool = False) -> Any:
    """The input of the layer; see :func:`get_output`."""
    return self.input


def get_output_shape_for(self: Any, input_shape: Any) -> Any:
    """Keras 1's name of ``compute_output_shape``."""
    return self.compute_output_shape(input_shape)


def asking_for_shape(method: Any) -> Any:
    """``compute_output_shape`` of layers, which asks a class that defines Keras 1's ``get_output_shape_for``."""

    @functools.wraps(method)
    def call(self: Any, input_shape: Any) -> Any:
        own = type(self).get_output_shape_for
        return method(self, input_shape) if own is get_output_shape_for else own(self, input_shape)

    return call


def ignoring_masks(method: Any) -> Any:
    """``call`` of BatchNormalization, whose statistics count all steps, those that are masked too."""

    @functools.wraps(method)
    def call(self: Any, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        return method(self, inputs, None, training)

    return call


def as_trained(self: Any, result: Any, instead: Any) -> None:
    """Nothing takes the place of the result where the layer is frozen."""


# tensors ----------------------------------------------------------------------------------------------------


class DType(str):
    """The dtype of a tensor as K gives it, with the attributes that TensorFlow's have.

    >>> DType("float32").name, DType("float32").base_dtype == "float32", DType("int32").is_floating
    ('float32', True, False)
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def as_numpy_dtype(self) -> Any:
        return dtypes.numpy_dtype(str(self)).type

    @property
    def is_floating(self) -> bool:
        return dtypes.is_float(str(self))

    @property
    def is_integer(self) -> bool:
        return "int" in self


class Shape(tuple):
    """A shape as ``tensor.get_shape()`` of TensorFlow 1 gives it."""

    __slots__ = ()

    def as_list(self) -> list[Any]:
        """The dimensions, None where they are unknown."""
        return list(self)

    @property
    def ndims(self) -> int:
        return len(self)

    @property
    def dims(self) -> list[Any]:
        return list(self)


def get_shape(self: Tensor) -> Shape:
    """The shape, with ``as_list``."""
    return Shape(self.shape)


def evaluated(self: Tensor, feed_dict: Any = None, session: Any = None) -> Any:
    """The value; ``feed_dict`` has values for placeholders, ``session`` has no effect."""
    given = dict(feed_dict or {})
    return K.function(list(given), [self])(list(given.values()))[0] if given else K.eval(self)


def _check_shape(self: Tensor, shape: Any) -> None:
    known = tuple(shape)
    if len(known) != len(self.shape) or any(None not in pair and pair[0] != pair[1] for pair in zip(known, self.shape)):
        raise ValueError(f"{self.name} has the shape {self.shape}, its _keras_shape cannot be {known}")


#: Theano's tensors knew no shapes, and layers for it say them; here they are known
keras_shape = property(lambda self: self.shape, _check_shape, doc="The shape.")
uses_learning_phase = property(
    vars(Tensor)["_uses_learning_phase"].fget, lambda self, flag: None, doc="Whether the phase that is fed matters."
)


_dtype_slot: Any = vars(Tensor)["dtype"]
_DTYPES: dict[str, DType] = {}


def _dtype(self: Tensor) -> DType:
    plain = _dtype_slot.__get__(self)
    found = _DTYPES.get(plain)
    if found is None:
        found = _DTYPES[plain] = DType(plain)
    return found


#: ``tensor.dtype`` with the attributes of :class:`DType`
named_dtype = property(_dtype, lambda self, value: _dtype_slot.__set__(self, str(value)))

# logs -------------------------------------------------------------------------------------------------------

_OLD, _NEW = "acc", "accuracy"


def _now(name: Any, known: Any) -> Any:
    """The name under which a value is logged: 'acc', 'val_acc' and 'val_digit_acc' are those of 'accuracy' where there
    are no others."""
    is_old = isinstance(name, str) and name.rpartition("_")[2] == _OLD
    other = f"{name.removesuffix(_OLD)}{_NEW}" if is_old else name
    return other if other in known else name


def logs_item(self: Any, key: str) -> Any:
    """An entry of the logs, that of 'accuracy' for 'acc' as well."""
    key = key if key in self._values else _now(key, self._values)
    if key in self._unread:
        self.read()
    return self._values[key]


def logs_have(self: Any, key: object) -> bool:
    """Whether the logs have an entry, for 'acc' that of 'accuracy' as well."""
    return key in self._values or _now(key, self._values) in self._values


class Recorded(dict):
    """Values by name, of an epoch or of a History; 'acc' is 'accuracy' where there is no other."""

    def __missing__(self, key: Any) -> Any:
        other = _now(key, self)
        if other == key:
            raise KeyError(key)
        return self[other]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(_now(key, self.keys()))

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else default


def telling(method: Any) -> Any:
    """``CallbackList.call``, with logs of epochs that 'acc' finds."""

    @functools.wraps(method)
    def call(self: Any, event: str, *args: Any) -> None:
        if event == "epoch_end":
            args = (args[0], Recorded(args[1] or {}))
        method(self, event, *args)

    return call


def recording(method: Any) -> Any:
    """The constructor of History, with values that 'acc' finds."""

    @functools.wraps(method)
    def call(self: Any) -> None:
        method(self)
        self.history = Recorded()

    return call


def naming_files(method: Any) -> Any:
    """The file name of a checkpoint, in which ``{val_acc}`` is the value of 'val_accuracy' too."""

    @functools.wraps(method)
    def call(self: Any, fields: Any) -> Any:
        old = {f"{name.removesuffix(_NEW)}{_OLD}": fields[name] for name in fields if name.rpartition("_")[2] == _NEW}
        return method(self, {**old, **fields})

    return call


# data -------------------------------------------------------------------------------------------------------


def _whole(value: Any) -> Any:
    """An array of integers where a value is an array of floats that are whole, else the value."""
    if not isinstance(value, (np.ndarray, np.generic, float, list, tuple)):
        return value
    array = np.asarray(value)
    is_whole = array.dtype.kind == "f" and bool((array == np.round(array)).all())
    return array.astype(np.int64) if is_whole else value


def casting_data(method: Any) -> Any:
    """The cast of a model's data, which takes whole floats for inputs of integers."""

    @functools.wraps(method)
    def call(array: Any, dtype: str, name: str, what: str) -> Any:
        return method(_whole(array) if dtypes.is_integer(dtype) else array, dtype, name, what)

    return call


def casting_feeds(method: Any) -> Any:
    """The check of a value for ``K.function``; see :func:`casting_data`."""

    @functools.wraps(method)
    def call(self: Any, value: Any, *others: Any) -> Any:
        return method(self, _whole(value) if dtypes.is_integer(self.dtype) else value, *others)

    return call


def installing_hook() -> None:
    """Install the hook in a process that makes batches: what it is given is of modules that import keras."""
    from kbackend import compat

    compat.install()


# random numbers ---------------------------------------------------------------------------------------------


def seeding(method: Any) -> Any:
    """``np.random.seed``, which seeds kbackend as well: Keras 2 drew its own seeds from NumPy."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = method(*args, **kwargs)
        seed = args[0] if args else kwargs.get("seed")
        if isinstance(seed, (int, np.integer)):
            set_seed(int(seed))
        return found

    return call


