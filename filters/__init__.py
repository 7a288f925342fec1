"""Text to signals, signals to verdicts and clusters: pure functions and data."""
