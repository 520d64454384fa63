"""A small residual network: functional blocks, batch normalization, L2, a schedule and a plateau."""
import numpy as np
from keras.callbacks import LearningRateScheduler, ReduceLROnPlateau
from keras.layers import Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Flatten, Input, add
from keras.models import Model
from keras.optimizers import Adam
from keras.regularizers import l2

from kbackend.datasets import digits

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = digits.load_data()
y_train = y_train[:900]
x_train, x_test = x_train[:900, ..., None] / 16., x_test[..., None] / 16.


def lr_schedule(epoch):
    lr = 1e-2
    if epoch > 2:
        lr *= 0.3
    return lr


def resnet_layer(inputs, num_filters=8, kernel_size=3, strides=1, activation='relu', batch_normalization=True):
    conv = Conv2D(num_filters, kernel_size=kernel_size, strides=strides, padding='same',
                  kernel_initializer='he_normal', kernel_regularizer=l2(1e-4))
    x = conv(inputs)
    if batch_normalization:
        x = BatchNormalization(momentum=0.9)(x)
    if activation is not None:
        x = Activation(activation)(x)
    return x


def resnet(input_shape, num_classes=10):
    num_filters = 8
    inputs = Input(shape=input_shape)
    x = resnet_layer(inputs=inputs)
    for stack in range(2):
        strides = 1 if stack == 0 else 2
        y = resnet_layer(inputs=x, num_filters=num_filters, strides=strides)
        y = resnet_layer(inputs=y, num_filters=num_filters, activation=None)
        if stack > 0:
            x = resnet_layer(inputs=x, num_filters=num_filters, kernel_size=1, strides=strides, activation=None,
                             batch_normalization=False)
        x = add([x, y])
        x = Activation('relu')(x)
        num_filters *= 2
    x = AveragePooling2D(pool_size=2)(x)
    y = Flatten()(x)
    outputs = Dense(num_classes, activation='softmax', kernel_initializer='he_normal')(y)
    return Model(inputs=inputs, outputs=outputs)


model = resnet((8, 8, 1))
model.compile(loss='sparse_categorical_crossentropy', optimizer=Adam(lr=lr_schedule(0)), metrics=['acc'])
callbacks = [LearningRateScheduler(lr_schedule),
             ReduceLROnPlateau(factor=np.sqrt(0.1), cooldown=0, patience=5, min_lr=0.5e-6)]
history = model.fit(x_train, y_train, batch_size=60, epochs=4, verbose=0, shuffle=True,
                    validation_data=(x_test, y_test), callbacks=callbacks)
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print('accuracy', acc, history.history['lr'])
assert acc > 0.9
assert np.allclose(history.history['lr'], [1e-2, 1e-2, 1e-2, 3e-3])
assert len(model.losses) == 6
