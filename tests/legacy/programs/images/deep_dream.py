"""Deep dream: gradient ascent on the input through octaves, with K.function([x], [loss, grads])."""
import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Input, MaxPooling2D
from keras.models import Model

np.random.seed(2)
K.set_learning_phase(0)
dream = Input((None, None, 3))
a = Conv2D(6, 3, padding='same', activation='relu', name='mixed1')(dream)
b = Conv2D(6, 3, padding='same', activation='relu', name='mixed2')(MaxPooling2D(2)(a))
model = Model(dream, b)
settings = {'mixed1': 0.5, 'mixed2': 2.}
layer_dict = dict([(layer.name, layer) for layer in model.layers])

loss = K.variable(0.)
for name in settings:
    x = layer_dict[name].output
    scaling = K.prod(K.cast(K.shape(x), 'float32'))
    loss = loss + settings[name] * K.sum(K.square(x[:, 2:-2, 2:-2, :])) / scaling

grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
fetch_loss_and_grads = K.function([dream], [loss, grads])


def gradient_ascent(x, iterations, step, max_loss=None):
    for i in range(iterations):
        loss_value, grad_values = fetch_loss_and_grads([x])
        if max_loss is not None and loss_value > max_loss:
            break
        x = x + step * grad_values
    return x


def resize(img, size):
    rows = np.arange(size[0]) * img.shape[1] // size[0]
    columns = np.arange(size[1]) * img.shape[2] // size[1]
    return img[:, rows][:, :, columns]


image = np.random.rand(1, 24, 24, 3)
losses = []
for size in [(12, 12), (18, 18), (24, 24)]:
    octave = resize(image, size)
    before = fetch_loss_and_grads([octave])[0]
    after = fetch_loss_and_grads([gradient_ascent(octave, 10, 0.05)])[0]
    losses.append((before, after))
print(losses)
assert all(after > 2 * before for before, after in losses)
