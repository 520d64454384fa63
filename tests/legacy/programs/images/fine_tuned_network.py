"""A known network without its top and weights, a new top, layers frozen by index, as in the examples of 2017."""
import numpy as np
from keras.applications.mobilenet import MobileNet, preprocess_input
from keras.layers import Dense, GlobalAveragePooling2D
from keras.models import Model
from keras.optimizers import SGD, Adam

np.random.seed(11)
base_model = MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.25)
x = GlobalAveragePooling2D()(base_model.get_layer('conv_pw_3_relu').output)
x = Dense(16, activation='relu')(x)
predictions = Dense(2, activation='softmax')(x)
model = Model(inputs=base_model.input, outputs=predictions)
for layer in base_model.layers:
    layer.trainable = False
model.compile(optimizer=Adam(0.01), loss='categorical_crossentropy', metrics=['acc'])
y = np.arange(40) % 2
images = np.random.randint(0, 120, (40, 32, 32, 3)) + y[:, None, None, None] * 130
X = preprocess_input(images.astype('float32'))
assert X.min() >= -1 and X.max() <= 1
before = base_model.get_weights()
history = model.fit(X, np.eye(2)[y], epochs=20, batch_size=10, verbose=0).history
assert all(np.array_equal(a, b) for a, b in zip(before, base_model.get_weights()))
print('layers', len(model.layers), 'accuracy', history['acc'][-1])
assert history['acc'][-1] > 0.9
for layer in model.layers[-8:]:
    layer.trainable = True
model.compile(optimizer=SGD(lr=0.001, momentum=0.9), loss='categorical_crossentropy')
model.fit(X, np.eye(2)[y], epochs=1, batch_size=10, verbose=0)
changed = [not np.array_equal(a, b) for a, b in zip(before, base_model.get_weights())]
assert any(changed) and not changed[0]
