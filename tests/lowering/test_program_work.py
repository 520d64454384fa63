"""Programs hold no work that they need not: kernels a step, programs a run, memory a step."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers
from kbackend.plugin.select import active_target

RNG = np.random.default_rng(0)


def autoencoder():
    pixels = Input((20,))
    h = layers.Dense(8, activation="relu")(layers.Dropout(0.3)(pixels))
    return compiled(Model(pixels, layers.Dense(20, activation="sigmoid")(h)), "binary_crossentropy")


def convnet():
    x = image = Input((12, 12, 1))
    for filters in (4, 6):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(3, activation="softmax")(layers.Flatten()(x))
    return compiled(Model(image, x), "sparse_categorical_crossentropy")


def branches():
    inputs = [Input((5, 4)), Input((5, 4))]
    x = layers.Concatenate()([layers.LSTM(6)(t) for t in inputs])
    return compiled(Model(inputs, layers.Dense(3, activation="softmax")(x)), "sparse_categorical_crossentropy")


def compiled(model, loss):
    model.compile("adam", loss)
    return model


def calls(function, phase):
    """Kernels called by the program of the active engine, with how often."""
    program = function.program(active_target(), phase)
    names = re.findall(r"= ([a-z_]+?)(?:_\d+)?\(|^    ([a-z_]+?)(?:_\d+)?\(\(", program.source, re.M)
    return Counter(a or b for a, b in names if (a or b) not in ("watch", "plain", "read", "constant", "copy", "cells"))


def train_calls(model):
    return calls(model._steps.train().function, 1)


STEP = Counter(gradients=1, add=1, adam_step=1)
LOSS = Counter(mean=1) + STEP


@pytest.mark.engine("torch")
def test_training_steps_on_torch():
    with kbackend.use_backend("torch"):
        assert train_calls(autoencoder()) == LOSS + Counter(
            dropout=1, dense=2, relu=1, sigmoid_crossentropy=1)
        labels = Counter(squeeze=1, label_crossentropy=1, clip_range=1)
        assert train_calls(convnet()) == LOSS + labels + Counter(
            convolution=2, max_pool=2, relu=2, reshape=1, dense=1)
        assert train_calls(branches()) == LOSS + labels + Counter(lstm=2, concatenate=1, dense=1)


def test_predictions_call_a_kernel_a_layer(each_backend):
    found = calls(autoencoder()._steps.predict(), 0)
    assert found == Counter(dense=2, relu=1, sigmoid=1)
    found = calls(convnet()._steps.predict(), 0)
    assert found == Counter(convolution=2, max_pool=2, relu=2, reshape=1, dense=1, softmax=1)


def test_relu_sees_what_the_pool_leaves(each_backend):
    source = convnet()._steps.predict().program(active_target(), 0).source
    order = re.findall(r"= (max_pool|relu)", source)
    assert order == ["max_pool", "relu"] * 2


def test_one_program_a_run_whatever_the_sizes_of_batches(each_backend):
    model = autoencoder()
    x = RNG.normal(size=(11, 20)).astype("float32")
    model.fit(x, x, batch_size=4, epochs=2, verbose=0)
    model.fit(x, x, batch_size=5, verbose=0)
    model.predict(x, batch_size=3)
    model.predict_on_batch(x[:1])
    assert (model.programs_made("train"), model.programs_made("predict")) == (1, 1)


@pytest.mark.engine("tensorflow")
def test_tensorflow_traces_once_a_run(monkeypatch):
    with kbackend.use_backend("tensorflow"):
        traced = []
        backend = active_target().backend
        whole = type(backend).compile

        def noted(self, emitted, *rest):
            traced.append(emitted)
            return whole(self, emitted, *rest)

        monkeypatch.setattr(type(backend), "compile", noted)
        model = convnet()
        x, y = RNG.normal(size=(7, 12, 12, 1)).astype("float32"), RNG.integers(0, 3, 7)
        model.fit(x, y, batch_size=4, epochs=3, verbose=0)
        assert len(traced) == 1
        runs = []
        function = traced[0].function
        traced[0].function = lambda *a: runs.append(1) or function(*a)
        model.fit(x, y, batch_size=3, verbose=0)
        assert not runs


@pytest.mark.engine("torch")
def test_torch_is_not_asked_to_compare_gradients(monkeypatch):
    """``None in gradients`` compares elements; it took a twelfth of the autoencoder's step."""
    import torch

    with kbackend.use_backend("torch"):
        model = autoencoder()
        x = RNG.normal(size=(4, 20)).astype("float32")
        model.train_on_batch(x, x)
        compared = []
        whole = torch.Tensor.__eq__
        monkeypatch.setattr(torch.Tensor, "__eq__", lambda a, b: compared.append(b) or whole(a, b))
        model.train_on_batch(x, x)
        assert not compared


def test_targets_that_are_the_inputs_are_gathered_once():
    from kbackend.training.arrays import Groups
    from kbackend.training.sources.arrays import Batches

    x, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    batches = Batches(Groups([x], [x, y], []), 4)
    ((_, (first, second, third)),) = batches.shuffled(lambda a: a, np.array([3, 1, 0, 2]))
    assert first is second and first is not x
    np.testing.assert_array_equal(first, x[[3, 1, 0, 2]])
    np.testing.assert_array_equal(third, [3, 1, 0, 2])


def test_a_step_on_numpy_holds_little_more_than_its_activations():
    """Registers die with their last use: at the peak some copies of the largest activations and gradients."""
    with kbackend.use_backend("numpy"):
        pixels = Input((400,))
        x = pixels
        for _ in range(12):
            x = layers.Dense(400, activation="relu")(x)
        model = compiled(Model(pixels, x), "mse")
        rows = RNG.normal(size=(256, 400)).astype("float32")
        model.predict_on_batch(rows)
        tracemalloc.start()
        model.predict_on_batch(rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4.5 * rows.nbytes, peak / rows.nbytes


def torch_allocates(step):
    """Bytes that torch's operators allocate in a call, freed ones included."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        step()
    return sum(max(event.self_cpu_memory_usage, 0) for event in found.events())


@pytest.mark.engine("torch")
def test_a_training_step_on_torch_allocates_what_one_by_hand_does():
    import torch

    rows = RNG.normal(size=(64, 200)).astype("float32")
    with kbackend.use_backend("torch"):
        x = pixels = Input((200,))
        for _ in range(6):
            x = layers.Dense(200, activation="relu")(x)
        model = compiled(Model(pixels, x), "mse")
        program = model._steps.train().function.program(active_target(), 1)
        inputs = [active_target().feed(rows), active_target().feed(rows)]
        program(inputs)
        ours = torch_allocates(lambda: program(inputs))

    network = torch.nn.Sequential(*[m for _ in range(6) for m in (torch.nn.Linear(200, 200), torch.nn.ReLU())])
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    given = torch.from_numpy(rows)

    def by_hand():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(given), given).backward()
        optimizer.step()

    by_hand()
    theirs = torch_allocates(by_hand)
    in_the_loss = 4 * rows.nbytes  # difference, square and their gradients, which mse_loss has inside
    assert ours <= theirs + in_the_loss + 1000, (ours, theirs)
