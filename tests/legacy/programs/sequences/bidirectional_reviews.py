"""Reviews of words by number: Embedding with mask_zero, padding, Bidirectional, a model saved and loaded."""
import os
import tempfile

import numpy as np
from keras.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from keras.models import Sequential, load_model

np.random.seed(3)
max_features, maxlen = 50, 12
lengths = np.random.randint(4, maxlen + 1, 600)
x = np.zeros((600, maxlen), 'int32')
y = np.zeros(600)
for row, n in enumerate(lengths):
    words = np.random.randint(1, max_features, n)
    x[row, maxlen - n:] = words
    y[row] = np.sum(words < 10) > np.sum(words > 41)  # more good words than bad ones

model = Sequential()
model.add(Embedding(max_features, 12, input_length=maxlen, mask_zero=True))
model.add(Bidirectional(LSTM(8, dropout=0.1, recurrent_dropout=0.1)))
model.add(Dropout(0.1))
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
model.fit(x[:500], y[:500], batch_size=25, epochs=12, validation_data=[x[500:], y[500:]], verbose=0)
loss, acc = model.evaluate(x[500:], y[500:], verbose=0)
print('accuracy', acc)
assert acc > 0.75

longer = np.concatenate([np.zeros((600, 5), 'int32'), x], axis=1)
path = os.path.join(tempfile.mkdtemp(), 'reviews.h5')
model.save(path)
again = load_model(path)
assert np.allclose(again.predict(x[:20]), model.predict(x[:20]), atol=1e-6)
free = Sequential([Embedding(max_features, 12, mask_zero=True, batch_input_shape=(None, None)),
                   Bidirectional(LSTM(8)), Dense(1, activation='sigmoid')])
free.set_weights(model.get_weights())
assert np.allclose(free.predict(longer[:20]), model.predict(x[:20]), atol=1e-5)
