"""YAML documents, read without making any object but numbers, texts, lists and dicts. They need PyYAML."""

from __future__ import annotations

from typing import Any

from kbackend.saving.documents import parsed, written
from kbackend.saving.errors import FormatError

#: characters of a document; the reader takes some microseconds for each
_LARGEST = 1 << 24
#: values of a document whose references are written out
_MOST_VALUES = 1_000_000


def library() -> Any:
    """PyYAML.

    Raises:
        ImportError: it is not installed; the message says how to install it.
    """
    try:
        import yaml
    except ImportError:
        raise ImportError('configurations in YAML need PyYAML: pip install "kbackend[yaml]"') from None
    return yaml


def yaml_of(document: Any) -> str:
    """A document of plain values as YAML."""
    yaml = library()

    class Dumper(yaml.SafeDumper):  # type: ignore[name-defined]
        """The safe dumper, which takes texts of subclasses of str, such as dtypes with attributes."""

    Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))
    text: str = yaml.dump(document, Dumper=Dumper, sort_keys=False)
    return text


def parsed_yaml(text: str, member: str) -> Any:
    """The value of a YAML document, of the kinds that JSON has. Tuples, as Keras 2 wrote them, become lists.

    Raises:
        FormatError: it is no YAML, is too large, names a class or function of Python, or holds another kind of value.
        ImportError: PyYAML is not installed.
    """
    yaml = library()
    if len(text) > _LARGEST:
        raise FormatError(f"it has {len(text)} characters, more than {_LARGEST}", member)

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined]
        """The safe loader, and lists where Keras 2 wrote tuples."""

    Loader.add_constructor("tag:yaml.org,2002:python/tuple", lambda loader, node: loader.construct_sequence(node, True))
    try:
        found = yaml.load(text, Loader)
        _count(found, member)
        content = written(found)
    except RecursionError:
        raise FormatError("it is nested too deep", member) from None
    except FormatError:
        raise
    except (yaml.YAMLError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"it is no YAML document of plain values: {' '.join(str(error).split())}", member) from None
    return parsed(content, member)


def _count(value: Any, member: str) -> None:
    """Refuse references that make a small text a large document, or one without end."""
    sizes: dict[int, int] = {}
    open_now: set[int] = set()

    def size(part: Any) -> int:
        if not isinstance(part, (dict, list)):
            return 1
        key = id(part)
        if key in open_now:
            raise FormatError("a value is inside itself", member)
        if key not in sizes:
            open_now.add(key)
            sizes[key] = 1 + sum(map(size, part.values() if isinstance(part, dict) else part))
            open_now.discard(key)
        return sizes[key]

    if size(value) > _MOST_VALUES:
        raise FormatError(f"it has more than {_MOST_VALUES} values, with those that it refers to", member)
