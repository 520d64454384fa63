"""The commands of ``kbackend``, a module each.

A module of :data:`COMMANDS` has ``add_arguments(parser)``, which declares its arguments, and ``run(options)``, which
returns the exit code: 0, or 1 where it found what it looks for. Mistakes of the user are raised as ``ValueError``,
``RuntimeError`` or ``OSError`` with a message that stands alone.
"""

#: name -> one line of help; the module of that name is imported when the command is called
COMMANDS = {
    "info": "show engines, versions, devices and settings, and what can be installed",
    "demo": "train two models on handwritten digits, on every installed engine",
    "show": "print the summary or the program of a model, or draw it",
    "convert": "write a model in another format: Keras's, ONNX and others",
    "diff": "name the nodes of a model where engines differ",
    "tune": "find the fastest way to run a model here, and remember it",
    "bench": "compare the speed of installed engines on this machine",
    "conform": "run the conformance kit on a backend",
    "run": "run a program of Keras 1 or 2 as it is",
    "lint": "name what a program of Keras 1 or 2 calls and kbackend lacks",
    "backends": "list the backends",
}
