"""Recurrences along time: ``K.rnn`` and the fused layers lstm, gru and simple_rnn."""
