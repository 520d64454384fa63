"""Structure as JSON and YAML, weights apart, clone_model, get_weights, layer by layer; predictions are the same."""
import os
import tempfile

import numpy as np
from keras.layers import Dense, Dropout, Embedding, GlobalAveragePooling1D, Input, LeakyReLU, SpatialDropout1D
from keras.models import Model, Sequential, clone_model, model_from_config, model_from_json, model_from_yaml

np.random.seed(5)
x = np.random.randint(0, 30, (200, 7))
y = (x > 15).mean(1)
ids = Input((7,), dtype='int32')
h = SpatialDropout1D(0.1)(Embedding(30, 6)(ids))
h = LeakyReLU(alpha=0.1)(Dense(8)(GlobalAveragePooling1D()(h)))
model = Model(ids, Dense(1, activation='sigmoid', name='score')(h), name='scorer')
model.compile('adam', 'mse', metrics=['mae'])
mae = model.fit(x, y, epochs=60, batch_size=20, verbose=0).history['mae']
print('mae', mae[0], mae[-1])
assert mae[-1] < 0.06

folder = tempfile.mkdtemp()
with open(os.path.join(folder, 'model.json'), 'w') as f:
    f.write(model.to_json())
model.save_weights(os.path.join(folder, 'weights.h5'))
with open(os.path.join(folder, 'model.json')) as f:
    again = model_from_json(f.read())
again.load_weights(os.path.join(folder, 'weights.h5'))
wanted = model.predict(x[:10])
assert np.allclose(again.predict(x[:10]), wanted, atol=1e-6) and again.name == 'scorer'
try:
    import yaml
except ImportError:
    yaml = None
if yaml is not None:
    by_yaml = model_from_yaml(model.to_yaml())
    by_yaml.set_weights(model.get_weights())
    assert np.allclose(by_yaml.predict(x[:10]), wanted, atol=1e-6)
copy = clone_model(model)
assert not np.allclose(copy.predict(x[:10]), wanted)
for layer in copy.layers:
    layer.set_weights(model.get_layer(layer.name).get_weights())
assert np.allclose(copy.predict(x[:10]), wanted, atol=1e-6)
chain = Sequential([Dense(3, input_shape=(2,), name='first'), Dropout(0.5)])
rebuilt = Sequential.from_config(chain.get_config())
assert [layer.name for layer in rebuilt.layers] == [layer.name for layer in chain.layers]
assert model_from_config({'class_name': 'Sequential', 'config': chain.get_config()}).output_shape == (None, 3)
assert model.count_params() == sum(np.prod(w.shape) for w in model.get_weights())
