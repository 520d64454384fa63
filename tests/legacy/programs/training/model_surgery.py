"""A head is cut off with layers.pop() and replaced; weights are loaded by the names of layers."""
import os
import tempfile

import numpy as np
from keras.layers import Dense, Input
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(19)
x = np.random.randn(200, 6)
classes = np.digitize(x[:, 0] + x[:, 1], [-0.7, 0.7])

inputs = Input(shape=(6,))
hidden = Dense(12, activation='relu', name='fc1')(inputs)
hidden = Dense(8, activation='relu', name='fc2')(hidden)
model = Model(inputs, Dense(3, activation='softmax', name='predictions')(hidden))
model.compile(Adam(lr=0.01), 'sparse_categorical_crossentropy')
model.fit(x, classes, epochs=15, batch_size=20, verbose=0)

model.layers.pop()
model.outputs = [model.layers[-1].output]
model.layers[-1].outbound_nodes = []
assert model.predict(x[:2]).shape == (2, 8)
head = Dense(1, activation='sigmoid', name='high')(model.layers[-1].output)
tuned = Model(inputs=model.input, outputs=head)
for layer in tuned.layers[:-1]:
    layer.trainable = False
tuned.compile(Adam(lr=0.05), 'binary_crossentropy', metrics=['accuracy'])
before = tuned.get_layer('fc1').get_weights()[0]
history = tuned.fit(x, classes == 2, epochs=20, batch_size=20, verbose=0).history
print([layer.name for layer in tuned.layers], history['acc'][-1])
assert history['acc'][-1] > 0.85 and np.array_equal(before, tuned.get_layer('fc1').get_weights()[0])

path = os.path.join(tempfile.mkdtemp(), 'weights.h5')
tuned.save_weights(path)
other = Input(shape=(6,))
parts = Dense(5, name='other')(Dense(12, name='fc1')(other))
third = Model(other, parts)
untouched = third.get_layer('other').get_weights()[0]
third.load_weights(path, by_name=True)
assert np.array_equal(third.layers[1].get_weights()[0], before)
assert np.array_equal(third.layers[2].get_weights()[0], untouched)
