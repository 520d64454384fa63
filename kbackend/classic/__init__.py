"""The functions that only Keras 2 has: placeholders, variables, ``K.function``, sessions."""
