"""Builders of benchmarks: held-out works, or questions of others, as documents, queries and relevance judgements."""
