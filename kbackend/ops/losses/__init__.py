"""Losses: crossentropies, focal crossentropies, connectionist temporal classification."""
