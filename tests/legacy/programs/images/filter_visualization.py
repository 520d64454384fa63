"""What a filter looks for: ascent on a normalized gradient, layers by name, the learning phase as an input."""
import numpy as np
from keras import backend as K
from keras.layers import Activation, BatchNormalization, Conv2D, Dropout
from keras.models import Sequential

np.random.seed(9)
model = Sequential([Conv2D(4, (3, 3), input_shape=(9, 9, 1), name='conv_1'), BatchNormalization(), Activation('relu'),
                    Dropout(0.5), Conv2D(3, (3, 3), name='conv_2')])
layer_dict = dict([(layer.name, layer) for layer in model.layers])
input_img = model.input


def normalize(x):
    return x / (K.sqrt(K.mean(K.square(x))) + K.epsilon())


found = []
for filter_index in range(3):
    layer_output = layer_dict['conv_2'].output
    loss = K.mean(layer_output[:, :, :, filter_index])
    grads = normalize(K.gradients(loss, input_img)[0])
    iterate = K.function([input_img, K.learning_phase()], [loss, grads])
    step = 1.
    input_img_data = (np.random.random((1, 9, 9, 1)) - 0.5) * 0.1
    first = iterate([input_img_data, 0])[0]
    for i in range(15):
        loss_value, grads_value = iterate([input_img_data, 0])
        input_img_data += grads_value * step
    found.append((first, loss_value))
print(found)
assert all(last > first + 0.5 for first, last in found)
train = [K.function([input_img, K.learning_phase()], [model.output])([input_img_data, 1])[0] for _ in range(2)]
assert not np.allclose(train[0], train[1])
