"""A plugin of pytest that installs the hook before tests import anything.

``KBACKEND_TEST_TF_KERAS=1`` makes ``tensorflow`` a stand-in too, as ``--tf-keras`` does for scripts.
"""

import os

from kbackend import compat

compat.install(tf_keras=os.environ.get("KBACKEND_TEST_TF_KERAS") == "1")
