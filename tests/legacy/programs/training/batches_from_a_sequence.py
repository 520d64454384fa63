"""A keras.utils.Sequence with on_epoch_end, workers, predict_generator and evaluate_generator."""
import keras
import numpy as np
from keras.layers import Conv1D, Dense, GlobalMaxPooling1D
from keras.models import Sequential

np.random.seed(12)


class DataGenerator(keras.utils.Sequence):
    def __init__(self, list_IDs, labels, batch_size=16, dim=(20,), n_channels=1, n_classes=2, shuffle=True):
        self.dim, self.batch_size, self.labels, self.list_IDs = dim, batch_size, labels, list_IDs
        self.n_channels, self.n_classes, self.shuffle = n_channels, n_classes, shuffle
        self.epochs_seen = 0
        self.on_epoch_end()

    def __len__(self):
        return int(np.floor(len(self.list_IDs) / self.batch_size))

    def __getitem__(self, index):
        indexes = self.indexes[index * self.batch_size:(index + 1) * self.batch_size]
        return self.__data_generation([self.list_IDs[k] for k in indexes])

    def on_epoch_end(self):
        self.epochs_seen += 1
        self.indexes = np.arange(len(self.list_IDs))
        if self.shuffle is True:
            np.random.shuffle(self.indexes)

    def __data_generation(self, list_IDs_temp):
        X = np.empty((self.batch_size, *self.dim, self.n_channels))
        y = np.empty((self.batch_size), dtype=int)
        for i, ID in enumerate(list_IDs_temp):
            random = np.random.RandomState(ID)
            X[i] = random.rand(*self.dim, self.n_channels) * 0.5
            y[i] = self.labels[ID]
            if y[i]:
                X[i, 5 + ID % 7:8 + ID % 7, 0] = 1
        return X, keras.utils.to_categorical(y, num_classes=self.n_classes)


labels = dict((i, i % 2) for i in range(200))
training, validation = DataGenerator(range(160), labels), DataGenerator(range(160, 192), labels, shuffle=False)
model = Sequential([Conv1D(6, 3, activation='relu', input_shape=(20, 1)), GlobalMaxPooling1D(),
                    Dense(2, activation='softmax')])
model.compile(keras.optimizers.Adam(0.01), 'categorical_crossentropy', metrics=['accuracy'])
history = model.fit_generator(generator=training, validation_data=validation, epochs=25, verbose=0, workers=2,
                              use_multiprocessing=False, max_queue_size=4).history
loss, acc = model.evaluate_generator(validation, steps=len(validation))
probabilities = model.predict_generator(validation, steps=len(validation))
print('accuracy', acc, 'epochs', training.epochs_seen)
assert acc > 0.9 and abs(history['val_accuracy'][-1] - acc) < 1e-6 and training.epochs_seen >= 25
assert probabilities.shape == (32, 2)
assert ((probabilities.argmax(1) == np.array([labels[i] for i in range(160, 192)])).mean() - acc) < 1e-6
