"""Bytes to text: one file a format, and the child process that they run in."""
