"""What a model shows of itself: summaries, diagrams, trials, measurements."""
