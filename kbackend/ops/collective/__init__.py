"""Ops across the processes of a distributed run."""
