"""A small backend, as a package outside kbackend would bring it."""


def backend():
    from toy_backend.engine import ToyBackend

    return ToyBackend()
