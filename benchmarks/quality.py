"""Quality signals beside datatrove's filters, on the same texts in one run: documents a second and verdicts by rule.

    python -m benchmarks.quality SHARED_DATA --peer-python PEER/bin/python

Times are CPU seconds of one process without imports and models; ours are the fastest of three runs, as are datatrove's
with florilege's words. datatrove measures each text with all four filters, as ours measures all; beside it is the time
of a pipeline, in which the first filter that drops a text is the last to see it. Verdicts are compared rule by rule,
datatrove's with florilege's words and count of sentences, so that the rules are compared and not the tokenizers.
`benchmarks.systems` says how to make datatrove's environment.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.wds_curves import acts, pages
from filters import quality, verdicts, wds

ROOT = Path(__file__).resolve().parent.parent
LONGEST_ACT = 20_000
"""Characters; datatrove's tokenizer would spend the day on the others."""
OFF: dict[str, dict[str, Any]] = {
    "GopherQualityFilter": dict.fromkeys(
        ("min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length", "max_symbol_word_ratio",
         "max_bullet_lines_ratio", "max_ellipsis_lines_ratio", "max_non_alpha_words_ratio", "min_stop_words"),
    ),
    "GopherRepetitionFilter": {
        **dict.fromkeys(("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac")),
        "top_n_grams": [], "dup_n_grams": [],
    },
    "C4QualityFilter": {
        "filter_no_terminal_punct": False, "min_num_sentences": -1, "min_words_per_line": -1, "max_word_length": -1,
        "filter_lorem_ipsum": False, "filter_javascript": False, "filter_curly_bracket": False, "filter_policy": False,
    },
    "FineWebQualityFilter": {
        "line_punct_thr": 0, "short_line_thr": 1, "char_duplicates_ratio": 1, "new_line_ratio": 1e9,
    },
}  # fmt: skip
"""Arguments that switch off every rule of a filter."""
_REPETITION = "GopherRepetitionFilter"
_NGRAMS = ((2, 0.2), (3, 0.18), (4, 0.16), (5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
RULES: dict[str, tuple[str, dict[str, Any], str, str, float]] = {
    "words >= 50": ("GopherQualityFilter", {"min_doc_words": 50}, "words", ">=", 50),
    "words <= 100,000": ("GopherQualityFilter", {"max_doc_words": 100_000}, "words", "<=", 100_000),
    "mean word length >= 3": ("GopherQualityFilter", {"min_avg_word_length": 3}, "mean_word_length", ">=", 3),
    "mean word length <= 10": ("GopherQualityFilter", {"max_avg_word_length": 10}, "mean_word_length", "<=", 10),
    "symbols": ("GopherQualityFilter", {"max_symbol_word_ratio": 0.1}, "symbol_ratio", "<=", 0.1),
    "bullets": ("GopherQualityFilter", {"max_bullet_lines_ratio": 0.9}, "bullet_line_ratio", "<=", 0.9),
    "ellipses": ("GopherQualityFilter", {"max_ellipsis_lines_ratio": 0.3}, "ellipsis_line_ratio", "<=", 0.3),
    "words with letters": ("GopherQualityFilter", {"max_non_alpha_words_ratio": 0.8}, "alpha_word_ratio", ">=", 0.8),
    "stop words": ("GopherQualityFilter", {"min_stop_words": 2}, "stop_words", ">=", 2),
    "repeated lines": (_REPETITION, {"dup_line_frac": 0.3}, "dup_line_ratio", "<=", 0.3),
    "repeated lines, characters": (_REPETITION, {"dup_line_char_frac": 0.2}, "dup_line_char_ratio", "<=", 0.2),
    "repeated paragraphs": (_REPETITION, {"dup_para_frac": 0.3}, "dup_para_ratio", "<=", 0.3),
    "repeated paragraphs, characters": (_REPETITION, {"dup_para_char_frac": 0.2}, "dup_para_char_ratio", "<=", 0.2),
    **{
        f"{kind} {n}-gram": (_REPETITION, {f"{kind}_n_grams": [[n, limit]]}, f"{kind}_{n}gram_char_ratio", "<=", limit)
        for n, limit in _NGRAMS
        for kind in ("top" if n <= 4 else "dup",)
    },
    "lines with a terminal mark": (
        "FineWebQualityFilter", {"line_punct_thr": 0.12}, "terminal_line_ratio", ">=", 0.12,
    ),
    "short lines": ("FineWebQualityFilter", {"short_line_thr": 0.67}, "short_line_ratio", "<=", 0.67),
    "characters in repeated lines": (
        "FineWebQualityFilter", {"char_duplicates_ratio": 0.01}, "line_dup_char_ratio", "<=", 0.01,
    ),
    "newlines": ("FineWebQualityFilter", {"new_line_ratio": 0.3}, "newline_ratio", "<=", 0.3),
    "lorem ipsum": ("C4QualityFilter", {"filter_lorem_ipsum": True}, "lorem_ipsum", "<=", 0),
    "curly brackets": ("C4QualityFilter", {"filter_curly_bracket": True}, "curly_brackets", "<=", 0),
    "sentences >= 5": ("C4QualityFilter", {"min_num_sentences": 5}, "sentences", ">=", 5),
    "sentences >= 5, after C4's rules on lines": (
        "C4QualityFilter",
        {"min_num_sentences": 5, "filter_no_terminal_punct": True, "min_words_per_line": 3, "max_word_length": 1000,
         "filter_javascript": True, "filter_policy": True},
        "sentences", ">=", 5,
    ),
}  # fmt: skip
"""By name: datatrove's filter and arguments, and our signal with its limit."""


def drops(value: float | None, op: str, limit: float) -> bool:
    """A null passes, as in the catalog."""
    return value is not None and (value < limit if op == ">=" else value > limit)


def agreement(ours: list[dict[str, Any]], theirs: dict[str, list[str]]) -> dict[str, Counter[str]]:
    """Per rule, how many texts both keep, both drop, one alone drops, or datatrove raises an error on."""
    found: dict[str, Counter[str]] = {}
    for name, (_, _, signal, op, limit) in RULES.items():
        cases: Counter[str] = Counter()
        for row, decision in zip(ours, theirs[name], strict=True):
            mine = drops(row[signal], op, limit)
            if decision.startswith("raises"):
                cases["raises"] += 1
            elif mine == (decision != "keep"):
                cases["both drop" if mine else "both keep"] += 1
            else:
                cases["ours alone" if mine else "theirs alone"] += 1
        found[name] = cases
    return found


def seconds(work: Callable[[str], object], texts: list[str]) -> float:
    """CPU seconds of the fastest of three runs over the texts."""
    work("What is loaded on first use. " * 20)
    measured = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            work(text)
        measured.append(time.process_time() - start)
    return min(measured)


def peer(python: str, texts: list[str]) -> dict[str, Any]:
    task = {"texts": texts, "off": OFF, "rules": {name: rule[:2] for name, rule in RULES.items()}}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(task, file)
        file.flush()
        command = [python, str(ROOT / "benchmarks" / "peer_quality.py"), file.name]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, check=True
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def judged(text: str) -> list[str]:
    """All thresholds of the preset `fineweb` that the text fails."""
    row = {**quality.signals(text, "en"), **wds.signals(text, "en", None)}
    return [t.reason for t in verdicts.preset("fineweb") if drops(row.get(t.signal), t.op, t.value or math.inf)]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--peer-python", required=True)
    given = parser.parse_args(arguments)
    texts = [text for text in (*pages(given.data), *acts(given.data)) if 0 < len(text) <= LONGEST_ACT]
    found = peer(given.peer_python, texts)
    times = {f"datatrove, {name}": value for name, value in found["seconds"].items()}
    times["florilege, quality.signals"] = seconds(lambda text: quality.signals(text, "en"), texts)
    times["florilege, with WDS"] = seconds(
        lambda text: (quality.signals(text, "en"), wds.signals(text, "en", None)), texts
    )
    times["florilege, with WDS and preset fineweb"] = seconds(judged, texts)
    base = times["florilege, with WDS and preset fineweb"]
    print(f"{len(texts)} texts of {sum(map(len, texts)) / len(texts):.0f} characters")
    for name, value in times.items():
        print(
            f"{name:42} {value / len(texts) * 1e3:8.2f} ms {len(texts) / value:8.0f} documents/s {value / base:6.1f} x"
        )
    table = agreement([quality.signals(text, "en") for text in texts], found["decisions"])
    columns = ("both keep", "both drop", "ours alone", "theirs alone", "raises")
    print(f"\n{'rule':44}", *(f"{column:>12}" for column in columns))
    for rule, cases in table.items():
        print(f"{rule:44}", *(f"{cases[column]:12}" for column in columns))


if __name__ == "__main__":
    main(sys.argv[1:])
