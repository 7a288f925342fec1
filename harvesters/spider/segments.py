"""The segments of an archive: the open one grows in the work folder, full ones are published."""

from __future__ import annotations

from catalog import fetches
from catalog.files import Corpus
from harvesters.spider.archive import SUFFIX, Archive
from harvesters.spider.frontier import Frontier

_ROWS = 200_000
"""Rows after which a segment is published: they are in memory then."""


class Segments:
    """Keeps frontier, archive and published segments in step, whenever the process died."""

    def __init__(self, corpus: Corpus, name: str, frontier: Frontier, archive: Archive, most: int) -> None:
        """`most`: bytes after which a segment is published."""
        self._corpus, self._name, self._frontier, self._archive = corpus, name, frontier, archive
        self._most = most

    def open(self) -> None:
        """Opens the segment that was open when the last process ended, after ending what that one had begun."""
        segment = self._frontier.segment
        if fetches.published(self._corpus, segment) or fetches.begun(self._corpus, self._name, segment):
            self._publish()
        self._archive.open(self._frontier.segment, self._frontier.committed)

    def kept(self) -> None:
        """Publishes the open segment if it is full."""
        if self._archive.size >= self._most or self._frontier.held >= _ROWS:
            self.publish()
            self._archive.open(self._frontier.segment, 0)

    def publish(self) -> None:
        """Publishes the open segment, unless nothing came; none is open then."""
        self._archive.close()
        self._publish()

    def _publish(self) -> None:
        frontier = self._frontier
        path = self._corpus.work / "harvest" / self._name / f"{frontier.segment}{SUFFIX}"
        if not frontier.held:
            path.unlink(missing_ok=True)
            return
        rows = frontier.rows()
        stored = rows.num_rows > rows["record"].null_count
        fetches.publish(
            self._corpus, self._name, str(frontier.harvest), frontier.segment, rows, path if stored else None
        )
        if not stored:  # after publication: until then its committed length must be there
            path.unlink(missing_ok=True)
        frontier.next_segment()
