"""Monte Carlo dropout: the learning phase fed by hand, training=True, and set_learning_phase."""
import numpy as np
from keras import backend as K
from keras.layers import Dense, Dropout, Input
from keras.models import Model, Sequential

np.random.seed(3)
x = np.random.uniform(-1, 1, (300, 1))
y = np.sin(3 * x)
model = Sequential([Dense(64, activation='relu', input_shape=(1,)), Dropout(0.1), Dense(64, activation='relu'),
                    Dropout(0.1), Dense(1)])
model.compile('adam', 'mse')
model.fit(x, y, epochs=60, batch_size=30, verbose=0)
f = K.function([model.layers[0].input, K.learning_phase()], [model.layers[-1].output])
grid = np.array([[-0.5], [0.0], [0.5], [4.0]])
draws = np.array([f([grid, 1])[0] for _ in range(60)])[:, :, 0]
mean, std = draws.mean(0), draws.std(0)
print('mean', mean, 'std', std)
assert np.allclose(mean[:3], np.sin(3 * grid[:3, 0]), atol=0.3)
assert std[3] > 1.4 * std[:3].max() and np.all(std > 0)
assert np.allclose(f([grid, 0])[0], model.predict(grid), atol=1e-5)

inputs = Input((1,))
always = Model(inputs, Dropout(0.5)(inputs, training=True))
assert (always.predict(np.ones((200, 1))) == 0).mean() > 0.3
K.set_learning_phase(1)
try:
    on = Model(inputs, Dropout(0.5)(inputs))
    assert (on.predict(np.ones((200, 1))) == 0).mean() > 0.3
finally:
    K.clear_session()
