"""Names of the classic backend that are other names of ours."""

import numpy as np

from kbackend import K


def test_get_variable_shape_is_the_static_shape():
    assert K.get_variable_shape(K.variable(np.zeros((2, 3)))) == (2, 3)
