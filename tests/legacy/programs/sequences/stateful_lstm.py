"""A stateful LSTM over pieces of a series, with reset_states between epochs, and batch_input_shape."""
import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

np.random.seed(1)
lahead, batch_size, epochs = 1, 1, 6
series = np.sin(np.arange(401) * 0.3)
x, y = series[:-1].reshape(-1, 1, 1), series[1:].reshape(-1, 1)
x_train, y_train, x_test, y_test = x[:300], y[:300], x[300:], y[300:]


def create_model(stateful):
    model = Sequential()
    model.add(LSTM(10, input_shape=(lahead, 1), batch_size=batch_size, stateful=stateful))
    model.add(Dense(1))
    model.compile(loss='mse', optimizer='adam')
    return model


model_stateful = create_model(stateful=True)
for i in range(epochs):
    model_stateful.fit(x_train, y_train, batch_size=batch_size, epochs=1, verbose=0, shuffle=False)
    model_stateful.reset_states()
model_stateful.predict(x_train, batch_size=batch_size)
predicted_stateful = model_stateful.predict(x_test, batch_size=batch_size)
with_memory = np.mean((predicted_stateful - y_test) ** 2)

model_stateless = create_model(stateful=False)
model_stateless.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=0, shuffle=False)
without = np.mean((model_stateless.predict(x_test, batch_size=batch_size) - y_test) ** 2)
print('stateful', with_memory, 'stateless', without)
assert with_memory < 0.5 * without

model_stateful.reset_states()
first = model_stateful.predict(x_test[:5], batch_size=1)
model_stateful.reset_states()
assert np.array_equal(first, model_stateful.predict(x_test[:5], batch_size=1))
