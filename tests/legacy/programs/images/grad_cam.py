"""Grad-CAM: pooled gradients of a class with respect to the last feature map."""
import keras
import numpy as np
from keras import backend as K
from keras import layers, models

np.random.seed(5)
x = np.random.rand(400, 10, 10, 1).astype('float32') * 0.3
y = np.random.randint(0, 2, 400)
for image, label, row in zip(x, y, np.random.randint(0, 7, 400)):
    if label:
        image[row:row + 3, 1:4] = 1.
    else:
        image[row:row + 3, 6:9:2] = 1.

model = models.Sequential()
model.add(layers.Conv2D(6, (3, 3), padding='same', activation='relu', input_shape=(10, 10, 1)))
model.add(layers.Conv2D(8, (3, 3), padding='same', activation='relu', name='last_conv'))
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(2, activation='softmax'))
model.compile(keras.optimizers.Adam(0.02), 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=10, batch_size=50, verbose=0)
assert model.evaluate(x, y, verbose=0)[1] > 0.95

class_output = model.output[:, 1]
last_conv_layer = model.get_layer('last_conv')
grads = K.gradients(class_output, last_conv_layer.output)[0]
pooled_grads = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])

hits = 0
for index in np.where(y == 1)[0][:20]:
    pooled_grads_value, conv_layer_output_value = iterate([x[index:index + 1]])
    for i in range(8):
        conv_layer_output_value[:, :, i] *= pooled_grads_value[i]
    heatmap = np.maximum(np.mean(conv_layer_output_value, axis=-1), 0)
    hits += np.unravel_index(heatmap.argmax(), heatmap.shape)[1] < 5
print('hottest point in the left half for %d of 20' % hits)
assert hits >= 17
