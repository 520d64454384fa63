"""What arguments may be: one table of rules by name, and a decorator that applies it before a function runs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar, cast

from kbackend.ground.suggest import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


class Rule(NamedTuple):
    """What an argument must be.

    Attributes:
        wanted: in words, for "... must be ...".
        holds: whether a value is that.
    """

    wanted: str
    holds: Callable[[Any], bool]

    def or_none(self) -> Rule:
        return Rule(f"{self.wanted} or None", lambda value: value is None or self.holds(value))


def _is_integer(value: Any) -> bool:
    return type(value) is int or isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a finite real number, of Python or NumPy, and no bool."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def integer(low: int) -> Rule:
    wanted = {0: "an integer of 0 or more", 1: "a positive integer"}[low]
    return Rule(wanted, lambda value: _is_integer(value) and value >= low)


def number(wanted: str, holds: Callable[[float], bool]) -> Rule:
    return Rule(wanted, lambda value: is_number(value) and holds(value))


def one_of(*choices: Any) -> Rule:
    text = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"

    def holds(value: Any) -> bool:
        for choice in choices:
            if type(value) in (bool, type(choice)) and value == choice:
                return True
        return False

    return Rule(text, holds)


def _epochs(value: Any) -> bool:
    one = integer(1).holds
    return all(map(one, value)) if isinstance(value, (list, tuple)) else one(value)


def _frequency(*names: str) -> Rule:
    wanted = f"{', '.join(map(repr, names))} or a positive number of batches"
    batches = integer(1).holds
    return Rule(wanted, lambda value: value in names if isinstance(value, str) else batches(value))


def _shuffle(value: Any) -> bool:
    return FLAG.holds(value) or isinstance(value, str) and value == "batch"


FLAG = Rule("True or False", lambda value: type(value).__name__ in ("bool", "bool_"))
NAME = Rule("a non-empty string", lambda value: isinstance(value, str) and bool(value))
NOT_NEGATIVE = number("a number of 0 or more", lambda value: value >= 0)
PART = number("a number in [0, 1]", lambda value: 0 <= value <= 1)
PART_BELOW_1 = number("a number in [0, 1)", lambda value: 0 <= value < 1)
POSITIVE = number("a positive number", lambda value: value > 0)

#: the arguments of fit, evaluate, predict, tune, profile and callbacks, by name
ARGUMENTS: Mapping[str, Rule] = {
    "baseline": number("a number", lambda value: True).or_none(),
    "batch_size": integer(1).or_none(),
    "epochs": integer(0),
    "initial_epoch": integer(0),
    "interval": NOT_NEGATIVE,
    "max_queue_size": integer(0),
    "min_delta": number("a number", lambda value: True),
    "mode": one_of("auto", "min", "max"),
    "monitor": NAME,
    "patience": integer(0),
    "restore_best_weights": FLAG,
    "return_dict": FLAG,
    "rounds": integer(1),
    "save_freq": _frequency("epoch"),
    "seconds": POSITIVE.or_none(),
    "schedule": Rule("a function of the epoch and the rate", callable),
    "shuffle": Rule("True, False or 'batch'", _shuffle),
    "steps": integer(1).or_none(),
    "steps_per_epoch": integer(1).or_none(),
    "update_freq": _frequency("epoch", "batch"),
    "validation_freq": Rule("a positive integer, or a list of them", _epochs),
    "validation_steps": integer(1).or_none(),
    "validation_split": PART_BELOW_1,
    "verbose": one_of(0, 1, 2),
    "workers": integer(0),
}

#: numbers that optimizers take, by name; a variable in place of one is not checked
HYPERPARAMETERS: Mapping[str, Rule] = {
    "beta_1": PART_BELOW_1,
    "beta_2": PART_BELOW_1,
    "clipnorm": POSITIVE,
    "clipvalue": POSITIVE,
    "decay": NOT_NEGATIVE,
    "epsilon": NOT_NEGATIVE,
    "global_clipnorm": POSITIVE,
    "learning_rate": NOT_NEGATIVE,
    "loss_scale_factor": POSITIVE,
    "momentum": PART,
    "rho": PART,
    "weight_decay": NOT_NEGATIVE,
}


def _is_switch(value: Any) -> bool:
    return FLAG.holds(value) or type(value) is int and value in (0, 1)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_numeric, value))
    if isinstance(value, Real):
        return not math.isnan(value)
    return value is None or hasattr(value, "shape") and hasattr(value, "dtype")


#: of parameters without a rule by name, by the type of their default
_BY_DEFAULT: Mapping[type, Rule] = {
    bool: Rule("True or False", _is_switch),
    int: Rule("a number, or a list of them", _is_numeric),
    float: Rule("a number, a variable, or a list of them", _is_numeric),
}


def _live(rule: Rule) -> Rule:
    """The rule of a number in place of which a variable may stand."""
    return Rule(f"{rule.wanted} or a variable", lambda value: hasattr(value, "shape") or rule.holds(value))


#: of constructors, by name; their bodies say what else a number must be
CONSTRUCTORS: Mapping[str, Rule] = {
    "adam_beta_1": _live(PART_BELOW_1),
    "adam_beta_2": _live(PART_BELOW_1),
    "class_id": integer(0).or_none(),
    "clip_threshold": _live(POSITIVE),
    "cooldown": integer(0),
    "decay_steps": _live(POSITIVE),
    "delta": _live(NOT_NEGATIVE),
    "embeddings_freq": integer(0),
    "ema_momentum": PART,
    "epsilon": _live(NOT_NEGATIVE).or_none(),
    "epsilon_1": _live(NOT_NEGATIVE),
    "epsilon_2": _live(NOT_NEGATIVE),
    "first_decay_steps": _live(POSITIVE),
    "gamma": _live(NOT_NEGATIVE),
    "histogram_freq": integer(0),
    "ignore_class": Rule("an integer or None", lambda value: value is None or _is_integer(value)),
    "initial_learning_rate": _live(NOT_NEGATIVE),
    "input_length": Rule("a positive integer, a tuple of them, or None", lambda value: _is_length(value)),
    "k": integer(1),
    "label_smoothing": _live(PART),
    "max_queue_size": integer(0),
    "min_lr": NOT_NEGATIVE,
    "momentum": _live(PART),
    "name": NAME.or_none(),
    "ns_steps": integer(0),
    "renorm_momentum": _live(PART),
    "seed": Rule("an integer, a SeedGenerator or None", lambda value: _is_seed(value)),
    "start_from_epoch": integer(0),
    "stddev": _live(NOT_NEGATIVE),
    "top_k": integer(1).or_none(),
    "warmup_target": _live(NOT_NEGATIVE).or_none(),
    "workers": integer(0),
}


def _is_length(value: Any) -> bool:
    return all(d is None or _is_integer(d) and d > 0 for d in (value if isinstance(value, (list, tuple)) else [value]))


def _is_seed(value: Any) -> bool:
    return value is None or isinstance(value, Integral) or callable(getattr(value, "next", None))


#: parameters that take more than numbers, though their default is one
_FREE = frozenset({"learning_rate", "lr"})


def rules_of(function: Callable[..., Any], by_name: Mapping[str, Rule]) -> dict[str, Rule]:
    """The rules of a function's parameters: those of their names, else what the types of their defaults ask for.

    >>> def layer(units, use_bias=True, epsilon=1e-3, activation=None): ...
    >>> {name: rule.wanted for name, rule in rules_of(layer, {}).items()}
    {'use_bias': 'True or False', 'epsilon': 'a number, a variable, or a list of them'}
    """
    found: dict[str, Rule] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        rule = by_name.get(name, _BY_DEFAULT.get(type(parameter.default)))
        if rule is not None and name not in _FREE:
            found[name] = rule
    return found


def check(owner: str, name: str, value: Any, rules: Mapping[str, Rule] = ARGUMENTS) -> None:
    """Compare an argument with the rule of its name; names without a rule may be anything.

    Raises:
        ValueError: the rule does not hold; the message says what is wanted.

    >>> check("fit", "epochs", -1)
    Traceback (most recent call last):
    ValueError: fit: epochs must be an integer of 0 or more, it is -1
    """
    rule = rules.get(name)
    if rule is not None and not rule.holds(value):
        raise ValueError(f"{owner}: {name} must be {rule.wanted}, it is {value!r}")


def unknown_keywords(owner: str, unknown: Any, known: Any) -> TypeError:
    """The error for keywords that a function does not take, with those that may be meant.

    >>> str(unknown_keywords("fit", ["epoch"], ["epochs", "verbose"]))
    "fit() got the unknown argument 'epoch'. Did you mean 'epochs'?"
    """
    names = sorted(map(str, unknown))
    plural = "s" if len(names) > 1 else ""
    hints = "".join(did_you_mean(name, known) for name in names)
    return TypeError(f"{owner}() got the unknown argument{plural} {', '.join(map(repr, names))}.{hints}".rstrip("."))


def misfit(
    error: TypeError, owner: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> TypeError | None:
    """What is wrong with the arguments of a call, None where the error is one of the function's body.

    Args:
        error: as caught by the caller of the function.
        owner: what the user called.
        function: a function or method.
        args: the arguments by position, with the object of a method.
        kwargs: those by keyword.
    """
    if error.__traceback__ is None or error.__traceback__.tb_next is not None:
        return None
    parameters = list(inspect.signature(function).parameters.values())
    own = int(parameters[0].name == "self")
    by_position = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(args) > len(by_position):
        taken = f"{len(by_position) - own} argument{'s' if len(by_position) - own != 1 else ''}"
        return TypeError(f"{owner}() takes {taken} by position, it got {len(args) - own}")
    given = {p.name for p in by_position[: len(args)]}
    twice = sorted(given & kwargs.keys())
    if twice:
        return TypeError(f"{owner}() got the argument {twice[0]!r} by position and by name")
    known = [p.name for p in parameters[own:] if p.kind is not p.VAR_KEYWORD]
    unknown = kwargs.keys() - set(known)
    if unknown and all(p.kind is not p.VAR_KEYWORD for p in parameters):
        return unknown_keywords(owner, unknown, known)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    missing = [repr(name) for name in needed if name not in given and name not in kwargs]
    plural = "s" if len(missing) > 1 else ""
    return TypeError(f"{owner}() needs the argument{plural} {' and '.join(missing)}") if missing else None


def keywords_of(kind: type) -> set[str]:
    """The names of the arguments that a class and its bases take when they are called."""
    inits = [vars(base)["__init__"] for base in kind.__mro__[:-1] if "__init__" in vars(base)]
    parameters = [p for init in inits for p in list(inspect.signature(init).parameters.values())[1:]]
    return {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def accepts(function: Callable[..., Any], name: str) -> bool:
    """Whether a function can be given an argument by a name; False where its signature is unavailable."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def positional(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that may be given by position.

    >>> positional(lambda a, b=2, *, c=3: a)
    ['a', 'b']
    """
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def named(scope: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    """The arguments of a constructor by name, so that it passes them on without naming each.

    Args:
        scope: its ``locals()`` before it sets any variable; those in ``kwargs`` count as arguments too.
        left_out: names of arguments that are not to be among them.

    >>> def arguments(self, units, bias=True, seed=None, **kwargs):
    ...     return named(locals(), "seed")
    >>> arguments(None, 3, name="d")
    {'units': 3, 'bias': True, 'name': 'd'}
    """
    hidden = {"self", "__class__", "kwargs", *left_out}
    return {name: value for name, value in scope.items() if name not in hidden} | scope.get("kwargs", {})


def _called(method: Callable[..., Any], args: Sequence[Any]) -> str:
    """What a user called: a class, or a function or method by its own name."""
    return type(args[0]).__name__ if method.__name__ == "__init__" else method.__name__


def checked(method: F) -> F:
    """A method or function whose arguments are compared with the rules of their names before it runs, and which
    suggests keywords.

    Raises:
        ValueError: see :func:`check`.
        TypeError: a keyword that the method does not take.
    """
    parameters = list(inspect.signature(method).parameters.values())
    own = int(parameters[0].name == "self")
    parameters = parameters[own:]
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    known, takes_all = frozenset(names), len(names) < len(parameters)
    rules = rules_of(method, ARGUMENTS)
    free = own + next((i for i, name in enumerate(names) if name in rules), len(names))  # arguments without rules

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            if not kwargs and len(args) <= free:
                return method(*args)
            if not takes_all and not kwargs.keys() <= known:
                raise unknown_keywords(_called(method, args), kwargs.keys() - known, names)
            for name, value in (*zip(names, args[own:]), *kwargs.items()):
                if name in rules and not rules[name].holds(value):
                    check(_called(method, args), name, value, rules)
            return method(*args, **kwargs)
        except TypeError as error:
            explained = misfit(error, _called(method, args), method, args, kwargs)
            if explained is None:
                raise
            raise explained from None

    return cast(F, call)


__all__ = [
    "ARGUMENTS",
    "CONSTRUCTORS",
    "HYPERPARAMETERS",
    "accepts",
    "check",
    "checked",
    "is_number",
    "keywords_of",
    "misfit",
    "named",
    "positional",
    "rules_of",
    "unknown_keywords",
]
