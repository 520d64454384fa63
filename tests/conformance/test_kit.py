"""The shipped suite, run here as any backend's own tests would run it."""

from kbackend.testing.suite.test_coverage import *  # noqa: F403
from kbackend.testing.suite.test_drawn import *  # noqa: F403
from kbackend.testing.suite.test_nothing import *  # noqa: F403
from kbackend.testing.suite.test_ops import *  # noqa: F403
from kbackend.testing.suite.test_semantics import *  # noqa: F403
from kbackend.testing.suite.test_state import *  # noqa: F403
from kbackend.testing.suite.test_sweep import *  # noqa: F403
