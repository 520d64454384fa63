"""Gradients of TensorFlow's operations in fewer operations than TensorFlow's own."""
