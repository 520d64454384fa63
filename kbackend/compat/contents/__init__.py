"""What Keras 1 and 2 had by names that kbackend itself does not have, or means otherwise."""
