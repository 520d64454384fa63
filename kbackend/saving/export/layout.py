"""Definitions as lines of text: names that do not collide, long lines broken at their brackets, comments."""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kbackend.saving.export.scopes import all_bound
from kbackend.saving.export.trees import Transformer, walked
from kbackend.saving.export.written import Definition

WIDTH = 100
#: targets of an assignment that are longer stand on lines of their own
_LONG_TARGETS = 70
_INDENT = "    "
_OPEN, _CLOSE = "([{", ")]}"
#: types of tokens since Python 3.12
_F_START, _F_END = (getattr(tokenize, name, None) for name in ("FSTRING_START", "FSTRING_END"))


# names ------------------------------------------------------------------------------------------------------


def named(definitions: Sequence[Definition], taken: Iterable[str]) -> dict[str, str]:
    """Mark of a definition -> its name, one that nothing inside another definition is called."""
    used = {*taken, *keyword.kwlist, *vars(builtins)}
    for definition in definitions:
        used |= all_bound(definition.node)
    names: dict[str, str] = {}
    for definition in sorted(definitions, key=lambda d: not d.program):
        base = definition.hint if definition.program else definition.hint.strip("_") or "value"
        name, count = base, 1
        while name in used:
            count += 1
            name = f"{base}_{count}"
        used.add(name)
        names[definition.mark] = name
    return names


class _Named(Transformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)


def with_names(definition: Definition, names: dict[str, str]) -> ast.stmt:
    """The definition under its name, which refers to others by theirs."""
    node = _Named(names).visit(definition.node)
    name = names[definition.mark]
    if isinstance(node, ast.Assign):
        node.targets = [ast.Name(name, ast.Store())]
    else:
        node.name = name
    return ast.fix_missing_locations(node)


# lines ------------------------------------------------------------------------------------------------------


def lines_of(definition: Definition, node: ast.stmt) -> list[str]:
    """The lines of a named definition."""
    _tidy(node)
    if not definition.program:
        return formatted(ast.unparse(node))
    assert isinstance(node, ast.FunctionDef)
    body, head = node.body, ast.unparse(ast.FunctionDef(node.name, node.args, [ast.Pass()], [], None, lineno=0))
    lines = broken(head.splitlines()[0], "")
    for statement in body:
        known = definition.lines.get(statement.lineno)
        lines += _commented(formatted(_statement(statement), _INDENT), known.shapes if known else None)
    return lines


def _tidy(node: ast.stmt) -> None:
    """What linters want: names of results that are never read begin with "_", and calls expand no empty mapping."""
    inside = walked(node)
    attributes = {id(s) for n in inside if isinstance(n, ast.ClassDef) for s in n.body}
    read = {n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    for part in inside:
        if isinstance(part, ast.Call):
            part.keywords = [k for k in part.keywords if k.arg or not _is_empty(k.value)]
        elif isinstance(part, ast.Assign) and id(part) not in attributes and isinstance(part.targets[0], ast.Tuple):
            for name in part.targets[0].elts:
                if isinstance(name, ast.Name) and name.id not in read and not name.id.startswith("_"):
                    name.id = f"_{name.id}"


def _is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.Dict) and not value.keys


def _statement(statement: ast.stmt) -> str:
    """The text of a statement; several names stand in brackets where the line is too long."""
    text = ast.unparse(statement)
    if isinstance(statement, ast.Delete) and len(text) > WIDTH - 4:
        return f"del ({text.removeprefix('del ')})"
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
        targets = [ast.unparse(target) for target in statement.targets[0].elts]
        inner = ", ".join(targets) + ("," if len(targets) == 1 else "")
        return f"({inner}) = {ast.unparse(statement.value)}" if len(inner) > _LONG_TARGETS else text
    return text


def _commented(lines: list[str], comment: str | None) -> list[str]:
    if comment:
        place = 0 if len(lines) > 1 and len(lines[-1]) > len(lines[0]) else -1
        if len(lines[place]) + len(comment) + 4 > WIDTH:
            return [f"{_indent_of(lines[0])}# {comment}", *lines]
        lines[place] += f"  # {comment}"
    return lines


def formatted(text: str, indent: str = "") -> list[str]:
    """Unparsed code with double quotes, without brackets that say nothing, and with its long lines broken."""
    text = _plain_generators(_double_quotes(text))
    inside = _lines_inside_strings(text)
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        here = indent + _indent_of(line)
        lines += [line] if number in inside else broken(line.strip(), here) if line.strip() else [""]
    return lines


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(_read(text))


