"""What goes between layers and the modules of engines."""
