"""What goes wrong with files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FormatError(ValueError):
    """A file that cannot be read, or does not fit. Nothing has changed then.

    Args:
        reason: what is wrong.
        member: the part of the file, None for the whole.

    Attributes:
        reason, member: the arguments; the message is made of both.

    >>> import pathlib, tempfile
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.kb")
    >>> size = path.write_bytes(b"no model")
    >>> try:
    ...     saving.load_model(path)
    ... except saving.FormatError as error:
    ...     print(str(error).partition(": ")[2])
    it is no file of kbackend, no .keras and no .h5
    """

    def __init__(self, reason: str, member: str | None = None) -> None:
        super().__init__(reason if member is None else f"{member}: {reason}")
        self.reason, self.member = reason, member

    def inside(self, file: str) -> FormatError:
        """The error with the name of the file before that of the member."""
        named = type(self).__new__(type(self))
        FormatError.__init__(named, self.reason, file if self.member is None else f"{file}: {self.member}")
        return named


@contextmanager
def inside(name: str) -> Iterator[None]:
    """A context in which errors of a file get a name before that of the member.

    Raises:
        FormatError: the error, or one for what is nested too deep.
    """
    try:
        yield
    except FormatError as error:
        raise error.inside(name) from error.__cause__
    except RecursionError:
        raise FormatError("it is nested too deep", name) from None


@contextmanager
def reading(member: str) -> Iterator[None]:
    """A context in which whatever goes wrong is the fault of a member of a file.

    Raises:
        FormatError: for any error, which is its cause.
    """
    try:
        yield
    except FormatError as error:
        if error.member is not None:
            raise
        raise FormatError(error.reason, member) from error.__cause__
    except RecursionError:
        raise FormatError("it is nested too deep", member) from None
    except Exception as error:  # what a file names is made by constructors, which raise what they like
        raise FormatError(str(error) or type(error).__name__, member) from error
