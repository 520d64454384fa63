"""Changed files of each format are read, and what happens is counted.

    python -m benchmarks.files.fuzz_files --count 10000 --seed 0

A file is right, and then changed: bits, bytes, pieces cut out, doubled or exchanged; or, so that checksums do not stop
the change, an entry of its configuration with the checksums made right again. Reading may end in two ways: a
``FormatError``, or a model that predicts as before. What counts as a fault:

- crash: any other error, or the end of the process,
- hang: more than ten seconds,
- execution: code, a process, a connection, or another file opened,
- silent: bytes were changed and the model is another one. ``.h5`` has no checksums: there, other values of weights are
  counted apart, as "values".

A changed configuration that is right may give another model; this is counted as "other". Each change follows from the
seed and its number, so that a fault can be made again.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

FORMATS = (".kb", ".keras", ".h5", ".weights.h5", ".safetensors", ".json", ".yaml")
#: formats of text, without weights
TEXTS = (".json", ".yaml")
FAULTS = ("crash", "hang", "execution", "silent")
SECONDS = 10
X = np.random.RandomState(0).normal(size=(2, 5, 3)).astype(np.float32)
_HARM = [None, True, -1, 0, 2, 2**31, 2**70, 1e308, float("nan"), "", "x", "../x", "os.system", [], [[]], {}, [None],
         {"class_name": "Lambda", "config": {"function": "os.system"}}, {"module": "os", "class_name": "system"},
         {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}, "float64", "relu", ["x", 0, 0]]  # fmt: skip
_OURS = [str(Path(__file__).parents[2] / folder) + os.sep for folder in ("kbackend", "backends")]
_EVENTS = {"exec", "socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "marshal.loads",
           "pickle.find_class"}  # fmt: skip


def model() -> Any:
    import kbackend
    from kbackend import Input, Model, Sequential, layers

    kbackend.set_seed(1)
    x = Input((5, 3), name="x")
    chain = [layers.Dense(4, activation="tanh", input_shape=(5, 3), name="d"), layers.Dropout(0.2, name="p")]
    inner = Sequential(chain, name="inner")
    h = layers.BatchNormalization(name="norm")(inner(x))
    h = layers.LSTM(3, name="lstm")(layers.Conv1D(4, 2, padding="same", name="conv")(h))
    found = Model(x, layers.Dense(2, name="out")(h), name="m")
    found.compile("adam", "mse", metrics=["mae"])
    return found


def contents(kind: str, folder: Path) -> bytes:
    """A right file of a format."""
    made, path = model(), folder / f"right{kind}"
    if kind in TEXTS:
        return (made.to_json() if kind == ".json" else made.to_yaml()).encode()
    (made.save_weights if kind in (".weights.h5", ".safetensors") else made.save)(path)
    return path.read_bytes()


def read(kind: str, path: Path) -> Any:
    """The model of a file."""
    from kbackend.models import load_model, model_from_json, model_from_yaml

    if kind in TEXTS:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        return model_from_json(text) if kind == ".json" else model_from_yaml(text)
    if kind in (".weights.h5", ".safetensors"):
        found = model()
        found.load_weights(path)
        return found
    return load_model(path)


def predicted(kind: str, found: Any) -> Any:
    """What the model predicts; of one without weights its configuration."""
    return found.get_config() if kind in TEXTS else found.predict(X)


def same(first: Any, second: Any) -> bool:
    return first == second if isinstance(second, dict) else np.array_equal(first, second)


# ------------------------------------------------------------------------------------- changes


def changed_bytes(content: bytes, draws: np.random.RandomState) -> bytes:
    data = bytearray(content)
    for _ in range(draws.randint(1, 4)):
        place = int(draws.randint(len(data))) if data else 0
        size = int(draws.choice([1, 2, 4, 8, 64, 512]))
        match draws.randint(7):
            case 0 | 1:
                data[place : place + 1] = bytes([(data[place] if data else 0) ^ (1 << draws.randint(8))])
            case 2:
                data[place : place + size] = draws.bytes(len(data[place : place + size]))
            case 3:
                del data[place : place + size]
            case 4:
                data[place:place] = data[place : place + size]
            case 5:
                data[place : place + size] = b"\xff" * len(data[place : place + size])
            case 6:
                del data[place if draws.randint(3) == 0 else len(data) :]
    return bytes(data)


def changed_document(document: Any, draws: np.random.RandomState) -> Any:
    """The document with an entry changed, removed or doubled somewhere."""
    document = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        value = stack.pop()
        keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            places.append((value, key))
            stack.append(value[key])
    for _ in range(draws.randint(1, 3)):
        holder, key = places[draws.randint(len(places))]
        other, its_key = places[draws.randint(len(places))]
        try:
            match draws.randint(4):
                case 0:
                    del holder[key]
                case 1 | 2:
                    holder[key] = copy.deepcopy(_HARM[draws.randint(len(_HARM))])
                case 3:
                    holder[key] = copy.deepcopy(other[its_key])
        except (KeyError, IndexError):
            continue  # an earlier change has removed it
    return document


def changed_inside(kind: str, content: bytes, draws: np.random.RandomState) -> bytes | None:
    """The file with its configuration changed and its checksums right; None for formats without a configuration."""
    if kind == ".json":
        return json.dumps(changed_document(json.loads(content), draws)).encode()
    if kind == ".yaml":
        import yaml

        return yaml.safe_dump(changed_document(yaml.safe_load(content), draws)).encode()
    if kind in (".kb", ".keras"):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = {name: file.read(name) for name in file.namelist() if name != "manifest.json"}
        names = [name for name in members if name.endswith(".json") and name != "metadata.json"]
        name = names[draws.randint(len(names))]
        members[name] = json.dumps(changed_document(json.loads(members[name]), draws)).encode()
        if kind == ".kb":
            from kbackend.saving import archive
            from kbackend.saving.model_file import HEAD

            return archive.packed(members, HEAD)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            for name, member in members.items():
                file.writestr(name, member)
        return out.getvalue()
    if kind != ".h5":
        return None
    import h5py

    out = io.BytesIO(content)
    with h5py.File(out, "r+") as file:
        key = ("model_config", "training_config")[draws.randint(2)]
        file.attrs[key] = json.dumps(changed_document(json.loads(file.attrs[key]), draws))
    return out.getvalue()


# ------------------------------------------------------------------------------------- one file


class _Watch:
    """Counts what may not happen while a file is read."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: Any) -> None:
        if self.path is None:
            return
        other = event == "open" and isinstance(arguments[0], str) and arguments[0] != self.path
        name = str(arguments[0]) if other else getattr(arguments[0], "co_filename", "") if event == "exec" else ""
        ours = "site-packages" in name or name.startswith((sys.prefix, *_OURS, "<"))  # imported when it is first used
        if (event in _EVENTS or other) and not ours:
            self.seen.append(f"{event} {str(arguments)[:100]}")


