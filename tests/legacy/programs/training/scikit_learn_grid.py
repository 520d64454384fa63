"""KerasClassifier and KerasRegressor in cross validation and a grid search, as in tutorials of 2016."""
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score

np.random.seed(7)
X = np.random.randn(150, 4)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def create_model(optimizer='rmsprop', units=1):
    model = Sequential()
    model.add(Dense(units, input_dim=4, activation='relu'))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
    return model


model = KerasClassifier(build_fn=create_model, units=8, epochs=30, batch_size=10, verbose=0)
scores = cross_val_score(model, X, Y, cv=3)
grid = GridSearchCV(estimator=KerasClassifier(build_fn=create_model, epochs=20, batch_size=10, verbose=0),
                    param_grid=dict(optimizer=['sgd', 'adam'], units=[8]), cv=2)
grid_result = grid.fit(X, Y)
print('scores', scores, 'best', grid_result.best_score_, grid_result.best_params_)
assert scores.mean() > 0.85 and grid_result.best_params_['optimizer'] in ('sgd', 'adam')


def regressor():
    model = Sequential([Dense(8, activation='tanh', input_dim=4), Dense(1)])
    model.compile('adam', 'mse')
    return model


estimator = KerasRegressor(build_fn=regressor, epochs=40, batch_size=10, verbose=0)
estimator.fit(X, X[:, 0] - X[:, 2])
assert np.mean((estimator.predict(X) - (X[:, 0] - X[:, 2])) ** 2) < 0.5
