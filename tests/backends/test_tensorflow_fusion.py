"""TensorFlow fuses layers and activations in training steps: kernels have the form that it recognizes."""

import pytest

pytestmark = pytest.mark.engine("tensorflow")

#: TensorFlow keeps the graphs of all later programs of a process that has asked for them once
CODE = """
import numpy as np
from tensorflow.python.eager import context
from kbackend import Input, Model, layers

x = Input((8, 8, 3))
h = layers.Conv2D(4, 3, activation="relu")(x)
h = layers.DepthwiseConv2D(3, activation="relu")(h)
model = Model(x, layers.Dense(2, activation="relu")(layers.Flatten()(h)))
model.compile("sgd", "mse")
context.enable_run_metadata()  # before the first call, which optimizes the graph
model.train_on_batch(np.ones((4, 8, 8, 3), "float32"), np.zeros((4, 2)))
graphs = context.export_run_metadata().function_graphs
nodes = [node for graph in graphs for node in graph.post_optimization_graph.node]
fused = {n.op: b" ".join(n.attr["fused_ops"].list.s).decode() for n in nodes if "fused_ops" in n.attr}
for op, ops in sorted(fused.items()):
    print(op, ops)
"""


def test_bias_and_activation_are_fused_in_a_training_step(fresh_python):
    fused = fresh_python(CODE, {"KBACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}).splitlines()
    assert fused == [
        f"{op} BiasAdd Relu" for op in ("_FusedConv2D", "_FusedDepthwiseConv2dNative", "_FusedMatMul")
    ]
