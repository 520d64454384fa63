"""A memory network of 2016: Sequential models that begin with Merge, one of them in two merges."""
import numpy as np
from keras.layers import LSTM, Activation, Dense, Dropout, Embedding, Merge, Permute
from keras.models import Sequential, model_from_json

np.random.seed(10)
VOCABULARY, STORY, QUERY = 9, 6, 3

# story: who went where, twice; query: where is one of them?
people = np.array([[1, 2], [2, 1]])[np.random.randint(0, 2, 300)]
places = np.random.randint(4, 7, (300, 2))
story = np.stack([people[:, 0], np.full(300, 3), places[:, 0], people[:, 1], np.full(300, 3), places[:, 1]], axis=1)
asked = np.random.randint(0, 2, 300)
query = np.stack([np.full(300, 7), np.full(300, 8), people[np.arange(300), asked]], axis=1)
answers = np.eye(VOCABULARY)[places[np.arange(300), asked]]

input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=VOCABULARY, output_dim=16, input_length=STORY))
input_encoder_m.add(Dropout(0.05))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=VOCABULARY, output_dim=16, input_length=QUERY))
match = Sequential()
match.add(Merge([input_encoder_m, question_encoder], mode='dot', dot_axes=[2, 2]))
match.add(Activation('softmax'))
input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=VOCABULARY, output_dim=QUERY, input_length=STORY))
response = Sequential()
response.add(Merge([match, input_encoder_c], mode='sum'))
response.add(Permute((2, 1)))
answer = Sequential()
answer.add(Merge([response, question_encoder], mode='concat', concat_axis=-1))
answer.add(LSTM(16))
answer.add(Dense(VOCABULARY))
answer.add(Activation('softmax'))

answer.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy'])
history = answer.fit([story, query, story], answers, batch_size=20, nb_epoch=8, verbose=0).history
print(history['loss'][0], history['loss'][-1])
assert history['loss'][-1] < 0.75 * history['loss'][0]

again = model_from_json(answer.to_json())
again.set_weights(answer.get_weights())
assert np.allclose(again.predict([story, query, story]), answer.predict([story, query, story]), atol=1e-5)
