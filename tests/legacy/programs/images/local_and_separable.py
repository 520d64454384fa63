"""Layers of 2017 side by side: separable, depthwise, local, transposed, dilated, PReLU, ELU, thresholds, padding."""
import numpy as np
from keras import backend as K
from keras.layers import (
                          ELU,
                          Conv2D,
                          Cropping2D,
                          Dense,
                          DepthwiseConv2D,
                          Flatten,
                          Input,
                          PReLU,
                          SeparableConv2D,
                          ThresholdedReLU,
                          ZeroPadding2D,
                          average,
                          maximum,
)
from keras.layers.local import LocallyConnected2D
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(19)
(x, y), (x_test, y_test) = digits.load_data()
x, x_test = x[..., None] / 16., x_test[..., None] / 16.
image = Input((8, 8, 1))
padded = ZeroPadding2D(((1, 1), (1, 1)))(image)
a = PReLU(shared_axes=[1, 2])(SeparableConv2D(6, (3, 3))(padded))
b = ELU(alpha=0.5)(LocallyConnected2D(6, (3, 3))(padded))
c = ThresholdedReLU(theta=0.05)(DepthwiseConv2D((3, 3), depth_multiplier=6)(padded))
d = Conv2D(6, (3, 3), dilation_rate=2, activation='selu', padding='same')(image)
joined = maximum([average([a, b]), average([c, d])])
joined = Cropping2D(cropping=((1, 1), (1, 1)))(joined)
assert K.int_shape(joined) == (None, 6, 6, 6)
model = Model(image, Dense(10, activation='softmax')(Flatten()(joined)))
model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, batch_size=32, epochs=8, verbose=0)
acc = model.evaluate(x_test, y_test, verbose=0)[1]
print('accuracy', acc, [w.shape for w in model.get_weights()][:4])
assert acc > 0.9
shapes = [w.shape for w in model.get_weights()]
assert (3, 3, 1, 1) in shapes and (36 + 28, 9, 6) in shapes and (3, 3, 1, 6) in shapes and (1, 1, 6) in shapes
