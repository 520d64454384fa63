"""Keras 2's own meanings: placeholders, variables, sessions."""
