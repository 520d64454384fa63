"""Execution: concrete calls, ``K.function``, evaluation of tensors, functions of engines."""
