"""Programs of Keras 1 and 2 run as they are, on any engine.

:func:`install` makes ``keras``, and the modules that were below it in Keras 2.3, mean kbackend in this process, with
the behaviour of Keras 2.3 where kbackend's own differs; ``kbackend run script.py`` and ``python -m kbackend.compat
script.py`` do it for a script. An installed Keras is not touched, and nothing of TensorFlow is imported for it.

>>> from kbackend import compat
>>> compat.install()
>>> import keras
>>> from keras.layers.core import Dense
>>> keras.__version__, Dense.__module__.split(".")[0]
('2.3.1', 'kbackend')
>>> compat.uninstall()
"""

from __future__ import annotations

from collections.abc import Callable

_undo: list[Callable[[], None]] = []


def install(report_backend: str | None = None, tf_keras: bool = False) -> None:
    """Make ``keras`` mean kbackend in this process, with the behaviour of Keras 2.3.

    Modules of an installed Keras that are loaded are set aside until :func:`uninstall`; what a program holds of them
    stays as it was. When the hook is installed already, it is installed anew with these arguments.

    Args:
        report_backend: what ``K.backend()`` answers; the name of the engine when None. Programs that know
            "tensorflow" and "theano" only want one of these.
        tf_keras: whether ``tensorflow`` is a stand-in too, with ``tensorflow.keras`` and nothing else.

    Raises:
        ValueError: a ``report_backend`` that Keras 2.3 did not have.

    See :mod:`kbackend.compat.behaviour` for what else is then as in Keras 2.3.

    >>> from kbackend import compat
    >>> compat.install(report_backend="theano")
    >>> import keras
    >>> keras.backend.backend()
    'theano'
    >>> compat.uninstall()
    """
    from kbackend.compat import behaviour, hook, reported, tensorflow

    name = reported.checked(report_backend)
    uninstall()
    _undo.append(reported.report(name))
    _undo.append(behaviour.switch_on(tf_keras))
    _undo.append(hook.Installed(hook.KerasFinder()).remove)
    if tf_keras:
        _undo.append(tensorflow.stand_in())


def uninstall() -> None:
    """Make ``keras`` mean what it meant before :func:`install`; without it nothing happens.

    >>> from kbackend import compat
    >>> compat.install()
    >>> compat.uninstall()
    >>> compat.installed()
    False
    """
    while _undo:
        _undo.pop()()


def installed() -> bool:
    """Whether the hook is installed.

    >>> from kbackend import compat
    >>> compat.installed()
    False
    """
    return bool(_undo)


__all__ = ["install", "installed", "uninstall"]
