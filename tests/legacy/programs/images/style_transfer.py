"""Neural style: gram matrices, total variation, and L-BFGS of SciPy on K.function([x], [loss] + grads)."""
import numpy as np
from keras import backend as K
from keras.layers import AveragePooling2D, Conv2D
from keras.models import Sequential
from scipy.optimize import fmin_l_bfgs_b

np.random.seed(4)
img_nrows = img_ncols = 12
content = np.random.rand(1, img_nrows, img_ncols, 3).astype('float32')
style = np.tile(np.array([[1., 0.], [0., 1.]])[None, :, :, None], (1, 6, 6, 3)).astype('float32')

base_image = K.variable(content)
style_reference_image = K.variable(style)
if K.image_data_format() == 'channels_first':
    combination_image = K.placeholder((1, 3, img_nrows, img_ncols))
else:
    combination_image = K.placeholder((1, img_nrows, img_ncols, 3))
input_tensor = K.concatenate([base_image, style_reference_image, combination_image], axis=0)

features = Sequential([Conv2D(8, 3, padding='same', activation='relu', input_shape=(12, 12, 3), name='block1'),
                       AveragePooling2D(), Conv2D(8, 3, padding='same', activation='relu', name='block2')])
outputs_dict = {}
x = input_tensor
for layer in features.layers:
    x = layer(x)
    outputs_dict[layer.name] = x


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    size = img_nrows * img_ncols
    return K.sum(K.square(gram_matrix(style) - gram_matrix(combination))) / (4. * 9. * (size ** 2))


def total_variation_loss(x):
    a = K.square(x[:, :img_nrows - 1, :img_ncols - 1, :] - x[:, 1:, :img_ncols - 1, :])
    b = K.square(x[:, :img_nrows - 1, :img_ncols - 1, :] - x[:, :img_nrows - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
layer_features = outputs_dict['block2']
loss = loss + 0.025 * K.sum(K.square(layer_features[2, :, :, :] - layer_features[0, :, :, :]))
for name in ('block1', 'block2'):
    layer_features = outputs_dict[name]
    loss = loss + style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
loss = loss + 1e-4 * total_variation_loss(combination_image)

grads = K.gradients(loss, combination_image)
outputs = [loss]
if isinstance(grads, (list, tuple)):
    outputs += grads
else:
    outputs.append(grads)
f_outputs = K.function([combination_image], outputs)


def eval_loss_and_grads(x):
    outs = f_outputs([x.reshape((1, img_nrows, img_ncols, 3))])
    return outs[0], np.array(outs[1:]).flatten().astype('float64')


class Evaluator(object):
    def __init__(self):
        self.loss_value = None
        self.grads_values = None

    def loss(self, x):
        assert self.loss_value is None
        loss_value, grad_values = eval_loss_and_grads(x)
        self.loss_value = float(loss_value)
        self.grad_values = grad_values
        return self.loss_value

    def grads(self, x):
        assert self.loss_value is not None
        grad_values = np.copy(self.grad_values)
        self.loss_value = None
        self.grad_values = None
        return grad_values


evaluator = Evaluator()
x = np.random.uniform(0, 1, (1, img_nrows, img_ncols, 3))
start = eval_loss_and_grads(x)[0]
for i in range(3):
    x, min_val, info = fmin_l_bfgs_b(evaluator.loss, x.flatten(), fprime=evaluator.grads, maxfun=20)
    print('Current loss value:', min_val)
print('from', start)
assert min_val < 0.25 * start
