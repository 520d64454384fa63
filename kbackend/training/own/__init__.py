"""Steps that a model defines itself."""