def _read(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text; an f-string is one, as it was before Python 3.12."""
    opened: list[tokenize.TokenInfo] = []
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == _F_START:
            opened.append(token)
        elif token.type == _F_END:
            first = opened.pop()
            if not opened:
                whole = _between(lines, first.start, token.end)
                yield tokenize.TokenInfo(tokenize.STRING, whole, first.start, token.end, first.line)
        elif not opened:
            yield token


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    return "".join([lines[start[0] - 1][start[1] :], *lines[start[0] : end[0] - 1], lines[end[0] - 1][: end[1]]])


def _edited(text: str, edits: Iterable[tuple[tuple[int, int], str, str]]) -> str:
    """The text with pieces replaced: where each starts, what it is, and what it becomes."""
    lines = text.splitlines(keepends=True)
    for (row, column), old, new in sorted(edits, reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "".join(lines)


def _double_quotes(text: str) -> str:
    edits = []
    for token in _tokens(text) if "'" in text else ():
        old = token.string
        if token.type == tokenize.STRING and old[0] == "'" and not {'"', "\\"} & set(old):
            edits.append((token.start, old, f'"{old[1:-1]}"'))
    return _edited(text, edits)


def _plain_generators(text: str) -> str:
    """``f((x for x in y))`` becomes ``f(x for x in y)``."""
    edits: list[tuple[tuple[int, int], str, str]] = []
    tokens = _tokens(text) if "((" in text else []
    opened: list[int] = []
    closes: dict[int, int] = {}
    for place, token in enumerate(tokens):
        if token.type == tokenize.OP and token.string in _OPEN:
            opened.append(place)
        elif token.type == tokenize.OP and token.string in _CLOSE:
            closes[opened.pop()] = place
    for start, end in closes.items():
        outer = start - 1
        called = outer > 0 and (tokens[outer - 1].type == tokenize.NAME or tokens[outer - 1].string in ")]")
        if called and tokens[start].string == "(" == tokens[outer].string and closes.get(outer) == end + 1:
            if _is_generator(tokens[start : end + 1]):
                edits += [(tokens[start].start, "(", ""), (tokens[end].start, ")", "")]
    return _edited(text, edits)


def _is_generator(tokens: Sequence[tokenize.TokenInfo]) -> bool:
    depth = 0
    for token in tokens:
        depth += (token.string in _OPEN) - (token.string in _CLOSE) if token.type == tokenize.OP else 0
        if depth == 1 and token.type == tokenize.NAME and token.string == "for":
            return True
    return False


def _lines_inside_strings(text: str) -> set[int]:
    """The lines of strings over several lines."""
    found: set[int] = set()
    for token in _tokens(text) if '"""' in text or "'''" in text else ():
        if token.type == tokenize.STRING and token.start[0] < token.end[0]:
            found.update(range(token.start[0], token.end[0] + 1))
    return found


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def broken(line: str, indent: str) -> list[str]:
    """A logical line, over several lines where it is too long."""
    if len(indent) + len(line) <= WIDTH:
        return [indent + line]
    group = _longest_group(line)
    if group is None:
        before, text = _statement_of_string(line)
        if before:
            return [f"{indent}{before}(", *broken(text, indent + _INDENT), f"{indent})"]
        return [indent + part for part in _pieces(line, WIDTH - len(indent))]
    inner = [text for part in group.parts for text in broken(part, indent + _INDENT)]
    return [*broken(line[: group.start + 1], indent), *inner, *broken(line[group.end :], indent)]


def _statement_of_string(line: str) -> tuple[str, str]:
    """What stands before a string that ends a statement, and the string; nothing for other lines."""
    found = re.fullmatch(r"(return |\w+ = )(f?['\"].*)", line)
    return (found[1], found[2]) if found else ("", line)


def _pieces(line: str, width: int) -> list[str]:
    """A string that is too long as several beside each other; another line as it is."""
    comma = line.endswith(",")
    text = line.removesuffix(",")
    prefix = text[: len(text) - len(text.lstrip("f"))]
    quote = text[len(prefix) : len(prefix) + 1]
    body = text[len(prefix) + 1 : -1]
    if quote not in ("'", '"') or not text.endswith(quote) or quote in body or "\\" in body:
        return [line]
    found, depth, start, space = [], 0, 0, 0
    for place, letter in enumerate(body):
        depth += (letter == "{") - (letter == "}") if prefix else 0
        if place - start > width - len(prefix) - 3 and space > start:
            found.append(body[start:space])
            start = space
        if letter == " " and depth == 0:
            space = place + 1
    found.append(body[start:])
    return [f"{prefix}{quote}{part}{quote}" for part in found[:-1]] + [
        f"{prefix}{quote}{found[-1]}{quote}" + ("," if comma else "")
    ]


@dataclass
class _Group:
    """A bracket of a line: where it opens and closes, and its parts, each with its comma."""

    start: int
    end: int
    parts: list[str]


def _longest_group(line: str) -> _Group | None:
    tokens: list[tokenize.TokenInfo] = []
    try:
        tokens.extend(_read(line))
    except (tokenize.TokenError, IndentationError):  # the start of a line, as "f("
        pass
    best: _Group | None = None
    for place, token in enumerate(tokens):
        if token.type == tokenize.OP and token.string in _OPEN and (best is None or token.start[1] > best.end):
            found = _group(line, tokens, place)
            if found is not None and (best is None or found.end - found.start > best.end - best.start):
                best = found
    return best


def _group(line: str, tokens: Sequence[tokenize.TokenInfo], place: int) -> _Group | None:
    start = tokens[place].start[1]
    depth, in_lambda, generator = 0, 0, False
    cuts: list[int] = []
    for token in tokens[place:]:
        text, column = token.string, token.start[1]
        if token.type == tokenize.OP and text in _OPEN:
            depth += 1
        elif token.type == tokenize.OP and text in _CLOSE:
            depth -= 1
            if depth == 0:
                return _cut(line, start, column, cuts, generator)
        elif depth == 1 and text == "lambda":
            in_lambda += 1
        elif depth == 1 and text == ":" and in_lambda:
            in_lambda -= 1
        elif depth == 1 and token.type == tokenize.NAME and text == "for":
            cuts = [*cuts, column] if generator else [column]  # commas before it are those of a tuple
            generator = True
        elif depth == 1 and text == "," and not in_lambda and not generator:
            cuts.append(column + 1)
    return None


def _cut(line: str, start: int, end: int, cuts: list[int], generator: bool) -> _Group | None:
    edges = [start + 1, *cuts, end]
    parts = [part for part in (line[a:b].strip() for a, b in zip(edges, edges[1:])) if part]
    if not parts:
        return None
    if not generator and len(parts) > 1 and not parts[-1].endswith(","):
        parts[-1] += ","
    return _Group(start, end, parts)
