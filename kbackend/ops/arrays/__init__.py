"""Shape, order and arrangement of elements; conversion to and from tensors."""
