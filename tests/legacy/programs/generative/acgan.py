"""An ACGAN: a discriminator with two outputs, sample weights for one of them, and losses by train_on_batch."""
from collections import defaultdict

import numpy as np
from keras.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Embedding,
    Flatten,
    Input,
    Reshape,
)
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.merge import multiply
from keras.models import Model, Sequential
from keras.optimizers import Adam
from keras.utils.generic_utils import Progbar

np.random.seed(1337)
LATENT, CLASSES, BATCH = 6, 2, 12

cnn = Sequential()
cnn.add(Dense(2 * 2 * 6, input_dim=LATENT, activation='relu'))
cnn.add(Reshape((2, 2, 6)))
cnn.add(Conv2DTranspose(6, 3, strides=2, padding='same', activation='relu', kernel_initializer='glorot_normal'))
cnn.add(BatchNormalization())
cnn.add(Conv2D(1, 3, padding='same', activation='tanh'))
latent, image_class = Input(shape=(LATENT,)), Input(shape=(1,), dtype='int32')
embedded = Flatten()(Embedding(CLASSES, LATENT, embeddings_initializer='glorot_normal')(image_class))
generator = Model([latent, image_class], cnn(multiply([latent, embedded])))

features = Sequential()
features.add(Conv2D(6, 3, padding='same', strides=2, input_shape=(4, 4, 1)))
features.add(LeakyReLU(0.2))
features.add(Flatten())
image = Input(shape=(4, 4, 1))
found = features(image)
fake = Dense(1, activation='sigmoid', name='generation')(found)
aux = Dense(CLASSES, activation='softmax', name='auxiliary')(found)
discriminator = Model(image, [fake, aux])
losses = ['binary_crossentropy', 'sparse_categorical_crossentropy']
discriminator.compile(optimizer=Adam(lr=0.005, beta_1=0.5), loss=losses)
discriminator.trainable = False
combined = Model([latent, image_class], discriminator(generator([latent, image_class])))
combined.compile(optimizer=Adam(lr=0.005, beta_1=0.5), loss=losses)
frozen = len(combined.trainable_weights)
assert frozen == len(generator.trainable_weights)


def pictures(classes):
    return np.sign(classes - 0.5)[:, None, None, None] * 0.8 + 0.1 * np.random.randn(len(classes), 4, 4, 1)


history = defaultdict(list)
progress = Progbar(target=30, verbose=0)
for step in range(30):
    real = np.random.randint(0, CLASSES, BATCH)
    noise, drawn = np.random.uniform(-1, 1, (BATCH, LATENT)), np.random.randint(0, CLASSES, BATCH)
    x = np.concatenate((pictures(real), generator.predict([noise, drawn.reshape((-1, 1))], verbose=0)))
    y, classes = np.array([0.95] * BATCH + [0] * BATCH), np.concatenate((real, drawn))
    weights = [np.ones(2 * BATCH), np.concatenate((np.ones(BATCH) * 2, np.zeros(BATCH)))]
    history['discriminator'].append(discriminator.train_on_batch(x, [y, classes], sample_weight=weights))
    noise, drawn = np.random.uniform(-1, 1, (2 * BATCH, LATENT)), np.random.randint(0, CLASSES, 2 * BATCH)
    history['generator'].append(combined.train_on_batch([noise, drawn.reshape((-1, 1))], [np.ones(2 * BATCH), drawn]))
    progress.update(step + 1)
print(discriminator.metrics_names, history['discriminator'][0], history['discriminator'][-1], history['generator'][-1])
assert discriminator.metrics_names == ['loss', 'generation_loss', 'auxiliary_loss']
assert history['discriminator'][-1][2] < 0.5 * history['discriminator'][0][2]
assert (discriminator.predict(pictures(real))[1].argmax(axis=1) == real).mean() > 0.9
