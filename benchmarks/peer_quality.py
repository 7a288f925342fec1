"""datatrove's quality filters over a file of texts; runs in an environment of its own, for benchmarks/quality.py.

    PYTHONPATH=. PEER_PYTHON benchmarks/peer_quality.py TASK

TASK is JSON: `texts`, `rules` (name: filter and its arguments), `defaults` (the arguments that switch each filter off).
The last line printed is JSON: seconds by tokenizer and way, and each rule's decisions with florilege's words.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline import filters
from datatrove.utils import text as splitting
from datatrove.utils import word_tokenizers

from filters import words

# In the order of datatrove's example for FineWeb.
_FOUR = ("GopherRepetitionFilter", "GopherQualityFilter", "C4QualityFilter", "FineWebQualityFilter")


class Shared(word_tokenizers.WordTokenizer):
    """florilege's words, and as many sentences as it counts."""

    def word_tokenize(self, text: str) -> list[str]:
        return words.words(text)

    def sent_tokenize(self, text: str) -> list[str]:
        return [text] * words.sentences(text)

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))] * words.sentences(text)


def decide(block: Any, text: str) -> str:
    """`keep`, the reason for which the block drops the text, or the error that it raises."""
    try:
        found = block.filter(Document(text=text, id=""))
    except (AssertionError, ArithmeticError, ValueError) as error:
        return f"raises {type(error).__name__}"
    return "keep" if found is True else str(found[1])


def all_four(blocks: list[Any], text: str) -> None:
    for block in blocks:
        decide(block, text)


def as_pipeline(blocks: list[Any], text: str) -> None:
    document = Document(text=text, id="")
    for block in blocks:
        try:
            if block.filter(document) is not True:
                return
        except (AssertionError, ArithmeticError, ValueError):
            return


def seconds(work: Callable[[list[Any], str], None], texts: list[str], times: int) -> float:
    """CPU seconds of the fastest of `times` runs, without what is loaded on first use."""
    blocks = [getattr(filters, name)() for name in _FOUR]
    all_four(blocks, "What is loaded on first use. " * 20)
    measured = []
    for _ in range(times):
        splitting.split_into_parts.cache_clear()
        start = time.process_time()
        for text in texts:
            work(blocks, text)
        measured.append(time.process_time() - start)
    return min(measured)


def main(task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, float] = {}
    for tokenizer, times in (("default", 1), ("shared", 3)):
        if tokenizer == "shared":
            word_tokenizers.load_word_tokenizer = lambda language: Shared(language)
        for work in (all_four, as_pipeline):
            found[f"{tokenizer} {work.__name__}"] = seconds(work, task["texts"], times)
    splitting.split_into_parts.cache_clear()
    decisions = {}
    for name, (kind, arguments) in task["rules"].items():
        block = getattr(filters, kind)(**{**task["off"][kind], **arguments})
        decisions[name] = [decide(block, text) for text in task["texts"]]
    return {"seconds": found, "decisions": decisions}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
