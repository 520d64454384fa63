"""REINFORCE with a train function of one's own: optimizer.get_updates of Keras 1 and K.function with updates."""
import numpy as np
from keras import backend as K
from keras import layers, optimizers
from keras.models import Model

np.random.seed(1)


class Agent(object):
    def __init__(self, input_dim, output_dim, hidden_dims=[16]):
        self.input_dim, self.output_dim = input_dim, output_dim
        self.__build_network(hidden_dims)
        self.__build_train_fn()

    def __build_network(self, hidden_dims):
        self.X = layers.Input(shape=(self.input_dim,))
        net = self.X
        for h_dim in hidden_dims:
            net = layers.Dense(h_dim)(net)
            net = layers.Activation('relu')(net)
        net = layers.Dense(self.output_dim)(net)
        net = layers.Activation('softmax')(net)
        self.model = Model(inputs=self.X, outputs=net)

    def __build_train_fn(self):
        action_prob_placeholder = self.model.output
        action_onehot_placeholder = K.placeholder(shape=(None, self.output_dim), name='action_onehot')
        discount_reward_placeholder = K.placeholder(shape=(None,), name='discount_reward')
        action_prob = K.sum(action_prob_placeholder * action_onehot_placeholder, axis=1)
        log_action_prob = K.log(action_prob)
        loss = K.mean(-log_action_prob * discount_reward_placeholder)
        adam = optimizers.Adam(lr=0.02)
        updates = adam.get_updates(params=self.model.trainable_weights, loss=loss)
        self.train_fn = K.function(
            inputs=[self.model.input, action_onehot_placeholder, discount_reward_placeholder],
            outputs=[loss], updates=updates)

    def get_action(self, state):
        action_prob = np.squeeze(self.model.predict(state[None]))
        return np.random.choice(np.arange(self.output_dim), p=action_prob / action_prob.sum())

    def fit(self, S, A, R):
        onehot = np.eye(self.output_dim)[A]
        return self.train_fn([S, onehot, (R - R.mean()) / (R.std() + 1e-6)])


SIZE = 5


def episode(agent, greedy=False):
    place, S, A, R = 0, [], [], []
    for step in range(12):
        state = np.eye(SIZE)[place]
        action = int(np.argmax(agent.model.predict(state[None])[0])) if greedy else agent.get_action(state)
        place = min(max(place + (1 if action else -1), 0), SIZE - 1)
        S.append(state)
        A.append(action)
        R.append(10. if place == SIZE - 1 else -1.)
        if place == SIZE - 1:
            break
    rewards = np.cumsum(R[::-1])[::-1]
    return np.array(S), np.array(A), rewards


agent = Agent(SIZE, 2)
for i in range(40):
    agent.fit(*episode(agent))
steps = len(episode(agent, greedy=True)[1])
print('steps to the end of the corridor:', steps)
assert steps == SIZE - 1
