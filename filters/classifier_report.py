"""What a quality classifier learned from and how it does on held-out documents; its card."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """What a model was trained on, and how it does on documents that it never saw."""

    counts: dict[tuple[str, str, str], tuple[int, int]]
    """Per side, source and language: documents to learn from, documents held out."""
    left_out: dict[str, tuple[int, int]]
    """Languages with too few documents on one side: documents trusted, others."""
    scores: dict[str, list[tuple[float, bool]]]
    """Per language, the held-out documents' scores, and whether they are trusted."""

    @property
    def languages(self) -> list[str]:
        """The languages that were learned. Scores of texts in others mean nothing."""
        return sorted({language for _, _, language in self.counts})


def auc(scores: list[tuple[float, bool]]) -> float:
    """Area under the ROC curve: how often a trusted document scores above another, ties counted half; nan if none."""
    ranked = sorted(scores)
    positives = sum(side for _, side in ranked)
    negatives = len(ranked) - positives
    if not positives or not negatives:
        return math.nan
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(side for _, side in ranked[at:end]) * (at + end + 1) / 2
        at = end
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def accuracy(scores: list[tuple[float, bool]]) -> float:
    """Mean of the shares of trusted documents above .5 and of others at most .5; chance is .5 for any numbers."""
    shares = []
    for side in (True, False):
        among = [score for score, own in scores if own is side]
        shares.append(sum((score > 0.5) is side for score in among) / len(among) if among else math.nan)
    return sum(shares) / 2


def card(report: Report, facts: dict[str, str]) -> str:
    """The model's card as Markdown: what it learned from, how it does on held-out documents, what it is not.

    `facts` are lines of the settings: name, value.
    """
    parts = [
        "# Quality classifier",
        "The probability that a text is from the corpus's trusted sources and not from the others, by how it is "
        "written: fastText on words, pairs of words and character n-grams.",
        "## Settings", _table(["setting", "value"], [[name, value] for name, value in facts.items()]),
        "## Documents",
        _table(
            ["side", "source", "language", "learned from", "held out"],
            [[*key, f"{seen:,}", f"{unseen:,}"] for key, (seen, unseen) in sorted(report.counts.items())],
        ),
        "Within a language both sides weigh the same. " + _left_out(report),
        "## On held-out documents", _table(["language", "trusted", "others", "accuracy", "AUC"], _by_name(report)),
        "Accuracy at .5 is the mean of both sides' shares. Whether the score is a probability:",
        _table(["score", "documents", "of them trusted"], _calibration(report)),
        "## Limits",
        "- Style is not quality: a good recipe is not written as a law is, and scores low.\n"
        "- Held-out documents are from the same sources and sites as those it learned from, so the figures are upper "
        "bounds for other sources.\n"
        "- Documents in languages that are not in the table get no score: in a language that it did not learn, the "
        "model answers with certainty and without reason.\n"
        "- What both sides' extraction leaves behind (numbering, menus) is style to it.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _left_out(report: Report) -> str:
    if not report.left_out:
        return "No language was left out."
    named = ", ".join(f"{name} ({pair[0]}, {pair[1]})" for name, pair in report.left_out.items())
    return f"Left out for want of documents on both sides (trusted, others): {named}."


def _by_name(report: Report) -> list[list[str]]:
    everything = [pair for scores in report.scores.values() for pair in scores]
    rows = []
    for name, scores in [*sorted(report.scores.items()), ("all", everything)]:
        trusted = sum(side for _, side in scores)
        figures = (f"{accuracy(scores):.3f}", f"{auc(scores):.3f}")
        rows.append([name, f"{trusted:,}", f"{len(scores) - trusted:,}", *figures])
    return rows


def _calibration(report: Report) -> list[list[str]]:
    groups: list[list[bool]] = [[] for _ in range(5)]
    for scores in report.scores.values():
        for score, side in scores:
            groups[min(4, int(score * 5))].append(side)
    return [
        [f"{n / 5:.1f} to {(n + 1) / 5:.1f}", f"{len(group):,}", f"{sum(group) / len(group):.2f}" if group else "-"]
        for n, group in enumerate(groups)
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
