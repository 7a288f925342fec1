"""What consumes a corpus: passages, training sets, negatives, benchmarks, evaluation."""
