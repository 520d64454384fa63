"""A memory network as of 2016: match by dot, softmax, Permute, answers by an LSTM over a concatenation."""
import numpy as np
from keras.layers import LSTM, Activation, Dense, Dropout, Input, Permute, add, concatenate, dot
from keras.layers.embeddings import Embedding
from keras.models import Model, Sequential

np.random.seed(9)
vocab_size, story_maxlen, query_maxlen, samples = 10, 6, 2, 600
# a story is pairs (person, place); the question is a person, the answer the last place
people, places = np.arange(1, 4), np.arange(4, 8)
stories = np.stack([np.random.choice(people, (samples, 3)), np.random.choice(places, (samples, 3))], -1)
stories[:, :, 0] = np.array([np.random.permutation(people) for _ in range(samples)])
asked = np.random.randint(0, 3, samples)
queries = np.stack([np.full(samples, 8), stories[np.arange(samples), asked, 0]], -1)
answers = stories[np.arange(samples), asked, 1]
inputs_train = stories.reshape(samples, story_maxlen)

input_sequence, question = Input((story_maxlen,)), Input((query_maxlen,))
input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=vocab_size, output_dim=24))
input_encoder_m.add(Dropout(0.1))
input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=vocab_size, output_dim=query_maxlen))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=vocab_size, output_dim=24, input_length=query_maxlen))

input_encoded_m = input_encoder_m(input_sequence)
input_encoded_c = input_encoder_c(input_sequence)
question_encoded = question_encoder(question)
match = dot([input_encoded_m, question_encoded], axes=(2, 2))
match = Activation('softmax')(match)
response = add([match, input_encoded_c])
response = Permute((2, 1))(response)
answer = concatenate([response, question_encoded])
answer = LSTM(24)(answer)
answer = Dense(vocab_size)(answer)
answer = Activation('softmax')(answer)
model = Model([input_sequence, question], answer)
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
history = model.fit([inputs_train, queries], answers, batch_size=20, epochs=60, verbose=0).history
print('accuracy', history['accuracy'][0], history['accuracy'][-1])
assert history['accuracy'][-1] > 0.45
