"""Sequence to sequence with return_state and initial_state, and separate models for decoding step by step."""
import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model

np.random.seed(8)
latent_dim, tokens, length, start = 48, 6, 4, 5
words = np.random.randint(0, 5, (500, length))
encoder_input_data = np.eye(tokens)[words]
decoder_target_data = np.eye(tokens)[words[:, ::-1]]
decoder_input_data = np.eye(tokens)[np.c_[np.full(500, start), words[:, :0:-1]]]

encoder_inputs = Input(shape=(None, tokens))
encoder = LSTM(latent_dim, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, tokens))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(tokens, activation='softmax')
decoder_outputs = decoder_dense(decoder_outputs)
model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer='rmsprop', loss='categorical_crossentropy')
model.fit([encoder_input_data, decoder_input_data], decoder_target_data, batch_size=25, epochs=30,
          validation_split=0.2, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
decoder_states_inputs = [Input(shape=(latent_dim,)), Input(shape=(latent_dim,))]
decoder_outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=decoder_states_inputs)
decoder_model = Model([decoder_inputs] + decoder_states_inputs, [decoder_dense(decoder_outputs), state_h, state_c])


def decode_sequence(input_seq):
    states_value = encoder_model.predict(input_seq)
    target_seq = np.eye(tokens)[[[start]]]
    decoded = []
    while len(decoded) < length:
        output_tokens, h, c = decoder_model.predict([target_seq] + states_value)
        decoded.append(np.argmax(output_tokens[0, -1, :]))
        target_seq = np.eye(tokens)[[[decoded[-1]]]]
        states_value = [h, c]
    return decoded


right = np.mean([decode_sequence(encoder_input_data[i:i + 1]) == list(words[i, ::-1]) for i in range(400, 430)])
print('right on held-out words:', right)
assert right > 0.6
