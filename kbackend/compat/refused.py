"""What Keras 1 and 2 had and kbackend has not: the reason and the replacement, by module and name.

``kbackend lint`` reports these before a program runs; the modules of the hook raise them where a program reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a name is not covered.

    Attributes:
        reason: a sentence without a full stop.
        instead: what to write, for the end of the message.
    """

    reason: str
    instead: str

    def text(self, name: str) -> str:
        """The message for a name, such as 'keras.backend.get_session'."""
        return f"{name} is not covered by kbackend: {self.reason}; {self.instead}"


_NO_SESSION = "kbackend has no sessions of TensorFlow 1, a program runs when K.function, K.eval or a model is called"
_GRAPH = Refusal(
    "models of Keras 0 that are built by names of nodes went in Keras 1",
    "write Model(inputs, outputs) from the functional interface, one call of a layer for each add_node",
)
_INTERNAL = Refusal(
    "it is an internal of Keras that has no counterpart",
    "use the public methods of layers and models",
)

_PRIVATE = "it is a private name of Keras 2"
_OF_KERAS_1 = "it went in Keras 2"

#: of names that begin with an underscore and are not below
PRIVATE = Refusal(_PRIVATE, "use the public methods of layers and models")

#: module without 'keras.' -> name -> refusal; the modules that share the contents of another share its refusals
REFUSED: Mapping[str, Mapping[str, Refusal]] = {
    "": {
        "optimizer_v2": Refusal(
            "optimizers of tensorflow.python.keras are written on operations of TensorFlow",
            "write a subclass of keras.optimizers.Optimizer with get_updates, or update_step",
        ),
    },
    "backend": {
        "get_session": Refusal(_NO_SESSION, "write K.function(inputs, outputs)(values), or K.get_value(x)"),
        "set_session": Refusal(
            _NO_SESSION,
            "leave the call out; kbackend.set_device and kbackend.set_threads choose devices and threads",
        ),
        "tf": Refusal("kbackend runs the same graph on any engine", "write the function of K of that name"),
        "theano": Refusal("kbackend does not run on Theano", "write the function of K of that name"),
        "T": Refusal("kbackend does not run on Theano", "write the function of K of that name"),
        "_BACKEND": Refusal(_PRIVATE, "write K.backend()"),
        "v1_variable_initialization": Refusal(_NO_SESSION, "leave the call out; variables initialize themselves"),
    },
    "models": {"Graph": _GRAPH},
    "layers": {
        "containers": Refusal("layers.containers went in Keras 1", "write keras.models.Sequential and Model"),
        "AutoEncoder": Refusal("it went in Keras 1", "write the encoder and the decoder as layers of one Model"),
        "Siamese": Refusal("it went in Keras 1", "call one layer or model on several inputs"),
        "LambdaMerge": Refusal("it went in Keras 1", "write Lambda(function)([a, b])"),
        "Recurrent": Refusal(
            "recurrent layers with a method step(x, states) went in Keras 2.1",
            "write the step as call(inputs, states) of a cell with state_size, and RNN(cell)",
        ),
        "SReLU": Refusal(_OF_KERAS_1, "write a Layer of your own, or PReLU"),
        "ParametricSoftplus": Refusal(_OF_KERAS_1, "write a Layer of your own, or PReLU"),
        "_time_distributed_dense": Refusal(_PRIVATE, "write K.dot(x, w) + b, or TimeDistributed(Dense(units))"),
        "_generate_dropout_mask": Refusal(_PRIVATE, "write K.in_train_phase(K.dropout(ones, rate), ones)"),
        "_standardize_args": Refusal(_PRIVATE, "call the layer with initial_state= and constants="),
        "_Conv": Refusal(_PRIVATE, "derive from Conv1D, Conv2D or Conv3D"),
        "_Pooling1D": Refusal(_PRIVATE, "derive from MaxPooling1D or AveragePooling1D"),
        "_Pooling2D": Refusal(_PRIVATE, "derive from MaxPooling2D or AveragePooling2D"),
        "_GlobalPooling1D": Refusal(_PRIVATE, "derive from GlobalMaxPooling1D or GlobalAveragePooling1D"),
        "_GlobalPooling2D": Refusal(_PRIVATE, "derive from GlobalMaxPooling2D or GlobalAveragePooling2D"),
        "ConvRecurrent2D": Refusal("it was a base class without a use of its own", "write ConvLSTM2D"),
    },
    "engine": {
        "Node": _INTERNAL,
        "load_weights_from_hdf5_group": Refusal(
            "files of Keras are read as a whole", "write model.load_weights(path), by_name=True for some layers"
        ),
        "load_weights_from_hdf5_group_by_name": Refusal(
            "files of Keras are read as a whole", "write model.load_weights(path, by_name=True)"
        ),
        "preprocess_weights_for_loading": Refusal(
            "files of Keras 1 and 2 are converted when they are read", "write model.load_weights(path)"
        ),
        "Container": Refusal("it became Network in Keras 2", "write keras.models.Model"),
    },
    "utils": {
        "multi_gpu_model": Refusal(
            "kbackend trains a model on one device of a process", "leave the call out, and use the model itself"
        ),
        "test_utils": Refusal("it tests the layers of Keras itself", "compare model.predict with values of your own"),
    },
    "metrics": {
        name: Refusal("metrics that are only right for a whole data set went in Keras 2", f"write {instead}")
        for name, instead in (
            ("precision", "keras.metrics.Precision()"),
            ("recall", "keras.metrics.Recall()"),
            ("fbeta_score", "a function of K, or sklearn.metrics.fbeta_score of predictions"),
            ("fmeasure", "a function of K, or sklearn.metrics.f1_score of predictions"),
            ("matthews_correlation", "a function of K, or sklearn.metrics.matthews_corrcoef of predictions"),
        )
    },
    "regularizers": {"EigenvalueRegularizer": Refusal(_OF_KERAS_1, "write a Regularizer of your own")},
    "preprocessing": {"apply_transform": Refusal("it became private in Keras 2.2", "write apply_affine_transform")},
    "applications": {
        **{
            name: Refusal("blocks of networks are no functions of their own here", "write the block with layers")
            for name in ("identity_block", "conv_block", "conv2d_bn")
        },
        **{
            name: Refusal("kbackend downloads no weights", "give the network weights='path of a file'")
            for name in ("WEIGHTS_PATH", "WEIGHTS_PATH_NO_TOP")
        },
    },
    "optimizers": {
        "TFOptimizer": Refusal(
            "it wraps optimizers of TensorFlow 1, which change TensorFlow's own variables",
            "write a name of keras.optimizers",
        ),
    },
}
