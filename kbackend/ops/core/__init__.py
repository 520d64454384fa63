"""Constants, placeholders, casts, creation, inspection, updates of variables, and gradients."""
