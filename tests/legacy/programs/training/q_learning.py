"""Deep Q learning: replay, a target network by set_weights, train_on_batch, epsilon-greedy."""
import random
from collections import deque

import numpy as np
from keras.layers import Dense
from keras.models import Sequential, clone_model
from keras.optimizers import Adam

np.random.seed(3)
random.seed(3)
SIZE = 6


class DQNAgent:
    def __init__(self, state_size, action_size):
        self.action_size = action_size
        self.memory = deque(maxlen=500)
        self.gamma, self.epsilon, self.epsilon_min, self.epsilon_decay = 0.9, 1.0, 0.05, 0.97
        model = Sequential()
        model.add(Dense(24, input_dim=state_size, activation='relu'))
        model.add(Dense(action_size, activation='linear'))
        model.compile(loss='mse', optimizer=Adam(lr=0.02))
        self.model = model
        self.target_model = clone_model(model)
        self.target_model.set_weights(model.get_weights())

    def act(self, state):
        if np.random.rand() <= self.epsilon:
            return random.randrange(self.action_size)
        return np.argmax(self.model.predict(state)[0])

    def replay(self, batch_size):
        minibatch = random.sample(self.memory, batch_size)
        states = np.vstack([m[0] for m in minibatch])
        targets = self.model.predict(states)
        following = self.target_model.predict(np.vstack([m[3] for m in minibatch]))
        for row, (state, action, reward, next_state, done) in enumerate(minibatch):
            targets[row][action] = reward if done else reward + self.gamma * np.amax(following[row])
        self.model.train_on_batch(states, targets)
        if self.epsilon > self.epsilon_min:
            self.epsilon *= self.epsilon_decay


def step(place, action):
    place = min(max(place + (1 if action == 1 else -1), 0), SIZE - 1)
    done = place == SIZE - 1
    return place, 1. if done else -0.05, done


agent = DQNAgent(SIZE, 2)
for e in range(40):
    place = 0
    for time in range(20):
        state = np.eye(SIZE)[[place]]
        action = agent.act(state)
        place, reward, done = step(place, action)
        agent.memory.append((state, action, reward, np.eye(SIZE)[[place]], done))
        if len(agent.memory) > 32 and time % 3 == 0:
            agent.replay(16)
        if done:
            break
    if e % 5 == 0:
        agent.target_model.set_weights(agent.model.get_weights())
values = agent.model.predict(np.eye(SIZE)[:SIZE - 1])
print(values.round(2))
assert np.all(values[:, 1] > values[:, 0])
assert values[SIZE - 2, 1] > 0.7
