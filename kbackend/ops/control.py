"""Control flow: phases, switch, scan, rnn."""

from __future__ import annotations
