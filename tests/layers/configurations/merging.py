"""Configurations of layers that make one tensor of several."""

from layers.table import Bad, Row

ROWS = [
    *(
        row
        for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for row in (
            Row(kind, {}, (3,), (3,)),
            Row(kind, {}, (3, 4), (3, 4), (3, 4)),
            Row(kind, {}, (3, 4), (1, 4)),
            Row(kind, {}, (3, 4), (4,)),
        )
    ),
    Row("Add", {}, (3, 4), (3, 4), masked=True),
    Row("Subtract", {}, (3,), (3,)),
    Row("Subtract", {}, (3, 4), (1, 4)),
    Row("Subtract", {}, (None, 4), (None, 4)),
    Row("Concatenate", {}, (3,), (2,)),
    Row("Concatenate", dict(axis=1), (3, 4), (2, 4), (1, 4)),
    Row("Concatenate", dict(axis=-2), (3, 4), (None, 4)),
    Row("Concatenate", {}, (3, 2), (3, 4), masked=True),
    Row("Concatenate", dict(axis=1), (3, 2), (4, 2), masked=True),
    Row("Dot", dict(axes=1), (4,), (4,)),
    Row("Dot", dict(axes=-1), (3, 4), (2, 4)),
    Row("Dot", dict(axes=(2, 1)), (3, 4), (4, 5)),
    Row("Dot", dict(axes=(1, 2), normalize=True), (4, 3), (2, 4)),
    Row("Dot", dict(axes=1, normalize=True), (4,), (4,)),
    Row("Dot", dict(axes=(1, 1)), (4, 3), (4,)),

    *(Row(kind, {}, (3, 4), (3, 4), masked=True) for kind in ("Average", "Subtract")),
    *(Row(kind, {}, (3, 4), (3, 4), masked=True, keras="it leaves out what one mask leaves out")
      for kind in ("Multiply", "Maximum", "Minimum")),
    *(Row(kind, {}, (None, 4), (None, 1)) for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    Row("Concatenate", dict(axis=2), (2, 3, 4), (2, 1, 4)),
    Row("Dot", dict(axes=1), (4, 3), (4, 3), masked=True),
    Row("Dot", dict(axes=(2, 2)), (3, 4), (None, 4)),
]

BAD = [
    Bad("Add", {}, [(3,)], "needs 2 or more tensors"),
    Bad("Add", {}, (3,), "needs a list of tensors"),
    Bad("Add", {}, [(3,), (4,)], "(None, 3)"),
    Bad("Subtract", {}, [(3,), (3,), (3,)], "needs 2 tensors, it was given 3"),
    Bad("Concatenate", dict(axis=1), [(3, 4), (3, 5)], "(None, 3, 4)"),
    Bad("Concatenate", dict(axis=4), [(3, 4), (3, 4)], "axis"),
    Bad("Dot", dict(axes="last"), [(3,), (3,)], "axes must be an integer or two of them, it is 'last'"),
    Bad("Dot", dict(axes=1), [(3,), (4,)], "(None, 3)"),
]
