"""K's names about sessions say what to use."""

import pytest

from kbackend import K


@pytest.mark.parametrize(
    ("call", "use"),
    [
        (lambda: K.get_session(), "K.function"),
        (lambda: K.set_session(None), "set_backend"),
        (lambda: K.manual_variable_initialization(True), "K.set_value"),
    ],
)
def test_what_has_no_meaning_says_what_has(call, use):
    with pytest.raises(NotImplementedError, match=use):
        call()


def test_what_is_so_anyway_is_accepted():
    assert K.manual_variable_initialization(False) is None


@pytest.mark.parametrize("decorator", [K.symbolic, K.eager])
def test_decorators_give_the_function(decorator, each_backend):
    def double(x):
        return x * 2

    assert decorator(double) is double
    assert K.is_tensor(decorator(double)(K.placeholder((2,))))
