"""The demonstration's inputs, made in code: invented pages, acts and articles, with the fate of each written down."""

from flows.demo.make import make

__all__ = ["make"]
