"""Shape, order and arrangement of elements."""
