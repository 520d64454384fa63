"""NumPy code that several backends share."""
