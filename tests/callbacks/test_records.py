"""Logs in files and on servers; averages of weights; means of batches."""

from __future__ import annotations

import csv
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from kbackend import Input, Model, layers, optimizers
from kbackend.callbacks import (
    BaseLogger,
    CallbackList,
    CSVLogger,
    History,
    LambdaCallback,
    ProgbarLogger,
    RemoteMonitor,
    SwapEMAWeights,
)

ONES = np.ones((6, 1), "float32")


def made(**options):
    x = Input((1,))
    model = Model(x, layers.Dense(1, kernel_initializer="zeros")(x))
    model.compile(optimizers.SGD(0.1, **options), "mse")
    return model


def rows(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_a_row_for_each_epoch(tmp_path):
    path = tmp_path / "log.csv"
    model, logger = made(), CSVLogger(path, separator=";")
    model.fit(ONES, ONES, epochs=3, verbose=0, validation_data=(ONES, ONES), validation_freq=2, callbacks=[logger])
    head, *body = rows(path, ";")
    assert head == ["epoch", "loss", "val_loss"]
    assert [row[0] for row in body] == ["0", "1", "2"]
    assert [row[2] == "NA" for row in body] == [True, False, True]
    assert [float(row[1]) for row in body] == model.history.history["loss"]
    model.fit(ONES, ONES, epochs=1, verbose=0, callbacks=[CSVLogger(path, ";", append=True)])
    assert len(rows(path, ";")) == 5 and rows(path, ";")[-1][0] == "0"
    model.fit(ONES, ONES, epochs=1, verbose=0, callbacks=[CSVLogger(path)])
    assert len(rows(path)) == 2


def test_arrays_in_logs_are_written_in_brackets(tmp_path):
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(a=np.array([1, 2]), b=np.array(3.5)))
    made().fit(ONES, ONES, verbose=0, callbacks=[add, CSVLogger(tmp_path / "log.csv")])
    assert rows(tmp_path / "log.csv")[1][1:3] == ["[1, 2]", "3.5"]


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    received = []
    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", received
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_server_gets_each_epoch(server):
    root, received = server
    plain = RemoteMonitor(root, path="/a/", field="logs", headers={"X-Run": "7"})
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(n=np.float32(2)))
    model = made()
    model.fit(ONES, ONES, epochs=2, verbose=0, callbacks=[add, plain, RemoteMonitor(root, send_as_json=True)])
    assert [path for path, _, _ in received] == ["/a/", "/publish/epoch/end/"] * 2
    _, headers, body = received[0]
    assert headers["X-Run"] == "7" and headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = json.loads(urllib.parse.parse_qs(body)["logs"][0])
    assert form == {"epoch": 0, "loss": model.history.history["loss"][0], "n": 2.0} == json.loads(received[1][2])


def test_a_server_that_is_not_there_gives_a_warning():
    with pytest.warns(RuntimeWarning, match="cannot reach http://127.0.0.1:9"):
        made().fit(ONES, ONES, verbose=0, callbacks=[RemoteMonitor("http://127.0.0.1:9")])
    with pytest.raises(ValueError, match="root must be an address of http or https"):
        RemoteMonitor("file:///etc")


def test_validation_sees_the_averages(each_backend):
    model = made(use_ema=True, ema_momentum=0.5)
    seen = []
    kernel = model.trainable_weights[0]
    watch = LambdaCallback(
        on_test_begin=lambda logs: seen.append(("test", float(kernel.numpy().item()))),
        on_epoch_end=lambda epoch, logs: seen.append(("epoch", float(kernel.numpy().item()))),
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", float(kernel.numpy().item()))),
    )
    options = {"validation_data": (ONES, ONES), "epochs": 2, "batch_size": 3, "verbose": 0, "shuffle": False}
    model.fit(ONES, ONES, callbacks=[SwapEMAWeights(), watch], **options)
    values, averages, weight, average, bias = [], [], 0.0, 0.0, 0.0
    for step in range(4):
        gradient = 2 * (weight + bias - 1)
        weight, bias = weight - 0.1 * gradient, bias - 0.1 * gradient
        average = weight if step == 0 else 0.5 * average + 0.5 * weight
        values.append(weight)
        averages.append(average)
    expected = [("begin", 0.0), ("test", averages[1]), ("epoch", values[1])]
    expected += [("begin", values[1]), ("test", averages[3]), ("epoch", values[3])]
    assert [kind for kind, _ in seen] == [kind for kind, _ in expected]
    np.testing.assert_allclose([v for _, v in seen], [v for _, v in expected], rtol=1e-5)
    assert kernel.numpy().item() == pytest.approx(averages[3], rel=1e-5)  # as use_ema says for the end


def test_callbacks_after_the_swap_see_the_averages_between_epochs():
    model = made(use_ema=True, ema_momentum=0.5)
    kernel, seen = model.trainable_weights[0], []
    watch = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(kernel.numpy().item()))
    model.fit(ONES, ONES, batch_size=3, epochs=1, verbose=0, callbacks=[SwapEMAWeights(swap_on_epoch=True), watch])
    assert seen[0] == pytest.approx(0.26, rel=1e-5)  # (0.2 + 0.32) / 2


def test_averages_need_an_optimizer_that_keeps_them():
    with pytest.raises(ValueError, match="use_ema=True"):
        made().fit(ONES, ONES, verbose=0, callbacks=[SwapEMAWeights()])


def test_means_of_batches_are_those_of_training():
    model, found = made(), {}
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: found.update(logs))
    forget = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(loss=0.0))
    x = np.arange(6, dtype="float32")[:, None]
    model.fit(x, ONES, batch_size=4, verbose=0, callbacks=[forget, BaseLogger(), keep])
    assert found["loss"] == pytest.approx(model.history.history["loss"][0]) and found["loss"] > 0.1


def test_lists_are_made_as_those_of_keras():
    heard = []
    listen = LambdaCallback(on_batch_end=lambda batch, logs: heard.append((batch, logs)))
    told = CallbackList([listen], add_history=True, add_progbar=True, model="m", epochs=3)
    assert [type(c) for c in told.callbacks] == [LambdaCallback, ProgbarLogger, History]
    assert all(c.model == "m" and c.params == {"epochs": 3} for c in told.callbacks)
    listening = CallbackList([listen])
    listening.on_train_begin()
    listening.on_batch_end(2)
    listening.on_train_batch_end(3, {"loss": 1.0})
    assert heard == [(2, None), (3, {"loss": 1.0})]
    with pytest.raises(AttributeError, match="on_holiday"):
        listening.on_holiday()
    with pytest.raises(TypeError, match="got the unknown argument 'on_holiday'"):
        LambdaCallback(on_holiday=print)
