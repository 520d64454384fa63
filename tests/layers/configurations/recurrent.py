"""Configurations of recurrent layers."""

from layers.table import Bad, Row

STEPS = (4, 3)


def _plain(layer: str, states: int, **others) -> list[Row]:
    """Rows of what SimpleRNN, GRU and LSTM have in common."""
    state = [(2,)] * states
    return [
        Row(layer, dict(units=2, **others), STEPS),
        Row(layer, dict(units=2, return_sequences=True, go_backwards=True, **others), STEPS),
        Row(layer, dict(units=2, return_sequences=True, return_state=True, **others), STEPS, masked=True),
        Row(layer, dict(units=2, go_backwards=True, activation="relu", **others), STEPS, masked=True),
        Row(layer, dict(units=2, unroll=True, use_bias=False, return_state=True, **others), STEPS),
        Row(layer, dict(units=2, return_sequences=True, unroll=True, **others), STEPS, masked=True),
        Row(layer, dict(units=2, zero_output_for_mask=True, return_sequences=True, **others), STEPS, masked=True),
        Row(layer, dict(units=2, return_state=True, **others), STEPS, *state, keras="it takes states as an argument"),
        Row(layer, dict(units=3, dropout=0.5, seed=1, **others), STEPS, phase=1, keras="other draws"),
        Row(layer, dict(units=3, recurrent_dropout=0.5, return_sequences=True, seed=2, **others), STEPS, phase=1,
            keras="other draws"),
        Row(layer, dict(units=2, dropout=0.5, recurrent_dropout=0.5, seed=5, **others), STEPS, masked=True),
        Row(layer, dict(units=2, **others), (None, 3)),
        Row(layer, dict(units=2, kernel_initializer="ones", recurrent_initializer="identity", bias_initializer="ones",
                        kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2",
                        kernel_constraint="non_neg", recurrent_constraint="max_norm", bias_constraint="non_neg",
                        **others), STEPS, keras="constraints and regularizers do not change the result"),
    ]


def _conv(rank: int) -> list[Row]:
    """Rows of a ConvLSTM over ``rank`` dimensions."""
    layer, image, options = f"ConvLSTM{rank}D", (4, 3, 2)[:rank], dict(filters=2, kernel_size=2)
    shape = (3, *image, 2)
    return [
        Row(layer, dict(**options), shape, spatial=rank),
        Row(layer, dict(**options, padding="same", return_sequences=True), shape, spatial=rank),
        Row(layer, dict(**options, strides=2, padding="same", return_state=True, go_backwards=True), shape,
            spatial=rank),
        Row(layer, dict(**options, return_sequences=True, use_bias=False), shape, masked=True, spatial=rank),
        Row(layer, dict(filters=1, kernel_size=2, padding="same", dilation_rate=2, activation="relu",
                        recurrent_activation="hard_sigmoid"), shape, spatial=rank,
            keras="its hard_sigmoid has another slope", mixed="16 bits may take the other side of a kink"),
        Row(layer, dict(**options, dropout=0.5, recurrent_dropout=0.5, seed=3), shape, phase=1, spatial=rank,
            keras="other draws"),
    ]


def _bidirectional(mode, layer: str, masked: bool = False, keras: object = True, **arguments) -> Row:
    return Row("Bidirectional", lambda of: dict(layer=getattr(of, layer)(2, **arguments), merge_mode=mode), STEPS,
               masked=masked, keras=keras)


