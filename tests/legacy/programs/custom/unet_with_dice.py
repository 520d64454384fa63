"""Segmentation: a small U-Net with concatenated skips, a Dice loss and metric on K, BatchNormalization between."""
import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Dropout, Input, MaxPooling2D, UpSampling2D, concatenate
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(14)
smooth = 1.


def dice_coef(y_true, y_pred):
    y_true_f = K.flatten(y_true)
    y_pred_f = K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2. * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def dice_coef_loss(y_true, y_pred):
    return -dice_coef(y_true, y_pred)


def get_unet(size):
    inputs = Input((size, size, 1))
    conv1 = Conv2D(6, (3, 3), activation='relu', padding='same')(inputs)
    conv1 = Dropout(0.05)(conv1)
    pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
    conv2 = Conv2D(12, (3, 3), activation='relu', padding='same')(pool1)
    up1 = concatenate([UpSampling2D(size=(2, 2))(conv2), conv1], axis=3)
    conv3 = Conv2D(6, (3, 3), activation='relu', padding='same')(up1)
    conv4 = Conv2D(1, (1, 1), activation='sigmoid')(conv3)
    model = Model(inputs=[inputs], outputs=[conv4])
    model.compile(optimizer=Adam(lr=1e-2), loss=dice_coef_loss, metrics=[dice_coef])
    return model


images = np.random.normal(0, 0.4, (120, 12, 12, 1))
masks = np.zeros_like(images)
for image, mask in zip(images, masks):
    r, c = np.random.randint(0, 8, 2)
    mask[r:r + 4, c:c + 4] = 1
images += masks
model = get_unet(12)
history = model.fit(images[:100], masks[:100], batch_size=20, epochs=12, verbose=0,
                    validation_data=(images[100:], masks[100:])).history
print(history['dice_coef'][0], history['val_dice_coef'][-1])
assert history['val_dice_coef'][-1] > 0.75
assert abs(history['val_dice_coef'][-1] + history['val_loss'][-1]) < 1e-5
found = model.predict(images[100:])
by_hand = (2 * (found * masks[100:]).sum() + 1) / (found.sum() + masks[100:].sum() + 1)
assert abs(by_hand - model.evaluate(images[100:], masks[100:], verbose=0)[1]) < 1e-4
