"""No layers at all: logistic regression, a perceptron and a scan written on K alone, as in 2015 with Theano."""
import numpy as np
from keras import backend as K

np.random.seed(0)
N, feats, training_steps = 200, 6, 300
D = (np.random.randn(N, feats).astype('float32'), None)
w_true = np.random.randn(feats)
D = (D[0], (D[0].dot(w_true) > 0).astype('float32'))

x = K.placeholder(ndim=2)
y = K.placeholder(ndim=1)
w = K.variable(np.random.randn(feats, 1) * 0.1, name='w')
b = K.variable(0., name='b')
p_1 = K.flatten(1 / (1 + K.exp(-K.dot(x, w) - b)))
prediction = p_1 > 0.5
xent = -y * K.log(p_1) - (1 - y) * K.log(1 - p_1)
cost = K.mean(xent) + 0.001 * K.sum(w ** 2)
gw, gb = K.gradients(cost, [w, b])
train = K.function(inputs=[x, y], outputs=[prediction, xent], updates=[(w, w - 0.5 * gw), (b, b - 0.5 * gb)])
predict = K.function(inputs=[x], outputs=[prediction])
for i in range(training_steps):
    pred, err = train([D[0], D[1]])
right = np.mean(predict([D[0]])[0] == (D[1] > 0.5))
print('right', right, 'cost', err.mean())
assert right > 0.98 and err.mean() < 0.2

total = K.variable(0., dtype='float32')
counted = K.function([x], [K.sum(x)], updates=[K.update_add(total, K.sum(x)),
                                               K.moving_average_update(b, K.sum(x), 0.9)])
before = K.get_value(b)
counted([np.ones((2, 3))])
counted([np.ones((4, 3))])
assert K.get_value(total) == 18
assert abs(K.get_value(b) - (0.9 * (0.9 * before + 0.6) + 1.2)) < 1e-4

sequence = K.placeholder((None, None, 2))
last, outputs, states = K.rnn(lambda t, s: (s[0] + t, [s[0] + t]), sequence, [K.zeros_like(sequence[:, 0])])
values = np.random.rand(3, 5, 2)
found = K.function([sequence], [last, outputs])([values])
assert np.allclose(found[0], values.sum(1), atol=1e-5) and np.allclose(found[1], values.cumsum(1), atol=1e-5)
squares = K.map_fn(lambda t: K.sum(K.square(t)), K.constant(values))
assert np.allclose(K.eval(squares), (values ** 2).sum((1, 2)), atol=1e-5)
assert abs(float(K.eval(K.foldl(lambda acc, t: acc * 2 + t, K.constant([1., 2., 3.])))) - 11) < 1e-5
