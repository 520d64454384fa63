"""Tokenizer, pad_sequences, a matrix of counts and an embedding with Conv1D, as in the examples of 2017."""
import numpy as np
from keras.layers import Conv1D, Dense, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer, one_hot, text_to_word_sequence

np.random.seed(3)
good, bad = ['good', 'great', 'fine'], ['bad', 'awful', 'poor']
other = 'the film was a story of two people in town'.split()
texts, labels = [], []
for i in range(240):
    label = i % 2
    words = list(np.random.choice(other, 8)) + [np.random.choice(good if label else bad)]
    np.random.shuffle(words)
    texts.append(' '.join(words).capitalize() + '!')
    labels.append(label)
labels = np.array(labels)

tokenizer = Tokenizer(num_words=30)
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
print('Found %s unique tokens.' % len(tokenizer.word_index))
assert len(tokenizer.word_index) == len(set(other)) + 6
assert text_to_word_sequence(texts[0]) == [w.lower() for w in texts[0].strip('!').split()]
data = sequence.pad_sequences(sequences, maxlen=12)
assert data.shape == (240, 12) and (data[:, :3] == 0).all()
model = Sequential()
model.add(Embedding(31, 8, input_length=12))
model.add(Conv1D(8, 3, activation='relu', padding='valid'))
model.add(GlobalMaxPooling1D())
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
model.fit(data[:200], labels[:200], epochs=25, batch_size=20, verbose=0)
acc = model.evaluate(data[200:], labels[200:], verbose=0)[1]
matrix = tokenizer.texts_to_matrix(texts, mode='binary')
bag = Sequential([Dense(1, activation='sigmoid', input_shape=(30,))])
bag.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'])
bag.fit(matrix[:200], labels[:200], epochs=60, batch_size=20, verbose=0)
print('accuracy', acc, bag.evaluate(matrix[200:], labels[200:], verbose=0)[1])
assert acc > 0.9 and bag.evaluate(matrix[200:], labels[200:], verbose=0)[1] > 0.9
couples, marks = sequence.skipgrams([1, 2, 3, 4], vocabulary_size=10, window_size=1, negative_samples=1.)
assert len(couples) == len(marks) == 12 and sum(marks) == 6
assert len(one_hot('a b a', 20)) == 3