ROWS = [
    *_plain("SimpleRNN", 1),
    *_plain("GRU", 1),
    *_plain("GRU", 1, reset_after=False),
    *_plain("LSTM", 2),
    Row("GRU", dict(units=2, recurrent_activation="hard_sigmoid"), STEPS, keras="its hard_sigmoid has another slope"),
    Row("GRU", dict(units=2, recurrent_activation="tanh", activation="linear"), STEPS),
    Row("LSTM", dict(units=2, recurrent_activation="tanh", activation="elu", unit_forget_bias=False), STEPS),
    Row("LSTM", dict(units=2, recurrent_activation="hard_sigmoid"), STEPS, keras="its hard_sigmoid has another slope"),
    Row("CuDNNGRU", dict(units=2), STEPS, keras="Keras 3 has none"),
    Row("CuDNNGRU", dict(units=2, return_sequences=True, go_backwards=True), STEPS, keras="Keras 3 has none"),
    Row("CuDNNGRU", dict(units=2, return_state=True), STEPS, (2,), keras="Keras 3 has none"),
    Row("CuDNNLSTM", dict(units=2), STEPS, keras="Keras 3 has none"),
    Row("CuDNNLSTM", dict(units=2, return_sequences=True, go_backwards=True), STEPS, keras="Keras 3 has none"),
    Row("CuDNNLSTM", dict(units=2, return_state=True, unit_forget_bias=False), STEPS, (2,), (2,),
        keras="Keras 3 has none"),
    Row("RNN", lambda of: dict(cell=of.LSTMCell(2, recurrent_activation="tanh"), return_sequences=True), STEPS),
    Row("RNN", lambda of: dict(cell=of.GRUCell(2, reset_after=False), return_state=True), STEPS, masked=True),
    Row("RNN", lambda of: dict(cell=[of.GRUCell(2), of.LSTMCell(3), of.SimpleRNNCell(2)], return_sequences=True), STEPS,
        masked=True),
    Row("RNN", lambda of: dict(cell=of.StackedRNNCells([of.LSTMCell(2), of.GRUCell(3)]), go_backwards=True, unroll=True,
                               return_state=True), STEPS),
    Row("RNN", lambda of: dict(cell=[of.SimpleRNNCell(2, dropout=0.5, recurrent_dropout=0.5, seed=4)]), STEPS, phase=1,
        keras="other draws"),
    Row("RNN", lambda of: dict(cell=of.SimpleRNNCell(2, use_bias=False), zero_output_for_mask=True), (None, 3),
        masked=True),
    Row("RNN", lambda of: dict(cell=of.ConvLSTM2DCell(2, 2, data_format="channels_last"), return_sequences=True),
        (3, 4, 3, 2), keras="Keras 3 has no such cell"),
    *[Row("ConvRNN2D", lambda of, options=options: dict(
        cell=of.ConvLSTM2DCell(2, 2, data_format="channels_last"), **options), (3, 4, 3, 2), keras="Keras 3 has none")
      for options in ({}, dict(return_sequences=True, go_backwards=True), dict(return_state=True))],
    *_conv(1),
    *_conv(2),
    *_conv(3),
    *[_bidirectional(mode, "LSTM", return_sequences=True) for mode in ("sum", "mul", "ave", "concat", None)],
    *[_bidirectional(mode, "GRU", masked=True) for mode in ("sum", "mul", "ave", "concat", None)],
    _bidirectional("concat", "SimpleRNN", masked=True, return_sequences=True, return_state=True),
    _bidirectional(None, "LSTM", return_state=True),
    Row("Bidirectional", lambda of: dict(layer=of.LSTM(2), backward_layer=of.GRU(2, go_backwards=True)), STEPS),
    Row("Bidirectional", lambda of: dict(layer=of.RNN(of.GRUCell(2), return_sequences=True)), STEPS, masked=True),
    Row("Bidirectional", lambda of: dict(layer=of.LSTM(2)), STEPS, *[(2,)] * 4, keras="it takes states as an argument"),
    Row("Bidirectional", lambda of: dict(
        layer=of.ConvLSTM2D(2, 2, recurrent_activation="sigmoid", data_format="channels_last")), (3, 4, 3, 2)),
    Row("TimeDistributed", lambda of: dict(layer=of.Dense(2, activation="tanh")), (4, 3)),
    Row("TimeDistributed", lambda of: dict(layer=of.Dense(2)), (None, 3), masked=True,
        keras="it computes no mask for it"),
    Row("TimeDistributed", lambda of: dict(layer=of.Conv2D(2, 2, data_format="channels_last")), (3, 4, 3, 2)),
    Row("TimeDistributed", lambda of: dict(layer=of.LSTM(2, return_sequences=True)), (3, 4, 2)),
    Row("TimeDistributed", lambda of: dict(layer=of.Flatten()), (3, 4, 2)),

    *(Row(layer, dict(units=2, activation="relu", return_sequences=True, bias_initializer="ones"), (None, 3))
      for layer in ("SimpleRNN", "GRU", "LSTM")),
    *(Row(layer, dict(units=1, go_backwards=True, return_state=True, use_bias=False), (None, 2), masked=True)
      for layer in ("SimpleRNN", "GRU", "LSTM")),
    Row("CuDNNGRU", dict(units=2, return_sequences=True), STEPS, masked=True, keras="Keras 3 has none"),
    Row("CuDNNLSTM", dict(units=2), STEPS, masked=True, keras="Keras 3 has none"),
    Row("ConvRNN2D", lambda of: dict(cell=of.ConvLSTM2DCell(2, 2, data_format="channels_last")), (3, 4, 3, 2),
        masked=True, keras="Keras 3 has none"),
    *[_bidirectional(mode, "SimpleRNN", masked=True, return_sequences=True) for mode in ("sum", "mul", "ave")],
    *[_bidirectional(mode, "LSTM", go_backwards=True, keras="it refuses a first direction backwards")
      for mode in ("concat", None)],
    Row("TimeDistributed", lambda of: dict(layer=of.BatchNormalization()), (3, 4)),
    Row("TimeDistributed", lambda of: dict(layer=of.Activation("tanh")), (None, 2, 3)),
    Row("RNN", lambda of: dict(cell=of.GRUCell(2), return_sequences=True, return_state=True), STEPS),
]

