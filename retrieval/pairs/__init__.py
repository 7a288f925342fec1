"""Builders of training sets, one file a family."""
