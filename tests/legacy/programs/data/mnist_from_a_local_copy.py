"""mnist.load_data of a local file, made here of the digits: KBACKEND_DATASETS names the folder."""
import os
import tempfile

import numpy as np
from keras.datasets import mnist
from keras.layers import Dense, Flatten
from keras.models import Sequential

from kbackend.datasets import digits

np.random.seed(2)
folder = tempfile.mkdtemp()
(a, b), (c, d) = digits.load_data()
large = [np.pad(np.kron(x * 15.9, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2))).astype('uint8') for x in (a, c)]
np.savez(os.path.join(folder, 'mnist.npz'), x_train=large[0], y_train=b, x_test=large[1], y_test=d)
before = os.environ.get('KBACKEND_DATASETS')
os.environ['KBACKEND_DATASETS'] = folder
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
finally:
    if before is None:
        del os.environ['KBACKEND_DATASETS']
    else:
        os.environ['KBACKEND_DATASETS'] = before
assert x_train.shape[1:] == (28, 28) and x_train.dtype == np.uint8
model = Sequential([Flatten(input_shape=(28, 28)), Dense(32, activation='relu'), Dense(10, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train / 255., y_train, epochs=5, verbose=0)
acc = model.evaluate(x_test / 255., y_test, verbose=0)[1]
print('accuracy', acc)
assert acc > 0.9
