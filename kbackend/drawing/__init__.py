"""Pictures: graphs as boxes and arrows, and curves. Nothing here knows what the boxes and curves stand for."""
