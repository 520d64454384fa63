"""The same networks as someone who knows the engine writes them; `torch_*`, `tensorflow_*` and `numpy_*`."""
