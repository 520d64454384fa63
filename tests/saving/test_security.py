"""Files made to harm: each is refused by name of member and reason, and nothing runs, opens or connects."""

import base64
import encodings.ascii  # noqa: F401 - which h5py needs for text, and no import is allowed while a file is read
import io
import json
import marshal
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from kbackend import Input, Model, layers
from kbackend.models import load_model, model_from_json
from kbackend.saving import FormatError, archive, documents
from kbackend.saving.model_file import HEAD, model_bytes

h5py = pytest.importorskip("h5py")


def dense(name="d", units=2, **more):
    return {"class_name": "Dense", "config": {"name": name, "units": units, **more}, "name": name}


def start(shape=(None, 3)):
    return {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": list(shape)}, "name": "x"}


def sequential(*entries):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [start(), *entries]}}


def weights(fill=None):
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["0"], group["1"] = np.ones((3, 2), np.float32), np.zeros(2, np.float32)
        if fill is not None:
            fill(file)
    return out.getvalue()


def write_keras(path, config, content=None, members=()):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", "{}")
        file.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        file.writestr("model.weights.h5", weights() if content is None else content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, body in members:
                file.writestr(name, body)
    return path


def write_h5(path, config, fill=None):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.3.1"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"x", b"d"])
        group.create_group("x").attrs["weight_names"] = np.array([], "S1")
        held = group.create_group("d")
        held.attrs["weight_names"] = np.array([b"d/kernel", b"d/bias"])
        held["d/kernel"], held["d/bias"] = np.ones((3, 2), np.float32), np.zeros(2, np.float32)
        if fill is not None:
            fill(file)
    return path


def test_the_files_of_these_tests_are_right_as_such(tmp_path):
    x = np.ones((1, 3), np.float32)
    right = sequential(dense())
    for path in (write_keras(tmp_path / "m.keras", right), write_h5(tmp_path / "m.h5", right)):
        assert load_model(path).predict(x).tolist() == [[3.0, 3.0]]


#: what reading a file may not do
FORBIDDEN = frozenset({
    "exec", "compile", "import", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec",
    "os.posix_spawn", "marshal.loads", "pickle.find_class", "ctypes.dlopen",
})  # fmt: skip


@pytest.fixture(scope="module")
def audit():
    """The path that may be opened, None where nothing is watched, and what was done beside."""
    state = SimpleNamespace(allowed=None, seen=[])

    def hook(event, arguments):
        if state.allowed is not None and (
            event in FORBIDDEN or event == "open" and str(arguments[0]) != str(state.allowed)
        ):
            state.seen.append((event, str(arguments)[:200]))

    sys.addaudithook(hook)  # one for all tests: it stays, and every id() of the process calls it
    return state


@pytest.fixture
def watched(tmp_path, audit):
    """Nothing may run, open or connect. Modules that reading imports at its first time are imported before."""
    write_keras(tmp_path / "first.keras", sequential(dense()))
    load_model(tmp_path / "first.keras")

    def load(path, *args, **kwargs):
        audit.seen.clear()
        audit.allowed = path
        try:
            return load_model(path, *args, **kwargs)
        finally:
            audit.allowed = None
            assert audit.seen == []

    return load


# ------------------------------------------------------------------------------------- code


def harmful(value):
    os.environ["KBACKEND_TEST_HARM"] = "1"
    return value


CODE = base64.b64encode(marshal.dumps(harmful.__code__)).decode()
LAMBDA_3 = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
ATTACKS = {
    "Lambda bytecode of Keras 3": {"class_name": "Lambda", "config": {"name": "d", "function": LAMBDA_3}},
    "Lambda bytecode of Keras 2": {
        "class_name": "Lambda", "config": {"name": "d", "function": [CODE, None, None], "function_type": "lambda"},
    },
    "a Lambda that names a function": {
        "class_name": "Lambda",
        "config": {"name": "d", "function": "system", "function_type": "function", "module": "os"},
    },
    "a Lambda with a function of a module": {
        "class_name": "Lambda",
        "config": {"name": "d", "function": {"module": "os", "class_name": "function", "config": "system",
                                             "registered_name": "function"}},
    },
    "a class of a module": {"module": "subprocess", "class_name": "Popen", "registered_name": "Popen",
                            "config": {"name": "d", "args": ["true"]}},
    "a registered name": {"module": None, "class_name": "d", "registered_name": "builtins>exec",
                          "config": {"name": "d"}},
    "a layer of a module": {"module": "os", "class_name": "Layer.system", "config": {"name": "d"}},
    "a function as initializer": dense(
        kernel_initializer={"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
    ),
    "a class as initializer": dense(
        kernel_initializer={"module": "builtins", "class_name": "eval", "config": {"source": "1"}}
    ),
    "a function as activation": dense(
        activation={"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
    ),
    "a name with dots as activation": dense(activation="os.system"),
    "a lambda as activation": dense(activation=LAMBDA_3),
    "a lambda as argument": dense(units=LAMBDA_3),
    "an object as argument": dense(units={"class_name": "__typespec__", "module": "os", "config": {}}),
    "a wrapped torch module": {"class_name": "TorchModuleWrapper", "module": "keras.src.utils.torch_utils",
                               "config": {"name": "d", "module": base64.b64encode(pickle.dumps(os.system)).decode()}},
    "a folder of TensorFlow": {"class_name": "TFSMLayer", "config": {"name": "d", "filepath": "/etc"}},
    "a file as vocabulary": {"class_name": "StringLookup", "config": {"name": "d", "vocabulary": "/etc/passwd"}},
    "an address as vocabulary": {"class_name": "TextVectorization",
                                 "config": {"name": "d", "vocabulary": "http://localhost/x"}},
    "a file as integers": {"class_name": "IntegerLookup", "config": {"name": "d", "vocabulary": "/etc/passwd"}},
    "a function of Keras that switches safety off": {
        "class_name": "function", "module": "keras.config", "config": {"name": "d"},
        "registered_name": "enable_unsafe_deserialization",
    },
    "a Lambda that switches safety off": {
        "class_name": "Lambda",
        "config": {"name": "d", "function": {"module": "keras.config", "class_name": "function", "registered_name":
                                             "function", "config": "enable_unsafe_deserialization"}},
    },
    "a Lambda that downloads": {
        "class_name": "Lambda",
        "config": {"name": "d", "arguments": {"origin": "http://localhost/x", "extract": True},
                   "function": {"module": "keras.utils", "class_name": "function", "config": "get_file",
                                "registered_name": "function"}},
    },
    "a model of a module": {"class_name": "Functional", "module": "os", "registered_name": "builtins>exec",
                            "config": {"name": "d", "layers": [{"module": "os", "class_name": "system",
                                                                "config": {"name": "d"}}]}},
    "an operation of TensorFlow": {"class_name": "TFOpLambda", "config": {"name": "d", "function": "io.read_file"}},
    "an operation with any name": {
        "class_name": "__import__", "module": "keras.src.ops.numpy", "config": {"name": "d"},
    },
}


@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_a_configuration_names_runs(tmp_path, watched, attack, kind):
    os.environ.pop("KBACKEND_TEST_HARM", None)
    config = {**sequential(ATTACKS[attack]), "safe_mode": False}
    config["config"]["safe_mode"] = False
    path = (write_keras if kind == "keras" else write_h5)(tmp_path / "m", config)
    with pytest.raises(FormatError, match=r"m: (config\.json|model_config): layer 'd': ") as caught:
        watched(path)
    assert caught.value.reason and "KBACKEND_TEST_HARM" not in os.environ


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_our_own_file_names_runs(tmp_path, watched, attack):
    """With right checksums."""
    config = {"name": "s", "layers": [start(), ATTACKS[attack]], "safe_mode": False}
    (tmp_path / "m").write_bytes(packed(config, struct.pack("<Q", 2) + b"{}"))
    with pytest.raises(FormatError, match=r"m: model\.json: .*(\(d\)|'d'|layers\[1\])"):
        watched(tmp_path / "m")
    assert "KBACKEND_TEST_HARM" not in os.environ


def test_what_is_refused_can_be_given_by_the_name_of_the_layer(tmp_path):
    for config in ("Lambda bytecode of Keras 3", "Lambda bytecode of Keras 2", "a Lambda that names a function"):
        path = write_keras(tmp_path / "m", sequential(ATTACKS[config]))
        assert load_model(path, {"d": lambda v: v + 1}).predict(np.zeros((1, 3))).tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("setting", ["optimizer", "loss", "metrics"])
def test_nothing_that_a_compile_configuration_names_runs(tmp_path, watched, setting):
    evil = {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": "system"}
    settings = {"optimizer": "sgd", "loss": "mse", "metrics": []}
    settings[setting] = [evil] if setting == "metrics" else evil
    path = write_keras(tmp_path / "m", {**sequential(dense()), "compile_config": settings})
    with pytest.warns(UserWarning, match="is not compiled as in the file"):
        assert watched(path).optimizer is None


def test_no_name_of_a_configuration_is_imported(tmp_path):
    code = (
        "import sys; from kbackend.models import load_model\n"
        "try: load_model(sys.argv[1])\n"
        "except ValueError as error: print('antigravity' in sys.modules, error.reason)"
    )
    entry = {"module": "antigravity", "class_name": "fly", "config": {"name": "d"}}
    path = write_keras(tmp_path / "m", sequential(entry))
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False no layer 'fly' is known")


def _tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        info = tarfile.TarInfo("../../evil")
        info.size = 1
        file.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def _objects():
    out = io.BytesIO()
    np.savez(out, weights=np.array([os.getcwd], dtype=object))  # a pickle in an archive
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda: pickle.dumps(os.getcwd), "no file of kbackend"), (_tar, "no file of kbackend"),
     (_objects, r"config\.json: it is missing")],
    ids=["pickle", "tar", "npz"],
)  # fmt: skip
def test_files_that_are_none(tmp_path, watched, make, message):
    (tmp_path / "m").write_bytes(make())
    with pytest.raises(FormatError, match=message):
        watched(tmp_path / "m")
    assert {path.name for path in tmp_path.iterdir()} == {"m", "first.keras"}


# ------------------------------------------------------------------------------------- HDF5


def _replaced(file, make):
    del file["layers/dense/vars/0"]
    make(file["layers/dense/vars"])


def _external_dataset(path):
    return lambda group: group.create_dataset("0", (3, 2), "f4", external=[(str(path), 0, 24)])


def _virtual(group):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", (3, 2))
    group.create_virtual_dataset("0", layout)


def _soft(group):
    group["0"] = h5py.SoftLink("/layers/dense/vars/1")


def _external_link(group):
    group["0"] = h5py.ExternalLink("/etc/other.h5", "/a")


def _huge(group):
    group.create_dataset("0", (1 << 20, 1 << 20), "f4")


def _zeros(group):
    group.create_dataset("0", data=np.zeros((3000, 3000), "f4"), compression="gzip", compression_opts=9)


def _texts(group):
    group["0"] = np.array([b"a", b"b"])


def _references(group):
    group.create_dataset("0", (3, 2), h5py.ref_dtype)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (None, "lies in another file"),
        (_virtual, "made of others"),
        (_soft, "SoftLink leads elsewhere"),
        (_external_link, "ExternalLink leads elsewhere"),
        (_huge, "bytes, of which the file stores 0"),
        (_zeros, "of which the file stores"),
        (_texts, "not numbers"),
        (_references, "not numbers"),
    ],
)
def test_only_numbers_in_the_file_itself_are_read(tmp_path, watched, make, message):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 24)
    make = make or _external_dataset(secret)
    path = write_keras(tmp_path / "m", sequential(dense()), weights(lambda file: _replaced(file, make)))
    with pytest.raises(FormatError, match=rf"m: model\.weights\.h5: layers/dense/vars/0: .*{message}"):
        watched(path)


