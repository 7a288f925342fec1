"""Progress in the terminal: one line that moves, nothing where there is no terminal."""

from __future__ import annotations

from types import TracebackType

import orjson
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from catalog.files import Corpus
from flows.blocks import progress_folder
from flows.inputs import Input
from flows.plan import ShardSpec
from flows.recipe import Source


class Progress:
    """A progress line for one stage; a context manager."""

    def __init__(self, title: str) -> None:
        console = Console(stderr=True)
        columns = (
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.fields[figures]}"), TimeElapsedColumn(),
        )  # fmt: skip
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(title, total=None, figures="")
        self._files = 0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def note_input(self, source: Source, item: Input) -> None:
        """One more file of a source is known."""
        self._files += 1
        self._bar.update(self._task, figures=f"{source.name}: {self._files} files")

    def say(self, figures: str) -> None:
        """How far it is, in words."""
        self._bar.update(self._task, figures=figures)

    def show(self, corpus: Corpus, run: str, specs: list[ShardSpec]) -> None:
        """Read how far these shards of a run are, and show it."""
        done = documents = 0
        for spec in specs:
            path = progress_folder(corpus, run) / f"{spec.shard}.json"
            try:
                state = orjson.loads(path.read_bytes())
            except (OSError, orjson.JSONDecodeError):
                continue
            finished = corpus.manifest("shards", spec.shard).is_file()
            done += spec.bytes if finished else min(spec.bytes, state["bytes"])
            documents += state["documents"]
        total = sum(spec.bytes for spec in specs)
        figures = f"{documents:,} documents, {done / 2**20:,.1f} of {total / 2**20:,.1f} MiB"
        self._bar.update(self._task, completed=done, total=total, figures=figures)
