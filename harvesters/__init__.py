"""Bytes from outside into an archive: what is asked for, politely, once, and again for what changed.

A harvester (`crawl.py`, `eurlex.py`, `erudit.py`, `commoncrawl.py`) says what to fetch and what an answer means; the
rest is the same for all: the frontier that survives any death, the spider that fetches, the archive that keeps.
"""
