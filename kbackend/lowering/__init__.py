"""From graph to program: rewrite, plan, emit, run."""