def outcome(kind: str, path: Path, right: Any, inside: bool, watch: _Watch) -> tuple[str, str]:
    """What reading a file comes to, and a detail."""
    from kbackend.saving import FormatError

    def late(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    watch.seen.clear()
    watch.path = str(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(kind, path)
            watch.path = None
            try:
                is_same = same(predicted(kind, found), right)
            except TimeoutError:
                raise
            except Exception:
                is_same = False  # another model, which takes other inputs
        result = "same" if is_same else "other" if inside else "silent", ""
    except FormatError as error:
        result = "refused", str(error)
    except TimeoutError:
        result = "hang", ""
    except Exception as error:
        result = "crash", f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        watch.path = None
    if watch.seen:
        return "execution", "; ".join(watch.seen)
    if result[0] == "silent" and kind in (".h5", ".weights.h5", ".safetensors", *TEXTS):
        return "values", ""  # formats without checksums
    return result


def worker(kind: str, seed: int, first: int, count: int, pipe: Any) -> None:
    import difflib  # noqa: F401, which messages import when they are first made

    os.environ["KBACKEND"] = "numpy"
    watch = _Watch()
    with tempfile.TemporaryDirectory() as folder:
        content = contents(kind, Path(folder))
        path = Path(folder) / f"changed{kind}"
        path.write_bytes(content)
        right = predicted(kind, read(kind, path))
        for number in range(first, first + count):
            draws = np.random.RandomState([seed, FORMATS.index(kind), number])
            inside = bool(draws.randint(2))
            made = changed_inside(kind, content, draws) if inside else None
            inside = made is not None
            made = changed_bytes(content, draws) if made is None else made
            if made == content:
                pipe.send((number, "same", ""))
                continue
            path.write_bytes(made)
            pipe.send((number, *outcome(kind, path, right, inside, watch)))
    pipe.send(None)


def run(kind: str, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Counts of what happened, and the faults. A process that ends is a crash; another one goes on."""
    context = multiprocessing.get_context("spawn")
    counts: Counter[str] = Counter()
    faults: list[str] = []
    next_one = 0
    while next_one < count:
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=worker, args=(kind, seed, next_one, count - next_one, send))
        process.start()
        send.close()
        ended = hung = False
        while True:
            try:
                report = receive.recv() if receive.poll(2 * SECONDS) else ("hung",)
            except EOFError:
                ended = True
                break
            if report is None:
                break
            if report == ("hung",):
                process.kill()  # a loop in the C library, which no signal ends
                ended = hung = True
                break
            number, result, detail = report
            next_one = number + 1
            counts[result] += 1
            if result in FAULTS:
                faults.append(f"{kind} {number}: {result}: {detail}")
        process.join()
        if ended:
            counts["hang" if hung else "crash"] += 1
            faults.append(f"{kind} {next_one}: the process ended with {process.exitcode}")
            next_one += 1
    return counts, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="files of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    options = parser.parse_args()
    all_faults: list[str] = []
    kinds = ("refused", "same", "other", "values", *FAULTS)
    print(f"{'format':14}" + "".join(f"{k:>10}" for k in kinds))
    for kind in options.formats:
        counts, faults = run(kind, options.count, options.seed)
        print(f"{kind:14}" + "".join(f"{counts[k]:>10}" for k in kinds), flush=True)
        all_faults += faults
    print("\n".join(all_faults[:50]))
    return int(bool(all_faults))


if __name__ == "__main__":
    sys.exit(main())