def test_groups_inside_themselves(tmp_path, watched):
    def loop(file):
        del file["layers/dense"]
        file["layers/dense"] = file["layers"]

    path = write_keras(tmp_path / "m", sequential(dense()), weights(loop))
    with pytest.raises(FormatError, match=r"layers/dense/vars: the group is missing"):
        watched(path)


@pytest.mark.parametrize("name", ["../d/kernel", "/model_weights/d/d/kernel", "d/../d/kernel", ""])
def test_names_of_weights_stay_in_their_group(tmp_path, watched, name):
    def change(file):
        file["model_weights/d"].attrs["weight_names"] = np.array([name.encode(), b"d/bias"])

    with pytest.raises(FormatError, match="no path inside the group"):
        watched(write_h5(tmp_path / "m", sequential(dense()), change))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", 3, None])
def test_names_of_layers_are_no_paths(tmp_path, watched, name):
    entry = {"class_name": "Dense", "config": {"name": name, "units": 2}}
    with pytest.raises(FormatError, match="name of a layer must be a text and no path"):
        watched(write_keras(tmp_path / "m", sequential(entry)))


# ------------------------------------------------------------------------------------- zip


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../b", "C:\\evil", "a\\b", "a//b", "./a"])
def test_members_with_names_that_lead_out(tmp_path, watched, name):
    path = write_keras(tmp_path / "m", sequential(dense()), members=[(name, "x")])
    with pytest.raises(FormatError, match="not a plain path inside the archive"):
        watched(path)