BAD = [
    Bad("SimpleRNN", dict(units=0), STEPS, "units must be a positive integer, it is 0"),
    Bad("GRU", dict(units=-1), STEPS, "units must be a positive integer, it is -1"),
    Bad("LSTM", dict(units=2, dropout=1.5), STEPS, "the rate must be in [0, 1], it is 1.5"),
    Bad("LSTM", dict(units=2, implementation=3), STEPS, "implementation must be 1 or 2, it is 3"),
    Bad("LSTM", dict(units=2), (4,), "expects (batch, steps, features) of rank 3"),
    Bad("LSTM", dict(units=2), (4, None), "the features of the input must be known"),
    Bad("LSTM", dict(units=2), [STEPS, (2,)], "has 2 states, initial_state holds 1"),
    Bad("LSTM", dict(units=2), [STEPS, (2,), (3,)], "state 1 has the shape (None, 2), initial_state holds one of"),
    Bad("GRU", dict(units=2, stateful=True), STEPS, "Input(batch_shape=(batch, steps, ...))"),
    Bad("GRU", dict(units=2, unroll=True), (None, 3), "unroll=True needs a known number of steps"),
    Bad("RNN", dict(cell="lstm"), STEPS, "a cell has call(inputs, states) and state_size"),
    Bad("RNN", dict(cell=[]), STEPS, "needs one cell or more"),
    Bad("ConvLSTM2D", dict(filters=0, kernel_size=2), (3, 4, 4, 1), "filters must be a positive integer"),
    Bad("ConvLSTM2D", dict(filters=2, kernel_size=2, strides=2, dilation_rate=2), (3, 4, 4, 1),
        "cannot both be above 1"),
    Bad("ConvLSTM2D", dict(filters=2, kernel_size=2, data_format="channels_last"), (3, None, 4, 1), "must be known"),
    Bad("ConvLSTM2D", dict(filters=2, kernel_size=2, data_format="channels_last"), (3, 4, 1),
        "expects (batch, steps, rows, columns, channels) of rank 5"),
    Bad("ConvLSTM1D", dict(filters=2, kernel_size=7, data_format="channels_last"), (3, 4, 1), "7"),
    Bad("TimeDistributed", dict(layer="dense"), STEPS, "needs a layer, it was given 'dense'", TypeError),
    Bad("CuDNNLSTM", dict(units=2, dropout=0.5), STEPS, "take layers.LSTM", TypeError),
    Bad("Bidirectional", dict(layer=3), STEPS, "layer must be a recurrent layer such as LSTM, it is 3"),
]
