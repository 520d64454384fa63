"""The checks of the kit: ops, overrides, gaps, second derivatives, state."""
