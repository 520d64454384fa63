"""Frames of a moving dot by ConvLSTM2D and Conv3D, as in the example of 2017."""
import numpy as np
from keras.layers.convolutional import Conv3D
from keras.layers.convolutional_recurrent import ConvLSTM2D
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential

np.random.seed(0)


def generate_movies(n_samples=60, n_frames=5, size=6):
    movies = np.zeros((n_samples, n_frames + 1, size, size, 1))
    for i in range(n_samples):
        r, c = np.random.randint(0, size, 2)
        for t in range(n_frames + 1):
            movies[i, t, r, (c + t) % size, 0] = 1
    return movies[:, :-1], movies[:, 1:]


seq = Sequential()
seq.add(ConvLSTM2D(filters=6, kernel_size=(3, 3), input_shape=(None, 6, 6, 1), padding='same', return_sequences=True))
seq.add(BatchNormalization(momentum=0.9))
seq.add(Conv3D(filters=1, kernel_size=(3, 3, 3), activation='sigmoid', padding='same', data_format='channels_last'))
assert seq.layers[0].cell.recurrent_activation.__name__ == 'hard_sigmoid'
seq.compile(loss='binary_crossentropy', optimizer='adadelta')
noisy_movies, shifted_movies = generate_movies()
losses = seq.fit(noisy_movies, shifted_movies, batch_size=10, epochs=20, verbose=0, validation_split=0.05).history
print(losses['loss'][0], losses['loss'][-1])
assert losses['loss'][-1] < 0.35 * losses['loss'][0]
