"""Indexing, gathering, scattering, searching, sorting, and sparse tensors."""
