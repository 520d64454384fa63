"""Models as estimators of scikit-learn."""

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.wrappers import scikit_learn

__all__ = ["scikit_learn"]

_suggest_in(__name__)
