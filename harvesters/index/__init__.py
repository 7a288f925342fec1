"""Indexes of web archives: which records to fetch, where they lie, and whether they are what the index says."""
