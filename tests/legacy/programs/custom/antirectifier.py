"""A layer of one's own: compute_output_shape, get_config, saved and loaded with custom_objects."""
from __future__ import print_function

import os
import tempfile

import numpy as np
from keras import backend as K
from keras import layers
from keras.models import Sequential, load_model, model_from_json

from kbackend.datasets import digits

np.random.seed(0)


class Antirectifier(layers.Layer):
    def __init__(self, epsilon=1e-3, **kwargs):
        self.epsilon = epsilon
        super(Antirectifier, self).__init__(**kwargs)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        assert len(shape) == 2
        shape[-1] *= 2
        return tuple(shape)

    def call(self, inputs):
        inputs -= K.mean(inputs, axis=1, keepdims=True)
        inputs = K.l2_normalize(inputs, axis=1)
        pos = K.relu(inputs)
        neg = K.relu(-inputs)
        return K.concatenate([pos, neg], axis=1)

    def get_config(self):
        config = {'epsilon': self.epsilon}
        base_config = super(Antirectifier, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16., x_test.reshape(-1, 64) / 16.
model = Sequential()
model.add(layers.Dense(32, input_shape=(64,)))
model.add(Antirectifier(epsilon=0.01))
model.add(layers.Dropout(0.1))
model.add(layers.Dense(10))
model.add(layers.Activation('softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=32, epochs=12, verbose=0)
acc = model.evaluate(x_test, y_test, verbose=0)[1]
print('accuracy', acc)
assert acc > 0.9 and model.layers[1].output_shape == (None, 64)

path = os.path.join(tempfile.mkdtemp(), 'model.h5')
model.save(path)
again = load_model(path, custom_objects={'Antirectifier': Antirectifier})
assert np.allclose(again.predict(x_test[:9]), model.predict(x_test[:9]), atol=1e-6)
assert again.layers[1].epsilon == 0.01 and again.evaluate(x_test, y_test, verbose=0)[1] == acc
json_string = model.to_json()
copy = model_from_json(json_string, {'Antirectifier': Antirectifier})
copy.set_weights(model.get_weights())
assert np.allclose(copy.predict(x_test[:9]), model.predict(x_test[:9]), atol=1e-6)
