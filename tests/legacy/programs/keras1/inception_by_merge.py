"""An inception block of 2016: merge by mode, Model(input=, output=), two losses."""
import numpy as np
from keras.layers import AveragePooling2D, Convolution2D, Dense, Flatten, Input, MaxPooling2D, merge
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(3)
(X, y), (X_test, y_test) = digits.load_data()
X, X_test = X[..., None] / 16., X_test[..., None] / 16.

image = Input(shape=(8, 8, 1), name='image')
tower_1 = Convolution2D(4, 1, 1, border_mode='same', activation='relu')(image)
tower_1 = Convolution2D(8, 3, 3, border_mode='same', activation='relu')(tower_1)
tower_2 = Convolution2D(4, 1, 1, border_mode='same', activation='relu')(image)
tower_2 = Convolution2D(8, 5, 5, border_mode='same', activation='relu')(tower_2)
tower_3 = MaxPooling2D((3, 3), strides=(1, 1), border_mode='same')(image)
tower_3 = Convolution2D(4, 1, 1, border_mode='same', activation='relu')(tower_3)
mixed = merge([tower_1, tower_2, tower_3], mode='concat', concat_axis=-1)
shortcut = Convolution2D(20, 1, 1, border_mode='same')(image)
mixed = merge([mixed, shortcut], mode='sum', name='shortcut')
pooled = Flatten()(AveragePooling2D((4, 4))(mixed))
auxiliary = Dense(10, activation='softmax', name='auxiliary')(pooled)
hidden = Dense(32, activation='relu')(Flatten()(MaxPooling2D((2, 2))(mixed)))
main = Dense(10, activation='softmax', name='main')(hidden)

model = Model(input=image, output=[main, auxiliary])
model.compile('adam', 'sparse_categorical_crossentropy', loss_weights=[1., 0.3], metrics=['accuracy'])
model.fit(X, [y, y], nb_epoch=5, batch_size=64, verbose=0)
names = model.metrics_names
result = dict(zip(names, model.evaluate(X_test, [y_test, y_test], verbose=0)))
print(result)
assert names == ['loss', 'main_loss', 'auxiliary_loss', 'main_accuracy', 'auxiliary_accuracy']
assert result['main_accuracy'] > 0.9
assert abs(result['loss'] - result['main_loss'] - 0.3 * result['auxiliary_loss']) < 1e-4
