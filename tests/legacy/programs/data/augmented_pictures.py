"""ImageDataGenerator of 2016: fit for the mean, flow with shifts, flow_from_directory, fit_generator."""
import os
import tempfile

import numpy as np
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adam
from keras.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, load_img
from keras.utils import np_utils

from kbackend.datasets import digits

np.random.seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., None].astype('float32') / 16, x_test[..., None].astype('float32') / 16
Y_train, Y_test = np_utils.to_categorical(y_train, 10), np_utils.to_categorical(y_test, 10)
datagen = ImageDataGenerator(featurewise_center=True, width_shift_range=0.1, height_shift_range=0.1, rotation_range=8)
datagen.fit(x_train)
model = Sequential()
model.add(Conv2D(12, (3, 3), padding='same', input_shape=x_train.shape[1:]))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.1))
model.add(Flatten())
model.add(Dense(10, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit_generator(datagen.flow(x_train, Y_train, batch_size=32), steps_per_epoch=len(x_train) // 32, epochs=6,
                    verbose=0)
acc = model.evaluate(x_test - datagen.mean, Y_test, verbose=0)[1]
print('accuracy', acc, 'mean', float(np.mean(datagen.mean)))
assert acc > 0.85 and abs(np.mean(datagen.mean) - x_train.mean()) < 1e-4

folder = tempfile.mkdtemp()
for name, value in (('dark', 40), ('light', 210)):
    os.mkdir(os.path.join(folder, name))
    for i in range(6):
        noise = np.random.randint(-30, 30, (10, 10, 3))
        array_to_img(np.clip(value + noise, 0, 255), scale=False).save(os.path.join(folder, name, '%d.png' % i))
flow = ImageDataGenerator(rescale=1. / 255, horizontal_flip=True).flow_from_directory(
    folder, target_size=(8, 8), batch_size=4, class_mode='binary')
assert flow.class_indices == {'dark': 0, 'light': 1} and flow.samples == 12
judge = Sequential([Flatten(input_shape=(8, 8, 3)), Dense(1, activation='sigmoid')])
judge.compile(Adam(0.01), 'binary_crossentropy', metrics=['acc'])
history = judge.fit_generator(flow, steps_per_epoch=3, epochs=30, verbose=0).history
assert history['acc'][-1] == 1.0
image = img_to_array(load_img(os.path.join(folder, 'light', '0.png'), target_size=(8, 8)))
print('loss', history['loss'][-1])
assert judge.predict(image[None] / 255.) > 0.5
