"""What calls of layers record: per thread, per call, and nothing when a call fails or is only tried."""

from __future__ import annotations

import sys
import threading

import pytest

from kbackend import Input, K, Model, Sequential, layers
from kbackend.layers.base.recording import current, depth, detached


class Penalised(layers.Layer):
    """Adds a loss in its call, and waits for another thread in the middle of it."""

    def __init__(self, meeting=None, **kwargs):
        super().__init__(**kwargs)
        self.meeting = meeting

    def call(self, inputs):
        self.seen = depth()
        if self.meeting is not None:
            self.meeting.wait()
        self.add_loss(K.sum(inputs))
        if self.meeting is not None:
            self.meeting.wait()
        return inputs * 2


def test_each_thread_records_the_calls_of_its_own():
    meeting = threading.Barrier(2, timeout=30)
    made = [Penalised(meeting, name=f"penalised_{i}") for i in range(2)]
    inputs = [Input((2,), name=f"x{i}") for i in range(2)]
    threads = [threading.Thread(target=layer, args=(x,)) for layer, x in zip(made, inputs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [layer.seen for layer in made] == [1, 1] and depth() == 0 and current() is None
    for layer, x in zip(made, inputs):
        assert len(layer.losses) == 1 and len(layer.get_losses_for(x)) == 1
        assert [record.layer for record in layer.output.history.losses] == [layer]


def test_inner_calls_pass_their_losses_to_the_outer_one():
    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = Penalised()

        def call(self, inputs):
            return self.inner(inputs)

    outer = Outer()
    outer(Input((2,)))
    assert len(outer.losses) == 1 and outer.inner.seen == 2 and outer.inner.losses == []


def test_a_failed_or_detached_call_records_nothing():
    class Fails(Penalised):
        def call(self, inputs):
            super().call(inputs)
            raise ValueError("no")

    layer = Fails()
    with pytest.raises(ValueError, match="no"):
        layer(Input((2,)))
    assert layer.losses == [] and depth() == 0

    class Recovers(layers.Layer):
        def call(self, inputs):
            with pytest.raises(ValueError, match="no"):
                layer(inputs)
            return inputs * 2

    outer = Recovers()
    outer(Input((2,)))
    assert outer.losses == []
    tried = Penalised()
    with detached():
        tried(Input((2,)))
    assert tried.losses == [] and depth() == 0


def test_two_threads_build_models_at_once():
    meeting = threading.Barrier(2, timeout=30)

    class Meets(layers.Layer):
        """Lets both threads be in the middle of a build, and then of a call."""

        def build(self, input_shape):
            meeting.wait()
            self.inner = Sequential([layers.BatchNormalization(input_shape=input_shape[1:]), layers.Dense(2)])
            meeting.wait()
            super().build(input_shape)

        def call(self, inputs):
            meeting.wait()
            result = self.inner(inputs)
            self.add_loss(K.mean(result))
            meeting.wait()
            return result

    made = {}

    def build(number):
        x = Input((3,))
        h = layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")(x)
        made[number] = Model(x, layers.BatchNormalization()(Meets(name=f"meets_{number}")(h)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=build, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    for number, other in ((0, 1), (1, 0)):
        model = made[number]
        assert len(model.layers) == 4 and len(model.weights) == 2 + 4 + 2 + 4
        assert (len(model.losses), len(model.updates)) == (3, 4)
        owners = {layer for call in model._topology.calls for record in call.updates for layer in record.around}
        assert owners == {model.layers[2], model.layers[2].inner}
        assert not {id(v) for v in model.weights} & {id(v) for v in made[other].weights}
