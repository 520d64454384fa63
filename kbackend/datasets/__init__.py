"""Data sets: handwritten digits that come with the package, and Keras's by name from local copies."""

from kbackend.datasets import (
    boston_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = ["boston_housing", "cifar10", "cifar100", "digits", "fashion_mnist", "imdb", "mnist", "reuters"]

_suggest_in(__name__)
