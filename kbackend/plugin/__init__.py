"""Backends as plugins: the contract, discovery by entry point, the choice of engine, declared gaps."""
