"""Operators and methods of symbolic tensors."""
