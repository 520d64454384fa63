"""Configurations of layers that draw in training; what they draw is in test_random_layers.py."""

from layers.table import Bad, Row

ROWS = [
    *(
        row
        for kind, arguments in (
            ("Dropout", dict(rate=0.5)),
            ("GaussianDropout", dict(rate=0.5)),
            ("AlphaDropout", dict(rate=0.5)),
            ("GaussianNoise", dict(stddev=0.5)),
        )
        for row in (
            Row(kind, arguments, (4,)),
            Row(kind, arguments, (3, 4), masked=True),
            Row(kind, {**arguments, "seed": 3}, (None, 4)),
        )
    ),
    Row("Dropout", dict(rate=0.0), (3, 4), phase=1),
    Row("Dropout", dict(rate=1.0), (3, 4), phase=1, keras="Keras refuses a rate of 1 in some versions"),
    *(
        row
        for rank, shape in enumerate([(4, 3), (3, 4, 2), (2, 3, 4, 2)], 1)
        for row in (
            Row(f"SpatialDropout{rank}D", dict(rate=0.5), shape),
            Row(f"SpatialDropout{rank}D", dict(rate=0.2, seed=3), (None, *shape[1:])),
            Row(f"SpatialDropout{rank}D", dict(rate=0.0), shape, phase=1),
        )
    ),

    *(Row(f"SpatialDropout{rank}D", dict(rate=0.5), shape, masked=True)
      for rank, shape in enumerate([(4, 3), (3, 4, 2), (2, 3, 4, 2)], 1)),
    *(Row(kind, dict(rate=0.5, seed=4), (6, 4), phase=1, keras="other draws")
      for kind in ("Dropout", "AlphaDropout", "SpatialDropout1D")),
    Row("Dropout", dict(rate=0.4, noise_shape=(None, 1, 4), seed=5), (3, 4), phase=1, keras="other draws"),
    Row("SpatialDropout2D", dict(rate=0.5, seed=6), (2, 3, 4), phase=1, keras="other draws"),
    Row("SpatialDropout3D", dict(rate=0.5, seed=6), (2, 1, 3, 4), phase=1, keras="other draws"),
]

BAD = [
    Bad("Dropout", dict(rate=1.5), (4,), "the rate must be in [0, 1], it is 1.5"),
    Bad("Dropout", dict(rate="half"), (4,), "the rate must be in [0, 1], it is 'half'"),
    Bad("Dropout", dict(rate=0.5, noise_shape=(None, 2)), (4,), "noise_shape"),
    Bad("GaussianDropout", dict(rate=1.0), (4,), "the rate must be below 1"),
    Bad("AlphaDropout", dict(rate=-0.1), (4,), "the rate must be in [0, 1], it is -0.1"),
    Bad("GaussianNoise", dict(stddev=-1.0), (4,), "stddev must be a number of 0 or more or a variable, it is -1.0"),
    Bad("SpatialDropout1D", dict(rate=0.5), (4,), "rank 3"),
    Bad("SpatialDropout2D", dict(rate=0.5, data_format="last"), (4, 5, 2), "data_format"),
]
