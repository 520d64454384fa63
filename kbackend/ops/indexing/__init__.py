"""Indexing, gathering, scattering, searching and sorting."""
