"""Optimizers by get_updates, as packages of 2017 wrote them: accumulated gradients, and LazySign."""
import keras
import numpy as np
from keras import backend as K
from keras.layers import Dense
from keras.legacy import interfaces
from keras.models import Sequential
from keras.optimizers import Optimizer

np.random.seed(10)


class AdamAccumulate(Optimizer):
    def __init__(self, lr=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-8, decay=0., accum_iters=2, **kwargs):
        super(AdamAccumulate, self).__init__(**kwargs)
        self.__dict__.update(locals())
        self.iterations = K.variable(0)
        self.lr = K.variable(lr)
        self.beta_1 = K.variable(beta_1)
        self.beta_2 = K.variable(beta_2)
        self.decay = K.variable(decay)
        self.accum_iters = K.variable(accum_iters)

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [(self.iterations, self.iterations + 1)]
        t = self.iterations + 1
        lr_t = self.lr * K.sqrt(1. - K.pow(self.beta_2, t)) / (1. - K.pow(self.beta_1, t))
        ms = [K.variable(np.zeros(K.get_value(p).shape)) for p in params]
        vs = [K.variable(np.zeros(K.get_value(p).shape)) for p in params]
        gs = [K.variable(np.zeros(K.get_value(p).shape)) for p in params]
        self.weights = ms + vs
        for p, g, m, v, gg in zip(params, grads, ms, vs, gs):
            flag = K.equal(self.iterations % self.accum_iters, 0)
            flag = K.cast(flag, dtype='float32')
            gg_t = (1 - flag) * (gg + g)
            m_t = (self.beta_1 * m) + (1. - self.beta_1) * (gg + flag * g) / self.accum_iters
            v_t = (self.beta_2 * v) + (1. - self.beta_2) * K.square((gg + flag * g) / self.accum_iters)
            p_t = p - flag * lr_t * m_t / (K.sqrt(v_t) + self.epsilon)
            self.updates.append((m, flag * m_t + (1 - flag) * m))
            self.updates.append((v, flag * v_t + (1 - flag) * v))
            self.updates.append((gg, gg_t))
            new_p = p_t
            if getattr(p, 'constraint', None) is not None:
                new_p = p.constraint(new_p)
            self.updates.append(K.update(p, new_p))
        return self.updates


class SignSGD(Optimizer):
    def __init__(self, lr=0.01, **kwargs):
        super(SignSGD, self).__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.lr = K.variable(lr, name='lr')
            self.iterations = K.variable(0, dtype='int64', name='iterations')

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        for p, g in zip(params, grads):
            self.updates.append(K.update(p, p - self.lr * K.sign(g)))
        return self.updates

    def get_config(self):
        return dict(list(super(SignSGD, self).get_config().items()) + [('lr', float(K.get_value(self.lr)))])


x = np.random.randn(300, 4)
y = x.dot([[1.], [-2.], [0.5], [0.]]) + 0.3
for optimizer, wanted in [(AdamAccumulate(lr=0.02), 0.02), (SignSGD(0.005), 0.005), (keras.optimizers.SGD(0.05), 0.05)]:
    model = Sequential([Dense(1, input_dim=4, kernel_constraint='max_norm')])
    model.compile(optimizer, 'mse')
    history = model.fit(x, y, batch_size=20, epochs=20, verbose=0).history
    print(type(optimizer).__name__, history['loss'][0], history['loss'][-1])
    assert history['loss'][-1] < 0.25 * history['loss'][0]
    assert abs(K.get_value(model.optimizer.lr) - wanted) < 1e-6
    K.set_value(model.optimizer.lr, 0.0)
    before = model.get_weights()[0]
    model.fit(x, y, epochs=1, verbose=0)
    assert np.allclose(before, model.get_weights()[0])
