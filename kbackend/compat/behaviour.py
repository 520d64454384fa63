"""Where Keras 2.3.1 behaves otherwise than kbackend by itself: one table, which the hook switches on.

Each row says what both do, and has the changes that make kbackend do as Keras 2.3.1 did, in the whole process and
until :func:`kbackend.compat.uninstall`. Functions of K are changed in ``keras.backend`` alone; ``kbackend.K`` keeps its
own meaning. Rows without changes are differences that are none: kbackend does the same by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kbackend.compat import reported
from kbackend.compat.positions import POSITIONS
from kbackend.compat.switching import Attribute, Change, Default, Renamed, Undo, Window, Wrapped, apply

_METHODS = "kbackend.compat.contents.methods"
_FILES = "kbackend.compat.contents.files"
_FUNCTIONS = "kbackend.compat.contents.functions"
_SURGERY = "kbackend.compat.contents.surgery"
_STEPS = "kbackend.compat.contents.optimizing"
_CALLS = "kbackend.compat.contents.calls"
_MODEL = "kbackend.model.functional:Model"


class Row(NamedTuple):
    """A difference.

    Attributes:
        name: what differs.
        keras: what Keras 2.3.1 does, and kbackend with the hook.
        kbackend: what kbackend does without it.
        changes: what the hook changes.
        reported: whether the row counts only where ``K.backend()`` answers "tensorflow".
        tf_keras: whether it counts for programs of tf.keras too.
    """

    name: str
    keras: str
    kbackend: str
    changes: Sequence[Change] = ()
    reported: bool = False
    tf_keras: bool = True


def _rate(name: str, rate: float) -> Change:
    return Default(f"kbackend.optimizers:{name}", "learning_rate", rate)


OPTIMIZERS = (
    Row(
        "learning rates",
        "Adadelta 1.0, Adagrad 0.01, Adamax and Nadam 0.002",
        "0.001 each",
        [_rate("Adadelta", 1.0), _rate("Adagrad", 0.01), _rate("Adamax", 0.002), _rate("Nadam", 0.002)],
    ),
    Row(
        "epsilon of RMSprop and Adagrad",
        "added to the root: `g / (sqrt(a) + epsilon)`",
        "added inside the root: `g / sqrt(a + epsilon)`",
        [
            Attribute("kbackend.optimizers:RMSprop", "step", f"{_STEPS}:step"),
            Attribute("kbackend.optimizers:RMSprop", "changed", f"{_STEPS}:rmsprop"),
            Attribute("kbackend.optimizers:Adagrad", "changed", f"{_STEPS}:adagrad"),
        ],
    ),
    Row(
        "first sums of Adagrad",
        "0",
        "0.1",
        [Default("kbackend.optimizers:Adagrad", "initial_accumulator_value", 0.0)],
    ),
    Row("schedule_decay of Nadam", "0.004", "1", [Default("kbackend.optimizers:Nadam", "schedule_decay", 0.004)]),
    Row(
        "clipnorm of optimizers",
        "limits the norm of all gradients together",
        "limits the norm of each gradient",
        [Wrapped("kbackend.optimizers.base:Optimizer._clipped", f"{_STEPS}:by_common_norm")],
    ),
    Row(
        "get_config of Optimizer, for a class that derives from it",
        "clipnorm and clipvalue, where they are given",
        "all arguments that every optimizer has",
        [Wrapped("kbackend.optimizers.base:Optimizer.get_config", f"{_STEPS}:common_config")],
    ),
)

LAYERS = (
    Row(
        "GRU and GRUCell, reset_after",
        "False",
        "True",
        [Default(f"kbackend.layers:{name}", "reset_after", False) for name in ("GRU", "GRUCell")],
    ),
    Row(
        "ConvLSTM2D, recurrent_activation",
        "hard_sigmoid",
        "sigmoid",
        [
            Default(f"kbackend.layers:{name}", "recurrent_activation", "hard_sigmoid")
            for name in ("ConvLSTM2D", "ConvLSTM2DCell")
        ],
    ),
    Row(
        "LSTM and GRU, recurrent_activation",
        "sigmoid; up to 2.2 it was hard_sigmoid, which programs of that time have to name",
        "sigmoid",
    ),
    Row(
        "BatchNormalization that is frozen",
        "normalizes by the batch in training, without updates (tf.keras, and so --tf-keras: by its moving averages)",
        "normalizes by its moving averages",
        [Attribute("kbackend.layers:BatchNormalization", "_when_frozen", f"{_METHODS}:as_trained")],
        tf_keras=False,
    ),
    Row(
        "BatchNormalization of masked inputs",
        "its statistics count all steps",
        "its statistics leave masked steps out",
        [Wrapped("kbackend.layers:BatchNormalization.call", f"{_METHODS}:ignoring_masks")],
    ),
    Row(
        "a list of one tensor from `call`, and models made with a list of one output",
        "give that tensor when they are called",
        "give the list",
        [Wrapped("kbackend.layers:Layer._run", f"{_CALLS}:unpacking")],
    ),
    Row(
        "seeded initializers that are called again",
        "draw with the next seed, which is in their configuration then",
        "give the same values",
        [
            Wrapped(f"kbackend.initializers{name}.__call__", f"{_CALLS}:reseeding")
            for name in (".drawn:Drawn", ":Orthogonal")
        ],
        tf_keras=False,
    ),
    Row(
        "unseeded initializers",
        "differ from call to call",
        "differ from call to call",
    ),
    Row(
        "np.random.seed(n)",
        "fixes initial weights, masks and shuffles, whose seeds come from NumPy",
        "has no effect on them; kbackend.set_seed has",
        [Wrapped("numpy.random:seed", f"{_METHODS}:seeding")],
    ),
    Row(
        "l1_l2 of regularizers",
        "0.01 both",
        "0 both",
        [Default("kbackend.regularizers:l1_l2", "l1", 0.01), Default("kbackend.regularizers:l1_l2", "l2", 0.01)],
    ),
    Row(
        "arguments by position",
        "Conv1D, Conv2D, Conv3D without groups; Embedding with activity_regularizer as the fifth; those of "
        "Conv3DTranspose, ConvLSTM2D and the ends of those of recurrent layers; names first in metrics and in "
        "`add_weight` of metrics; Loss(reduction, name)",
        "as in Keras 3",
        POSITIONS,
    ),
    Row(
        "Conv2D(32, 3, 3) and its kin of two and three dimensions",
        "a window of 3 rows and 3 columns; refused beside padding, strides and data_format (tf.keras, and so "
        "--tf-keras: as kbackend by itself)",
        "a window of 3 rows and 3 columns that moves by 3",
        [
            *(
                Window(f"kbackend.layers:{name}", 2)
                for name in ("Conv2D", "Conv2DTranspose", "SeparableConv2D", "LocallyConnected2D", "ConvLSTM2D")
            ),
            Window("kbackend.layers:Conv3D", 3),
        ],
        tf_keras=False,
    ),
    Row(
        "LeakyReLU(alpha=0.3)",
        "its only spelling",
        "a spelling of Keras 2, with a DeprecationWarning; the name is negative_slope",
        [Attribute("kbackend.layers.spellings:", "CURRENT", "kbackend.compat.tree:MAJOR")],
    ),
)

FUNCTIONS = (
    Row("K.sqrt of negative numbers", "0", "NaN"),
    Row(
        "K.arange",
        "of a negative stop alone starts and ends at 0; of floats gives floats where dtype is 'int32'",
        "counts from 0 to the stop where the step leads there; gives int32",
    ),
    Row(
        "K.bias_add of (*spatial, channels) with channels_first",
        "reshapes the bias",
        "moves its last axis to the front",
    ),
    Row(
        "K.relu with a threshold and a maximum",
        "lies between 0 and the maximum, before the part below the threshold is added",
        "lies below the maximum",
        [Attribute("kbackend.activations:", "_BUILTIN", f"{_FUNCTIONS}:ACTIVATIONS")],
    ),
    Row(
        "K.function",
        "takes any collection of outputs, one tensor too, and arrays in nested lists, as tf.keras does",
        "takes lists",
    ),
    Row("K.get_variable_shape", "K.int_shape", "K.int_shape"),
    Row(
        "K.backend()",
        "what report_backend says",
        "the engine",
    ),
    Row(
        "dtype of tensors",
        "has `name`, `base_dtype`, `as_numpy_dtype`",
        "a string",
        [Attribute("kbackend.graph.tensor:Tensor", "dtype", f"{_METHODS}:named_dtype")],
        reported=True,
    ),
    Row(
        "tensor.get_shape()",
        "has `as_list`",
        "a tuple",
        [Attribute("kbackend.graph.tensor:Tensor", "get_shape", f"{_METHODS}:get_shape")],
    ),
)

EVALUATION = (
    Row(
        "tensor.eval()",
        "K.eval(tensor), with feed_dict the value for these values of placeholders",
        "none",
        [Attribute("kbackend.graph.tensor:Tensor", "eval", f"{_METHODS}:evaluated")],
    ),
)

TRAINING = (
    Row(
        "names of metrics in logs",
        "as given to compile; 'acc' finds 'accuracy' too, which was logged as 'acc' up to 2.2",
        "as given to compile",
        [
            Attribute("kbackend.callbacks.base:Logs", "__getitem__", f"{_METHODS}:logs_item"),
            Attribute("kbackend.callbacks.base:Logs", "__contains__", f"{_METHODS}:logs_have"),
            Wrapped("kbackend.callbacks.listeners:CallbackList.call", f"{_METHODS}:telling"),
            Wrapped("kbackend.callbacks:History.__init__", f"{_METHODS}:recording"),
            Wrapped("kbackend.callbacks:ModelCheckpoint._path", f"{_METHODS}:naming_files"),
        ],
    ),
    Row(
        "metrics that are called on symbolic tensors outside of layers",
        "take tensors of known values; give a result for `model.add_metric(metric(y))` for others",
        "refuse them",
        [
            Wrapped("kbackend.metrics:Metric.__call__", f"{_CALLS}:taking_tensors"),
            Wrapped("kbackend.layers:Layer.add_metric", f"{_CALLS}:adding_results"),
        ],
    ),
    Row(
        "SensitivityAtSpecificity and SpecificityAtSensitivity",
        "at the first threshold whose other rate is nearest to the value",
        "the largest at thresholds whose other rate is at least the value",
        [
            Attribute(f"kbackend.metrics:{name}", "best", f"{_CALLS}:nearest")
            for name in ("SensitivityAtSpecificity", "SpecificityAtSensitivity")
        ],
        tf_keras=False,
    ),
    Row(
        "counts of MeanIoU",
        "floats, which take sample weights as they are",
        "integers, to which sample weights are truncated",
        [Attribute("kbackend.metrics:IoU", "dtype", f"{_CALLS}:counted_in")],
    ),
    Row(
        "floats for inputs of integers",
        "taken; with the hook where they are whole numbers",
        "refused",
        [
            Wrapped("kbackend.training.data:_cast", f"{_METHODS}:casting_data"),
            Wrapped("kbackend.runtime.feeds:FeedCheck.__call__", f"{_METHODS}:casting_feeds"),
        ],
    ),
    Row(
        "files .keras, .h5 and .hdf5 that a model is saved to",
        "of Keras 2, with the layers that Keras 3 has not",
        "of Keras 3",
        [
            Attribute("kbackend.saving.model_file:", "KERAS_VERSION", "kbackend.compat.tree:MAJOR"),
            Attribute("kbackend.saving.keras.writing_2:Keras2Form", "also", "kbackend.saving.keras.table:ONLY_OF_2_3"),
        ],
    ),
    Row(
        "files of other names, and of weights",
        "HDF5 of Keras 2 whatever the name, but for `.kb`, and `.safetensors` for weights (tf.keras, and so "
        "--tf-keras: as kbackend by itself)",
        "of kbackend; weights in `.h5` and `.hdf5` are those of Keras 2, in `.weights.h5` those of Keras 3",
        [
            Attribute("kbackend.saving.model_file:", "is_of_keras", f"{_FILES}:is_of_keras"),
            Attribute("kbackend.saving.weights_file:", "form_of", f"{_FILES}:form_of"),
        ],
        tf_keras=False,
    ),
    Row(
        "save and save_weights, overwrite=False; their first argument, and that of load_weights",
        "ask on standard input before a file is replaced; filepath",
        "raise FileExistsError; path",
        [
            *(Wrapped(f"{_MODEL}.{name}", f"{_FILES}:asking") for name in ("save", "save_weights")),
            *(Renamed(f"{_MODEL}.{name}", {"filepath": "path"}, keras=2)
              for name in ("save", "save_weights", "load_weights")),
        ],
    ),
    Row(
        "tensor._keras_shape = shape, tensor._uses_learning_phase = flag",
        "taken; with the hook without effect, as both are known, and refused where the shape does not fit",
        "refused",
        [
            Attribute("kbackend.graph.tensor:Tensor", f"_{name}", f"{_METHODS}:{name}")
            for name in ("keras_shape", "uses_learning_phase")
        ],
    ),
    Row(
        "_make_train_function, _make_test_function, _make_predict_function of models",
        "make the function, the first one also the state of the optimizer",
        "functions make themselves; `model.training_graph()` makes the state of the optimizer",
        [
            Attribute(_MODEL, f"_make_{name}_function", f"{_METHODS}:make_{name}_function")
            for name in ("train", "test", "predict")
        ],
    ),
    Row(
        "use_multiprocessing",
        "processes that make batches import keras; with the hook they install it",
        "processes know nothing of keras",
        [Attribute("kbackend.training.sources.workers:", "INITIALIZER", f"{_METHODS}:installing_hook")],
        tf_keras=False,
    ),
    Row(
        "names of the losses LogCosh and KLDivergence",
        "logcosh, kullback_leibler_divergence",
        "log_cosh, kl_divergence",
        [
            Default("kbackend.losses:LogCosh", "name", "logcosh"),
            Default("kbackend.losses:KLDivergence", "name", "kullback_leibler_divergence"),
            Default("kbackend.metrics:KLDivergence", "name", "kullback_leibler_divergence"),
        ],
    ),
    Row(
        "EarlyStopping(restore_best_weights=True)",
        "sets the best weights in the epoch after which it stops, and leaves them where all epochs ran",
        "sets the best weights at the end, whether it stopped or not",
        [
            Wrapped("kbackend.callbacks:EarlyStopping.on_epoch_end", f"{_CALLS}:restoring"),
            Wrapped("kbackend.callbacks:EarlyStopping.on_train_end", f"{_CALLS}:leaving_weights"),
        ],
    ),
    Row(
        "evaluate, verbose",
        "1",
        "0",
        [Default(f"{_MODEL}.evaluate", "verbose", 1)],
    ),
    Row(
        "LambdaCallback",
        "on_batch_begin and on_batch_end",
        "on_train_batch_begin and on_train_batch_end",
        [
            Renamed(
                "kbackend.callbacks:LambdaCallback",
                {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"},
                keras=2,
            )
        ],
    ),
)

_FIT = {"nb_epoch": "epochs"}
_GENERATORS = {"max_q_size": "max_queue_size", "nb_worker": "workers", "pickle_safe": "use_multiprocessing"}
KERAS_1 = (
    Row(
        "Model(input, output)",
        "other names of inputs and outputs",
        "refused",
        [Renamed(_MODEL, {"input": "inputs", "output": "outputs"})],
    ),
    Row(
        "nb_epoch, samples_per_epoch, nb_val_samples, max_q_size, nb_worker, pickle_safe",
        "other names of epochs, steps_per_epoch and so on; numbers of samples become numbers of batches",
        "refused",
        [
            Renamed(f"{_MODEL}.fit", _FIT),
            *(
                change
                for name, more in (
                    ("fit_generator", _FIT),
                    ("evaluate_generator", {}),
                    ("predict_generator", {}),
                )
                for change in (
                    Wrapped(f"{_MODEL}.{name}", f"{_METHODS}:counting_samples"),
                    Renamed(f"{_MODEL}.{name}", {**more, **_GENERATORS}),
                )
            ),
        ],
    ),
    Row(
        "predict_classes and predict_proba",
        "methods of models",
        "`predict(x).argmax(axis=-1)` and `predict(x)`",
        [
            Attribute(_MODEL, name, f"{_METHODS}:{name}")
            for name in ("predict_classes", "predict_proba")
        ],
    ),
    Row(
        "_feed_inputs, _feed_targets, _feed_sample_weights, _standardize_user_data, _is_compiled of models",
        "tensors and arrays of a step, for K.function on model.total_loss",
        "model.inputs, model.targets, model.sample_weights",
        [
            Attribute(_MODEL, f"_{name}", f"{_METHODS}:{name}")
            for name in ("feed_inputs", "feed_targets", "feed_sample_weights", "standardize_user_data", "is_compiled")
        ],
    ),
    Row(
        "_collected_trainable_weights of models; model of Sequential",
        "the weights of a step; the model itself",
        "model.trainable_weights",
        [
            Attribute(_MODEL, "_collected_trainable_weights", f"{_METHODS}:collected_trainable_weights"),
            Attribute("kbackend.models:Sequential", "model", f"{_METHODS}:inner_model"),
        ],
    ),
    Row(
        "show_accuracy, class_mode, theano_mode of fit, evaluate and compile",
        "refused, with what to write",
        "refused",
        [Wrapped(f"{_MODEL}.{name}", f"{_METHODS}:refusing") for name in ("fit", "evaluate", "compile")],
    ),
    Row(
        "model.layers.pop(), model.outputs = [tensor]",
        "take a layer out of the list, and let the model end at the tensor",
        "the list is a copy; outputs cannot be set: write Model(model.input, tensor)",
        [
            Attribute(_MODEL, "layers", f"{_SURGERY}:layers"),
            Attribute(_MODEL, "outputs", f"{_SURGERY}:outputs"),
        ],
    ),
    Row(
        "layer.get_output, layer.get_input, get_output_shape_for",
        "as in Keras 0 and 1; a class that defines get_output_shape_for is asked for shapes",
        "layer.output, layer.input, compute_output_shape",
        [
            *(
                Attribute("kbackend.layers:Layer", name, f"{_METHODS}:{name}")
                for name in ("get_output", "get_input", "get_output_shape_for")
            ),
            Wrapped("kbackend.layers:Layer.compute_output_shape", f"{_METHODS}:asking_for_shape"),
        ],
    ),
    Row(
        "K.image_dim_ordering and K.set_image_dim_ordering",
        "'tf' and 'th'",
        "K.image_data_format, 'channels_last' and 'channels_first'",
    ),
    Row(
        "MaxoutDense, Highway, TimeDistributedDense; keras.initializations",
        "as in Keras 1",
        "none",
    ),
)

TABLE: Sequence[Row] = (*OPTIMIZERS, *LAYERS, *FUNCTIONS, *EVALUATION, *TRAINING, *KERAS_1)


def switch_on(tf_keras: bool = False) -> Undo:
    """Make all changes of the table, and return what takes them back.

    Args:
        tf_keras: whether programs of tf.keras are to run.
    """
    as_tensorflow = reported.reported() == "tensorflow"
    rows = [row for row in TABLE if (as_tensorflow or not row.reported) and (row.tf_keras or not tf_keras)]
    return apply([change for row in rows for change in row.changes])


def as_markdown() -> str:
    """The table as it stands in docs/guide/keras2.md."""
    lines = ["| what | Keras 2.3.1, and the hook | kbackend by itself |", "|---|---|---|"]
    lines += [f"| {row.name} | {row.keras} | {row.kbackend} |" for row in TABLE]
    return "\n".join(lines) + "\n"
