"""The choice of engine and device in a process."""

from __future__ import annotations

import os

import numpy as np
import pytest

import kbackend
from kbackend import K
from kbackend.plugin import select
from kbackend.plugin.discover import BackendError


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    monkeypatch.setattr(select, "_default", {"backend": None, "device": None})
    monkeypatch.setattr(select, "_process_target", [None])


def test_the_environment_chooses_the_backend(monkeypatch):
    monkeypatch.setenv("KBACKEND", "numpy")
    assert kbackend.backend() == K.backend() == "numpy"


def test_an_unknown_backend_is_refused_with_the_list(monkeypatch):
    monkeypatch.setenv("KBACKEND", "theano")
    with pytest.raises(
        BackendError, match="KBACKEND asks for the unknown backend 'theano'; available are .*numpy"
    ):
        K.tanh(np.zeros(2))
    with pytest.raises(BackendError, match="unknown backend 'theano'; available are .*numpy"):
        kbackend.set_backend("theano")


def test_a_device_that_is_not_there_is_refused_with_those_that_are(monkeypatch):
    monkeypatch.setenv("KBACKEND", "numpy")
    monkeypatch.setenv("KBACKEND_DEVICE", "cuda:7")
    with pytest.raises(select.DeviceError, match="numpy has no device 'cuda:7'; it has cpu"):
        K.tanh(np.zeros(2))
    with pytest.raises(select.DeviceError, match="it has cpu"), K.device("cuda:7"):
        pass


def test_the_device_of_the_process_does_not_bind_a_backend_used_for_a_while(monkeypatch):
    monkeypatch.setenv("KBACKEND_DEVICE", "cuda:7")
    with kbackend.use_backend("numpy"):
        assert select.device_name() == "cpu"
    with pytest.raises(select.DeviceError), kbackend.use_backend("numpy", device="cuda:7"):
        pass


def test_set_backend_and_use_backend_nest(monkeypatch):
    names = kbackend.available_backends()
    kbackend.set_backend("numpy")
    assert K.backend() == "numpy"
    for name in names:
        with kbackend.use_backend(name):
            assert K.backend() == name
            with kbackend.use_backend("numpy"):
                assert K.backend() == "numpy"
            with pytest.raises(BackendError), kbackend.use_backend("theano"):
                pass
            assert K.backend() == name
    assert K.backend() == "numpy"


def test_set_device(monkeypatch):
    kbackend.set_backend("numpy")
    kbackend.set_device("cpu")
    assert select.device_name() == "cpu"
    with pytest.raises(select.DeviceError):
        kbackend.set_device("cuda")
    assert select.device_name() == "cpu"


def test_the_config_file_chooses_when_the_environment_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("KBACKEND_HOME", os.fspath(tmp_path))
    (tmp_path / "config.json").write_text('{"backend": "numpy", "device": "cpu"}')
    assert K.backend() == "numpy"
    select._process_target[0] = None
    (tmp_path / "config.json").write_text('{"backend": "theano"}')
    with pytest.raises(BackendError, match=r"config.json asks for the unknown backend 'theano'"):
        K.backend()
    (tmp_path / "config.json").write_text('{"bakend": "numpy"}')
    with pytest.raises(ValueError, match=r"unknown settings \['bakend'\]"):
        K.backend()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        K.backend()
