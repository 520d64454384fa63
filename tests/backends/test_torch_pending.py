"""Sums of gradients that are on their way while the backward pass goes on: all processes start them in one order."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine("torch")


class Sum:
    """A sum over two processes, of which the other one gives the same."""

    def __init__(self, name, log):
        self.name, self.log, self.sources, self.sent = name, log, [object()], None

    @property
    def filled(self):
        return self.sent is not None

    def fill(self, gradients):
        self.sent = [0.0] if gradients is None else list(gradients)

    def start(self):
        self.log.append(f"start {self.name}")
        self.sent[0] *= 2

    def wait(self):
        self.log.append(f"wait {self.name}")

    def results(self):
        return self.sent


@pytest.fixture
def made():
    from kbackend_torch.pending import Pending

    log, pending = [], Pending()
    sums = {name: Sum(name, log) for name in "abc"}
    for each in sums.values():
        pending.expect(each)
    return pending, sums, log


def test_the_last_comes_first(made):
    pending, sums, log = made
    pending.filled(sums["b"], [2.0])
    assert log == []  # c was not there
    pending.filled(sums["c"], [3.0])
    assert log == ["start c", "start b"]  # before the backward pass has come to a
    pending.filled(sums["a"], [1.0])
    found = pending.finish([s.sources[0] for s in sums.values()])
    assert log == ["start c", "start b", "start a", "wait c", "wait b", "wait a"]  # two are on their way together
    assert [found[id(s.sources[0])] for s in sums.values()] == [2.0, 4.0, 6.0]
    assert not pending


def test_what_the_backward_pass_does_not_reach_is_sent_too(made):
    pending, sums, log = made
    pending.filled(sums["b"], [2.0])
    found = pending.finish([sums["a"].sources[0]])
    assert log[:3] == ["start c", "start b", "start a"]
    assert [found[id(s.sources[0])] for s in sums.values()] == [0.0, 4.0, 0.0]


def test_a_gradient_inside_the_loss_does_not_end_them(made):
    pending, _, log = made
    assert pending.finish([object()]) == {} and pending and log == []
    pending.clear()
    assert not pending


@pytest.fixture
def log(monkeypatch):
    """What a group of one process is asked for."""
    from kbackend_torch import processes

    class Group:
        rank, size, log = 0, 1, []

        def started(self, collective, *tensors):
            self.log.append((collective, tensors[-1].numel()))
            if len(tensors) == 2:
                tensors[0].copy_(tensors[1])

        def done(self, work):
            self.log.append("done")

    group = Group()
    monkeypatch.setattr(processes, "_joined", [group])
    return group.log


def test_the_sum_of_the_last_layer_starts_before_the_backward_pass_of_the_first(log):
    import torch

    from kbackend_torch.kernels.collective.replicate import replicated
    from kbackend_torch.pending import completed
    from kbackend_torch.tape import TorchTape

    weights = [torch.ones(3, requires_grad=True), torch.ones(5, requires_grad=True)]
    (first,) = replicated(weights[:1])
    hidden = 2.0 * first.sum()
    (last,) = replicated(weights[1:])
    hidden.register_hook(lambda gradient: log.append("first layer"))
    found = completed(TorchTape().gradients)(0, (hidden * last).sum(), weights, False, True)
    assert log == [("all_reduce", 5), "first layer", ("all_reduce", 3), "done", "done"]
    assert [g.tolist() for g in found] == [[10.0] * 3, [6.0] * 5]


def test_a_gathered_weight_is_not_kept_for_the_backward_pass(log):
    import torch
    from torch.multiprocessing.reductions import StorageWeakRef

    from kbackend_torch.kernels.collective.pieces import gather_pieces, gathering
    from kbackend_torch.pending import completed
    from kbackend_torch.tape import TorchTape

    piece = torch.arange(7.0).requires_grad_()  # with padding of one

    def step(feeds):
        (whole,) = gather_pieces([piece], ((2, 3),))
        held = StorageWeakRef(whole.untyped_storage())
        loss = torch.square(torch.ones(4, 2, requires_grad=True) @ whole).sum()
        del whole
        log.append("forward" if held.expired() else "kept")
        return completed(TorchTape().gradients)(0, loss, [piece], False, True)

    (found,) = gathering(step)([])
    gather, scatter = [("all_gather", 7), "done"], [("reduce_scatter", 7), "done"]
    assert log == [*gather, "forward", *gather, *scatter]
    assert found.tolist() == [24.0, 40.0, 56.0, 24.0, 40.0, 56.0, 0.0]  # 8 * (sums of the columns 3, 5, 7)
