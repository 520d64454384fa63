"""Capsules with routing on K.batch_dot, a margin loss, and lengths as classes."""
import numpy as np
from keras import activations, initializers
from keras import backend as K
from keras.layers import Conv2D, Input, Lambda, Layer, Reshape
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(16)


def squash(x, axis=-1):
    s_squared_norm = K.sum(K.square(x), axis, keepdims=True) + K.epsilon()
    scale = K.sqrt(s_squared_norm) / (0.5 + s_squared_norm)
    return scale * x


class Capsule(Layer):
    def __init__(self, num_capsule, dim_capsule, routings=2, activation='squash', **kwargs):
        super(Capsule, self).__init__(**kwargs)
        self.num_capsule = num_capsule
        self.dim_capsule = dim_capsule
        self.routings = routings
        self.activation = squash if activation == 'squash' else activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(name='capsule_kernel', trainable=True,
                                      shape=(1, input_shape[-1], self.num_capsule * self.dim_capsule),
                                      initializer=initializers.get('glorot_uniform'))
        super(Capsule, self).build(input_shape)

    def call(self, inputs):
        hat_inputs = K.conv1d(inputs, self.kernel)
        batch_size = K.shape(inputs)[0]
        input_num_capsule = K.shape(inputs)[1]
        hat_inputs = K.reshape(hat_inputs, (batch_size, input_num_capsule, self.num_capsule, self.dim_capsule))
        hat_inputs = K.permute_dimensions(hat_inputs, (0, 2, 1, 3))
        b = K.zeros_like(hat_inputs[:, :, :, 0])
        for i in range(self.routings):
            c = K.softmax(b, 1)
            o = self.activation(K.sum(K.expand_dims(c) * hat_inputs, 2))
            if i < self.routings - 1:
                flat = K.reshape(hat_inputs, (-1, input_num_capsule, self.dim_capsule))
                b += K.reshape(K.batch_dot(flat, K.reshape(o, (-1, self.dim_capsule)), [2, 1]), K.shape(b))
        return o

    def compute_output_shape(self, input_shape):
        return (None, self.num_capsule, self.dim_capsule)


def margin_loss(y_true, y_pred):
    lamb, margin = 0.5, 0.1
    return K.sum(y_true * K.square(K.relu(1 - margin - y_pred)) +
                 lamb * (1 - y_true) * K.square(K.relu(y_pred - margin)), axis=-1)


(x, y), (x_test, y_test) = digits.load_data()
x, x_test = x[..., None] / 16., x_test[..., None] / 16.
image = Input(shape=(8, 8, 1))
h = Conv2D(12, (3, 3), activation='relu')(image)
h = Conv2D(12, (3, 3), strides=2, activation='relu')(h)
h = Reshape((-1, 12))(h)
capsule = Capsule(10, 6)(h)
output = Lambda(lambda z: K.sqrt(K.sum(K.square(z), 2)))(capsule)
model = Model(inputs=image, outputs=output)
assert K.int_shape(capsule) == (None, 10, 6)
model.compile(loss=margin_loss, optimizer='adam', metrics=['accuracy'])
model.fit(x, np.eye(10)[y], batch_size=32, epochs=14, verbose=0)
loss, acc = model.evaluate(x_test, np.eye(10)[y_test], verbose=0)
print('accuracy', acc)
assert acc > 0.85
