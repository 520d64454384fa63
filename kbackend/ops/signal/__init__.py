"""Signals: Fourier transforms, short-time Fourier transforms, windows, correlation."""
