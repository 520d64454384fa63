"""Do the peers of a workload compute the same network, and does each of them learn?

Every peer starts from the same weights. Untrained, outputs may differ by rounding only. A few steps whose
batch is the whole data, without dropout, leave no room for chance: loss, gradients and Adam must agree. Then
each peer trains as it is measured, and the loss of its outputs, computed here for all alike, must fall.
Two optimizers are known to differ; they must differ, and by no more than stated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.peers import Peer, peers_of
from benchmarks.processes import WorkerError, WorkerProcess

EXACT = {"batch": 64, "samples": 64, "epochs": 5, "dropout": False}
LEARN = {"batch": 32, "samples": 2048, "epochs": 2, "dropout": True}
UNTRAINED_TOLERANCE, STEPS_TOLERANCE = 1e-5, 1e-3
MUST_FALL_TO = 0.6
# (workload, family, engine): how far outputs may be after the exact steps, and why.
KNOWN = {
    ("autoencoder", "by hand", "torch"): (
        0.02,
        "torch adds epsilon after the bias correction, the others before; gradients are near epsilon",
    ),
    **{
        (name, "Keras 3", "tensorflow"): (
            most,
            "Keras squares the gradient of a repeated token before it sums it, the others after; of the tagger, whose "
            "few tokens repeat the most, 0.1 off, and 4e-7 where its gradients are made dense",
        )
        for name, most in {"transformer": 0.05, "tagger": 0.2, "translator": 0.05}.items()
    },
}

Log = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """Outputs (samples, ...) of one peer before and after training, and the losses that it reported."""

    peer: Peer
    parameters: int
    before: np.ndarray
    after: np.ndarray
    losses: np.ndarray


def run(names: list[str], engines: list[str], families: list[str], log: Log) -> int:
    """Compare the peers of each workload; print every fault; return 1 if there is one."""
    faults = [fault for name in names for fault in check_workload(name, engines, families, log)]
    for fault in faults:
        print(f"FAULT {fault}")
    if not faults:
        print("all peers compute the same networks, and their losses fall")
    return 1 if faults else 0


def check_workload(name: str, engines: list[str], families: list[str], log: Log) -> list[str]:
    exact, learned, faults = [], [], []
    for peer in peers_of(name, engines, families, ["tensorflow"]):
        log(f"{name}, {peer.name}")
        try:
            one, other = trials(name, peer)
        except WorkerError as error:
            faults.append(f"{peer.name}: {error}")
            continue
        exact.append(one)
        learned.append(other)
    faults += same_network(name, exact)
    for one in learned:
        faults += learns(name, one, log)
    return [f"{name}, {fault}" for fault in faults]


def trials(workload: str, peer: Peer) -> list[Trial]:
    """The exact trial and the one that learns, each in a process of its own."""
    done = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trial.npz"
        for arguments in (EXACT, learning(workload)):
            worker = WorkerProcess(workload, peer)
            try:
                worker.receive(300)
                parameters = worker.ask("trial", file=str(file), **arguments)["parameters"]
            finally:
                worker.close()
            with np.load(file, allow_pickle=False) as found:
                before, after = (masked(workload, found[when]) for when in ("before", "after"))
                done.append(Trial(peer, parameters, before, after, found["losses"]))
    return done


def learning(name: str) -> dict[str, Any]:
    """How a workload is trained to see that it learns."""
    return LEARN | getattr(workloads.load(name), "LEARN", {})


def small(name: str) -> ModuleType:
    """A workload with the sizes of trials."""
    module = workloads.load(name)
    vars(module).update(getattr(module, "SMALL", {}))
    return module


def masked(name: str, outputs: np.ndarray) -> np.ndarray:
    """Outputs with zeros where a mask leaves none: what peers compute there differs, and nobody reads it."""
    module = workloads.load(name)
    kept = workloads.counted(module, module.data(len(outputs)).inputs)
    return outputs if kept is None else np.where(kept[..., None], outputs, 0)


def same_network(workload: str, exact: list[Trial]) -> list[str]:
    """Faults in words: another parameter count, other outputs before or after the exact steps."""
    expected = sum(array.size for array in small(workload).initial_weights().values())
    usual = [one for one in exact if known_of(workload, one) is None]
    if not usual:
        return ["no peer to compare with ran"]
    faults = []
    for one in exact:
        name = one.peer.name
        if one.parameters != expected:
            faults.append(f"{name}: {one.parameters} parameters instead of {expected}")
        if one.before.shape != usual[0].before.shape:
            faults.append(f"{name}: outputs {one.before.shape} instead of {usual[0].before.shape}")
            continue
        before, after = difference(one.before, usual[0].before), difference(one.after, usual[0].after)
        least, most = known_of(workload, one) or (0.0, steps_tolerance(workload))
        if not before <= UNTRAINED_TOLERANCE:
            faults.append(f"{name}: untrained outputs {before:.2g} off {usual[0].peer.name}")
        if not after <= most:
            faults.append(f"{name}: outputs after training {after:.2g} off {usual[0].peer.name}")
        if not after >= least:
            faults.append(f"{name}: the known difference is gone; take it out of KNOWN")
    return faults


def steps_tolerance(name: str) -> float:
    """How far outputs may be after the exact steps."""
    return getattr(workloads.load(name), "STEPS_TOLERANCE", STEPS_TOLERANCE)


def known_of(workload: str, one: Trial) -> tuple[float, float] | None:
    """Least and most that a peer known to differ is off."""
    known = KNOWN.get((workload, one.peer.family, one.peer.engine))
    return None if known is None else (steps_tolerance(workload), known[0])


def difference(mine: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(mine - theirs).max())


def learns(workload: str, one: Trial, log: Log) -> list[str]:
    """Faults of a normal training: a loss that does not fall, measured here or as the peer reports it."""
    module = workloads.load(workload)
    data = module.data(len(one.before))
    kept = workloads.counted(module, data.inputs)
    start, end = (loss_of(module.LOSS, data.targets, outputs, kept) for outputs in (one.before, one.after))
    reported = one.losses[: len(one.losses) // 4].mean(), one.losses[-len(one.losses) // 4 :].mean()
    shown = f"loss {start:.4f} to {end:.4f}, reported {reported[0]:.4f} to {reported[1]:.4f}"
    log(f"{workload}, {one.peer.name}: {shown}")
    faults = []
    if not end < MUST_FALL_TO * start:
        faults.append(f"{one.peer.name}: loss {start:.4f} ended at {end:.4f}")
    if not reported[1] < reported[0]:
        faults.append(f"{one.peer.name}: reported losses do not fall: {reported[0]:.4f}, {reported[1]:.4f}")
    plan = learning(workload)
    if len(one.losses) != plan["epochs"] * plan["samples"] // plan["batch"]:
        faults.append(f"{one.peer.name}: {len(one.losses)} losses reported, one a step is due")
    return faults


def loss_of(name: str, targets: np.ndarray, outputs: np.ndarray, kept: np.ndarray | None = None) -> float:
    """Mean loss of probabilities, in float64, of all outputs or of those that are kept."""
    p = np.clip(outputs.astype(np.float64), 1e-7, 1 - 1e-7)
    if name == "binary_crossentropy":
        return float(-np.mean(targets * np.log(p) + (1 - targets) * np.log1p(-p)))
    losses = -np.log(np.take_along_axis(p, targets[..., None], -1)[..., 0])
    return float(np.mean(losses if kept is None else losses[kept]))
