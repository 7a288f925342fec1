"""Recipes to start from, as `florilege init` writes them."""
