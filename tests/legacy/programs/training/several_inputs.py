"""The functional guide: two inputs, two outputs, dictionaries of data, loss weights, shared layers, nodes."""
import numpy as np
from keras.layers import LSTM, Dense, Embedding, Input, concatenate
from keras.models import Model

np.random.seed(0)
headline = np.random.randint(1, 60, size=(300, 10))
additional = np.random.rand(300, 3)
labels = ((headline < 15).sum(1) + 2 * additional[:, 0] > 3).astype(float)

main_input = Input(shape=(10,), dtype='int32', name='main_input')
x = Embedding(output_dim=8, input_dim=60, input_length=10)(main_input)
lstm_out = LSTM(8)(x)
auxiliary_output = Dense(1, activation='sigmoid', name='aux_output')(lstm_out)
auxiliary_input = Input(shape=(3,), name='aux_input')
x = concatenate([lstm_out, auxiliary_input])
x = Dense(16, activation='relu')(x)
main_output = Dense(1, activation='sigmoid', name='main_output')(x)
model = Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])
model.compile(optimizer='rmsprop', loss={'main_output': 'binary_crossentropy', 'aux_output': 'binary_crossentropy'},
              loss_weights={'main_output': 1., 'aux_output': 0.2}, metrics={'main_output': 'accuracy'})
history = model.fit({'main_input': headline, 'aux_input': additional},
                    {'main_output': labels, 'aux_output': labels}, epochs=25, batch_size=20, verbose=0).history
print(sorted(history), history['main_output_accuracy'][-1])
assert sorted(history) == ['aux_output_loss', 'loss', 'main_output_accuracy', 'main_output_loss']
assert history['main_output_accuracy'][-1] > 0.85
main, aux = model.predict([headline[:4], additional[:4]])
assert main.shape == aux.shape == (4, 1)

tweet_a, tweet_b = Input(shape=(4, 5)), Input(shape=(4, 5))
shared_lstm = LSTM(6)
encoded_a, encoded_b = shared_lstm(tweet_a), shared_lstm(tweet_b)
assert shared_lstm.get_output_at(0) is encoded_a and shared_lstm.get_output_at(1) is encoded_b
assert shared_lstm.get_input_at(1) is tweet_b and shared_lstm.get_input_shape_at(0) == (None, 4, 5)
try:
    shared_lstm.output
except AttributeError as error:
    assert '2' in str(error) or 'multiple' in str(error)
else:
    raise AssertionError('a shared layer has no single output')
