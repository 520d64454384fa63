"""The commands of ``kbackend``, a module each.

A module of :data:`COMMANDS` has ``add_arguments(parser)``, which declares its arguments, and ``run(options)``, which
returns the exit code: 0, or 1 where it found what it looks for. Mistakes of the user are raised as ``ValueError``,
``RuntimeError`` or ``OSError`` with a message that stands alone.
"""

#: name -> one line of help; the module of that name is imported when the command is called
COMMANDS = {
    "demo": "train two models on handwritten digits, on every installed engine",
    "diff": "name the nodes of a model where engines differ",
    "backends": "list the backends",
}
