"""TimeseriesGenerator for a series, with a target a step ahead."""
import numpy as np
from keras.layers import GRU, Dense
from keras.models import Sequential
from keras.preprocessing.sequence import TimeseriesGenerator

np.random.seed(5)
series = np.sin(np.arange(300) * 0.4)[:, None] + 0.02 * np.random.randn(300, 1)
train = TimeseriesGenerator(series, series, length=8, batch_size=16, end_index=239)
test = TimeseriesGenerator(series, series, length=8, batch_size=16, start_index=240)
x, y = train[0]
assert x.shape == (16, 8, 1) and np.array_equal(x[1, :-1], x[0, 1:]) and np.array_equal(y[0], x[1, -1])
model = Sequential([GRU(12, input_shape=(8, 1)), Dense(1)])
model.compile('adam', 'mse')
model.fit_generator(train, epochs=30, verbose=0)
loss = model.evaluate_generator(test)
print('loss', loss, 'variance', series.var())
assert loss < 0.05 * series.var()
