"""Attention of 2016 without a class of one's own: RepeatVector, Permute, merge(mode='mul'), Lambda sums."""
import numpy as np
from keras import backend as K
from keras.layers import (
    Activation,
    Dense,
    Flatten,
    Input,
    Lambda,
    Permute,
    RepeatVector,
    TimeDistributed,
    merge,
)
from keras.layers.recurrent import GRU
from keras.models import Model

np.random.seed(23)
steps, features, units = 8, 3, 10
X = np.random.rand(500, steps, features)
place = np.random.randint(0, steps, 500)
X[:, :, 2] = 0
X[np.arange(500), place, 2] = 1
y = (X[np.arange(500), place, 0] > 0.5).astype(int)

_input = Input(shape=[steps, features], dtype='float32')
activations = GRU(units, return_sequences=True, inner_activation='hard_sigmoid')(_input)
attention = TimeDistributed(Dense(1, activation='tanh'))(activations)
attention = Flatten()(attention)
attention = Activation('softmax', name='attention')(attention)
attention = RepeatVector(units)(attention)
attention = Permute([2, 1])(attention)
sent_representation = merge([activations, attention], mode='mul')
sent_representation = Lambda(lambda xin: K.sum(xin, axis=-2), output_shape=(units,))(sent_representation)
probabilities = Dense(2, activation='softmax')(sent_representation)
model = Model(input=_input, output=probabilities)
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
acc = model.fit(X, y, nb_epoch=70, batch_size=50, verbose=0).history['acc']
print('accuracy', acc[0], acc[-1])
assert acc[-1] > 0.8
weights = K.function([model.input], [model.get_layer('attention').output])([X[:5]])[0]
assert weights.shape == (5, steps) and np.allclose(weights.sum(1), 1, atol=1e-5)
