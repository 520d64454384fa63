"""The same networks as someone who knows the engine writes them, a folder an engine."""
