"""A saliency map: the gradient of a class score with respect to the image, by K.gradients and K.function."""
import numpy as np
from keras import backend as K
from keras.layers import Activation, Conv2D, Dense, Flatten
from keras.models import Sequential

np.random.seed(0)
images = np.random.rand(300, 6, 6, 1) * 0.2
labels = np.random.randint(0, 2, 300)
images[labels == 1, 1:3, 1:3] += 0.8
images[labels == 0, 4:6, 4:6] += 0.8

model = Sequential([Conv2D(4, 2, activation='relu', input_shape=(6, 6, 1)), Flatten(), Dense(2), Activation('softmax')])
model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])
model.fit(images, labels, epochs=25, verbose=0)
assert model.evaluate(images, labels, verbose=0)[1] > 0.95


def compile_saliency_function(model):
    inp = model.layers[0].input
    outp = model.layers[-2].output
    max_outp = K.max(outp, axis=1)
    saliency = K.gradients(K.sum(max_outp), inp)[0]
    max_class = K.argmax(outp, axis=1)
    return K.function([inp, K.learning_phase()], [saliency, max_class])


saliency, chosen = compile_saliency_function(model)([images[:20], 0])
assert saliency.shape == (20, 6, 6, 1)
assert (chosen == labels[:20]).mean() > 0.9
strength = np.abs(saliency[..., 0])
inside = strength[:, 1:3, 1:3].mean() + strength[:, 4:, 4:].mean()
outside = 2 * strength[:, 0, :].mean()
print('inside', inside, 'outside', outside)
assert inside > 1.3 * outside
