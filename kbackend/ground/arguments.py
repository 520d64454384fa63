"""What arguments may be: one table of rules by name, and a decorator that applies it before a function runs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
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
    return isinstance(value, Integral) and not isinstance(value, bool)


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
    return Rule(text, lambda value: any(value == choice for choice in choices if type(value) in (bool, type(choice))))


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
    "min_delta": number("a number", lambda value: True),
    "mode": one_of("auto", "min", "max"),
    "monitor": NAME,
    "patience": integer(0),
    "restore_best_weights": FLAG,
    "return_dict": FLAG,
    "rounds": integer(1),
    "save_freq": _frequency("epoch"),
    "schedule": Rule("a function of the epoch and the rate", callable),
    "shuffle": Rule("True, False or 'batch'", _shuffle),
    "steps": integer(1).or_none(),
    "steps_per_epoch": integer(1).or_none(),
    "update_freq": _frequency("epoch", "batch"),
    "validation_freq": Rule("a positive integer, or a list of them", _epochs),
    "validation_steps": integer(1).or_none(),
    "validation_split": PART_BELOW_1,
    "verbose": one_of(0, 1, 2),
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
    takes_all = len(names) < len(parameters)
    rules = {name: ARGUMENTS[name] for name in names if name in ARGUMENTS}
    free = own + next((i for i, name in enumerate(names) if name in rules), len(names))  # arguments without rules

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) <= free:
            return method(*args)
        owner = type(args[0]).__name__ if method.__name__ == "__init__" else method.__name__
        if not takes_all and not kwargs.keys() <= set(names):
            raise unknown_keywords(owner, kwargs.keys() - set(names), names)
        for name, value in (*zip(names, args[own:]), *kwargs.items()):
            check(owner, name, value, rules)
        return method(*args, **kwargs)

    return cast(F, call)


__all__ = [
    "ARGUMENTS",
    "HYPERPARAMETERS",
    "accepts",
    "check",
    "checked",
    "is_number",
    "keywords_of",
    "named",
    "positional",
    "unknown_keywords",
]
