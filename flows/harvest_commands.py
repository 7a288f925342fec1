"""The commands that fetch, as the front door shows them: one thin function a command."""

from __future__ import annotations

from pathlib import Path


def crawl(recipe: Path) -> int:
    """Fetch pages and PDFs of web sites into an archive; again later, only what changed.

    Parameters
    ----------
    recipe
        Recipe with a table [crawl], see docs/crawling.md.
    """
    from flows import harvest_run

    return harvest_run.run(recipe, "crawl")


def eurlex(recipe: Path) -> int:
    """Fetch acts in their language versions from CELLAR into an archive; again later, only what changed.

    Parameters
    ----------
    recipe
        Recipe with a table [eurlex], see docs/eurlex.md.
    """
    from flows import harvest_run

    return harvest_run.run(recipe, "eurlex")


def erudit(recipe: Path) -> int:
    """Fetch articles and their metadata by OAI-PMH into an archive; again later, only what changed.

    Parameters
    ----------
    recipe
        Recipe with a table [erudit], see docs/erudit.md.
    """
    from flows import harvest_run

    return harvest_run.run(recipe, "erudit")


def commoncrawl(recipe: Path) -> int:
    """Fetch captures chosen in Common Crawl's index into an archive.

    Parameters
    ----------
    recipe
        Recipe with a table [commoncrawl], see docs/commoncrawl.md.
    """
    from flows import harvest_run

    return harvest_run.run(recipe, "commoncrawl")