def test_members_that_are_there_twice(tmp_path, watched):
    path = write_keras(tmp_path / "m", sequential(dense()), members=[("config.json", "{}")])
    with pytest.raises(FormatError, match=r"config\.json: it is in the archive twice"):
        watched(path)


def test_members_that_grow(tmp_path, watched):
    with zipfile.ZipFile(tmp_path / "m", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", " " * 30_000_000)
        file.writestr("model.weights.h5", weights())
    with pytest.raises(FormatError, match=r"config\.json: it has 30000000 bytes, \d+ compressed"):
        watched(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.writestr("model.json", b"{}"), "twice"),
        (lambda file: file.writestr("../model.json", b"{}"), "not a plain path"),
        (lambda file: file.writestr("more.json", b"{}"), "checksum|no such member"),
        (lambda file: file.writestr("x.json", b" " * 99, zipfile.ZIP_DEFLATED), "compressed"),
    ],
)
def test_members_of_our_file(tmp_path, watched, change, message):
    x = Input((3,))
    Model(x, layers.Dense(2)(x)).save(tmp_path / "m")
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "m", "a") as file:
        warnings.simplefilter("ignore")
        change(file)
    with pytest.raises(FormatError, match=message):
        watched(tmp_path / "m")


# ------------------------------------------------------------------------------------- sizes and nesting


