"""The same networks in Keras 3; the environment variable KERAS_BACKEND chooses the engine."""
