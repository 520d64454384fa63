"""Word vectors: skip-grams of a small corpus with negative samples, Dot, and a similarity model on shared weights."""
import numpy as np
from keras.layers import Dense, Dot, Embedding, Input, Reshape
from keras.models import Model

np.random.seed(2)
vocab, size, window = 12, 6, 1
# words 0 to 5 stand beside each other, and so do 6 to 11
corpus = np.concatenate([np.random.randint(0, 6, 8) + 6 * (i % 2) for i in range(150)])
target, context, label = [], [], []
for i in range(1, len(corpus) - 1):
    if i % 8 in (0, 7):
        continue
    for j in (i - 1, i + 1):
        target += [corpus[i]] * 2
        context += [corpus[j], np.random.randint(0, vocab)]
        label += [1, 0]

input_target, input_context = Input((1,)), Input((1,))
embedding = Embedding(vocab, size, input_length=1, name='embedding')
t = Reshape((size, 1))(embedding(input_target))
c = Reshape((size, 1))(embedding(input_context))
dot_product = Reshape((1,))(Dot(axes=1)([t, c]))
similarity = Reshape((1,))(Dot(axes=1, normalize=True)([t, c]))
output = Dense(1, activation='sigmoid', kernel_initializer='ones')(dot_product)
model = Model(inputs=[input_target, input_context], outputs=output)
model.compile(loss='binary_crossentropy', optimizer='rmsprop')
validation_model = Model(inputs=[input_target, input_context], outputs=similarity)

model.fit([np.array(target), np.array(context)], np.array(label), batch_size=64, epochs=80, verbose=0)
pairs = np.array([[a, b] for a in range(vocab) for b in range(vocab) if a != b])
sim = validation_model.predict([pairs[:, 0], pairs[:, 1]]).ravel()
same = (pairs[:, 0] < 6) == (pairs[:, 1] < 6)
print('similarity within', sim[same].mean(), 'between', sim[~same].mean())
assert sim[same].mean() > sim[~same].mean() + 0.5
assert np.array_equal(embedding.get_weights()[0], model.get_layer('embedding').get_weights()[0])