@pytest.mark.parametrize("depth", [150, 3000, 100_000])
def test_nested_documents(tmp_path, watched, depth):
    text = '{"class_name":"Sequential","config":{"name":"s","layers":' + "[" * depth + "]" * depth + "}}"
    with pytest.raises(FormatError, match="nested|list of objects"):
        watched(write_keras(tmp_path / "m", text))


def test_nested_models(tmp_path, watched):
    inner = dense()
    for i in range(90):
        inner = {"class_name": "Sequential", "config": {"name": f"s{i}", "layers": [inner]}, "name": f"s{i}"}
    with pytest.raises(FormatError, match="nested"):
        watched(write_keras(tmp_path / "m", {"class_name": "Sequential", "config": {"name": "t", "layers": [inner]}}))


def test_large_documents_are_not_parsed(monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_DOCUMENT", 10)
    with pytest.raises(FormatError, match="m: it has 11 bytes, more than 10"):
        documents.parsed(b'"aaaaaaaaa"', "m")


@pytest.mark.parametrize("units", [10**9, 10**12, 10**30])
def test_shapes_larger_than_the_file(tmp_path, watched, units):
    for path in (write_keras(tmp_path / "k", sequential(dense(units=units))),
                 write_h5(tmp_path / "h", sequential(dense(units=units)))):
        with pytest.raises(FormatError, match="layer 'd': .*larger than what the file has"):
            watched(path)


def packed(config, arrays):
    document = {"class_name": "Sequential", "config": config, "draws": {}, "variables": [], "arguments": [],
                "weights": [], "state": []}
    return archive.packed({"model.json": json.dumps(document).encode(), "weights.safetensors": arrays}, HEAD)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}, "bytes"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "another number of bytes"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
          "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "starts at byte"),
        ({"a": {"dtype": "OBJ", "shape": [1], "data_offsets": [0, 4]}}, "dtype"),
        ({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, "no shape"),
        ({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, "no shape"),
        ({"a": {"dtype": "F32", "shape": [1] * 40, "data_offsets": [0, 4]}}, "no shape"),
        ({"a": 3}, "missing"),
        ([], "no object"),
    ],
)
def test_heads_of_arrays(tmp_path, watched, head, message):
    text = json.dumps(head).encode()
    arrays = struct.pack("<Q", len(text)) + text + b"\0" * 4
    (tmp_path / "m").write_bytes(packed({"name": "s", "layers": []}, arrays))
    with pytest.raises(FormatError, match=rf"weights\.safetensors.*{message}"):
        watched(tmp_path / "m")


def test_our_own_files_open_nothing_else(tmp_path, watched):
    x = Input((3,))
    model = Model(x, layers.Dropout(0.5)(layers.Dense(2)(x)))
    model.compile("adam", "mse")
    (tmp_path / "m").write_bytes(model_bytes(model))
    load_model(tmp_path / "m")  # which imports what it needs
    watched(tmp_path / "m")


def test_json_names_nothing_that_runs():
    text = json.dumps({"class_name": "os.system", "config": {"command": "true"}})
    with pytest.raises(ValueError, match="unknown layer"):
        model_from_json(text)
