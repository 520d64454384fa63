"""TensorFlow fuses layers and activations in training steps: kernels have the form that it recognizes."""

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers

pytestmark = pytest.mark.engine("tensorflow")
pytest.importorskip("tensorflow")


def test_bias_and_activation_are_fused_in_a_training_step():
    from tensorflow.python.eager import context

    with kbackend.use_backend("tensorflow"):
        x = Input((8, 8, 3))
        h = layers.Conv2D(4, 3, activation="relu")(x)
        h = layers.DepthwiseConv2D(3, activation="relu")(h)
        model = Model(x, layers.Dense(2, activation="relu")(layers.Flatten()(h)))
        model.compile("sgd", "mse")
        data = np.ones((4, 8, 8, 3), "float32")
        context.enable_run_metadata()  # before the first call, which optimizes the graph
        try:
            model.train_on_batch(data, np.zeros((4, 2)))
            graphs = context.export_run_metadata().function_graphs
        finally:
            context.disable_run_metadata()
    nodes = [node for graph in graphs for node in graph.post_optimization_graph.node]
    fused = {node.op: list(node.attr["fused_ops"].list.s) for node in nodes if "fused_ops" in node.attr}
    assert fused == dict.fromkeys(
        ("_FusedConv2D", "_FusedDepthwiseConv2dNative", "_FusedMatMul"), [b"BiasAdd", b"Relu"]
    )
