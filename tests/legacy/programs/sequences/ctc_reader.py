"""Reading digits from strips of pixels: ctc_batch_cost in a Lambda, a dummy loss, ctc_decode."""
import numpy as np
from keras import backend as K
from keras.layers import GRU, Activation, Dense, Input, Lambda, TimeDistributed
from keras.layers.merge import concatenate
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(21)
classes, steps, width, longest = 4, 12, 5, 3
patterns = np.random.randint(0, 2, (classes, 2, width))


def draw(n):
    X, labels, lengths = 0.1 * np.random.randn(n, steps, width), np.zeros((n, longest)), np.zeros((n, 1))
    for i in range(n):
        k = np.random.randint(1, longest + 1)
        text = np.random.randint(0, classes, k)
        for place, c in enumerate(text):
            X[i, 4 * place + np.random.randint(0, 2):][:2] += patterns[c]
        labels[i, :k], lengths[i] = text, k
    return X, labels, lengths


def ctc_lambda_func(args):
    y_pred, labels, input_length, label_length = args
    return K.ctc_batch_cost(labels, y_pred, input_length, label_length)


input_data = Input(name='the_input', shape=(steps, width), dtype='float32')
gru_1 = GRU(24, return_sequences=True, kernel_initializer='he_normal', name='gru1')(input_data)
gru_1b = GRU(24, return_sequences=True, go_backwards=True, kernel_initializer='he_normal', name='gru1_b')(input_data)
gru_1b = Lambda(lambda t: K.reverse(t, 1))(gru_1b)
inner = TimeDistributed(Dense(classes + 1, name='dense2'))(concatenate([gru_1, gru_1b]))
y_pred = Activation('softmax', name='softmax')(inner)
labels = Input(name='the_labels', shape=[longest], dtype='float32')
input_length = Input(name='input_length', shape=[1], dtype='int64')
label_length = Input(name='label_length', shape=[1], dtype='int64')
loss_out = Lambda(ctc_lambda_func, output_shape=(1,), name='ctc')([y_pred, labels, input_length, label_length])
model = Model(inputs=[input_data, labels, input_length, label_length], outputs=loss_out)
model.compile(loss={'ctc': lambda y_true, y_pred: y_pred}, optimizer=Adam(0.01))

X, Y, lengths = draw(400)
inputs = {'the_input': X, 'the_labels': Y, 'input_length': np.full((400, 1), steps), 'label_length': lengths}
history = model.fit(inputs, {'ctc': np.zeros([400])}, batch_size=40, epochs=20, verbose=0).history['loss']
test_func = K.function([input_data], [y_pred])
X, Y, lengths = draw(60)
out = test_func([X])[0]
decoded = K.get_value(K.ctc_decode(out, input_length=np.ones(60) * steps, greedy=True)[0][0])
right = np.mean([list(d[d >= 0]) == list(t[:int(n)]) for d, t, n in zip(decoded, Y, lengths[:, 0])])
print(history[0], history[-1], 'read right:', right)
assert history[-1] < 0.2 * history[0] and right > 0.8
