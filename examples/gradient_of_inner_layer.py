"""A class activation map: gradients of a class score with respect to the feature maps of an inner layer."""

import numpy as np

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.datasets import digits

kbackend.set_seed(3)
(x_train, y_train), (x_test, y_test) = digits.load_data()

image = Input((8, 8, 1))
features = layers.Conv2D(8, 3, padding="same", activation="tanh", name="features")(image)
scores = layers.Dense(10)(layers.Flatten()(features))
model = Model(image, layers.Activation("softmax")(scores))
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x_train[:320, ..., None] / 16, y_train[:320], verbose=0)

# The slope of the score of a three at each position of the feature maps, and the map that it weighs.
inner = model.get_layer("features").output
(slope,) = K.gradients(K.sum(scores[:, 3]), [inner])
heat = K.relu(K.sum(K.mean(slope, axis=(1, 2), keepdims=True) * inner, axis=-1))
look = K.function([model.input], [heat, slope], name="look")

threes = x_test[y_test == 3][:16, ..., None] / 16
heats, slopes = (np.asarray(value) for value in look([threes]))
print(f"# {K.backend()}: heat maps {heats.shape}, slopes {slopes.shape}")
print(f"mean heat {heats.mean():.6f}, steepest slope {np.abs(slopes).max():.6f}")
shades = np.asarray(list(" .:-=+*#%@"))
mean = heats.mean(axis=0)
for row in shades[(mean / mean.max() * 9).astype(int)]:
    print(" ".join(row))
