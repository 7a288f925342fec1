"""Shards, schemas, snapshots, SQL, exports and reports: the only place that touches DuckDB files."""
