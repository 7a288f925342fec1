"""The quality classifier on real texts: acts and articles against web pages, and what it makes of web registers.

    python -m benchmarks.classifier DATA

DATA is the folder of development data. Trusted are acts (EUR-Lex XHTML) and articles (Érudit, JATS); the others are web
pages. Two checks from outside follow: articles against web pages for a model that learned from acts alone, and web
documents with register labels, in languages that it did not learn: what a build gives no score.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from extractors import dispatch, warc
from extractors.record import Record
from filters.classifier import FACTS, Classifier, Document, held_out, train, windows
from filters.classifier_report import accuracy, auc, card
from filters.language import LanguageModel

LEAST_WORDS = 50
SHOWN = 10
Texts = list[tuple[str, str, str]]
"""Source, name, text."""


def acts(data: Path) -> Iterator[tuple[str, str, str]]:
    """EUR-Lex pages, one text a work and language."""
    for file in sorted((data / "eurlex").glob("*/*.html")):
        record = Record("acts", file.name, payload=file.read_bytes(), format="html", meta={"celex": file.parent.name})
        yield "acts", f"{file.parent.name} {file.stem}", dispatch.extract(record).text


def articles(data: Path) -> Iterator[tuple[str, str, str]]:
    """Articles in XML, those that are the reference of a PDF included."""
    folders = ("sp-pdf+eruditxml", "erudit-pdf+xml", "jose-pdf+jats", "scielo-pdf+jats")
    files = [*(data / "erudit").glob("*.xml"), *(f for name in folders for f in (data / "pdf" / name).glob("*.xml"))]
    for file in sorted(files):
        record = Record("articles", file.name, payload=file.read_bytes(), format="xml")
        yield "articles", file.name, dispatch.extract(record).text


def pages(data: Path) -> Iterator[tuple[str, str, str]]:
    """Web pages of many countries and kinds."""
    archive = data / "html" / "pages.warc.gz"
    for record in warc.read(lambda: archive.open("rb"), source="web", path=archive.name):
        if record.format == "html":
            yield "web", record.url or "", dispatch.extract(record).text


def registers(data: Path) -> dict[str, list[str]]:
    """Texts of web documents by their first register label, `language register`."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted((data / "quality" / "pytorch-registerlabeling" / "data").glob("*/*.tsv")):
        for line in file.read_text("utf-8").splitlines():
            labels, _, text = line.partition("\t")
            if text and labels.split():
                found[labels.split()[0]].append(text)
    return dict(found)


def documents(texts: Texts, model: LanguageModel) -> list[Document]:
    """What the classifier learns from: texts of some length, each once."""
    kept = {text: source for source, _, text in texts if len(text.split()) >= LEAST_WORDS}
    return [Document(source, model.predict(text)[0][0], windows(text)) for text, source in kept.items()]


def extremes(model: Classifier, texts: Texts, learned: list[str], language: LanguageModel) -> None:
    """The web pages with the highest and the lowest scores, of those in a language that was learned."""
    long = [(name, text) for _, name, text in texts if len(text.split()) >= LEAST_WORDS]
    chosen = [(name, text) for name, text in long if language.predict(text)[0][0] in learned]
    scored = sorted((model.score(text) or 0.0, name) for name, text in chosen)
    for title, among in (("highest", scored[: -SHOWN - 1 : -1]), ("lowest", scored[:SHOWN])):
        print(f"\n{title}")
        for score, name in among:
            print(f"  {score:.3f}  {name}")


def transfer(sides: tuple[list[Document], list[Document]], path: Path) -> None:
    """How a model of acts alone tells articles from held-out web pages."""
    report = train([d for d in sides[0] if d.source == "acts"], sides[1], path)
    model = Classifier.load(path)
    unseen = [(d, True) for d in sides[0] if d.source == "articles"] + [(d, False) for d in sides[1] if held_out(d)]
    print("\nlearned from acts alone: articles against held-out web pages")
    for name in report.languages:
        scores = [(model.score_windows(d.windows) or 0.0, side) for d, side in unseen if d.language == name]
        print(f"  {name}  {len(scores)} documents, accuracy {accuracy(scores):.3f}, AUC {auc(scores):.3f}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    options = parser.parse_args(arguments)
    language = LanguageModel.load()
    good, web = [*acts(options.data), *articles(options.data)], [*pages(options.data)]
    sides = documents(good, language), documents(web, language)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quality.ftz"
        begun = sum(os.times()[:4])  # with the child process that trains
        report = train(*sides, path)
        print(f"trained in {sum(os.times()[:4]) - begun:.1f} s of CPU; {path.stat().st_size / 1e6:.2f} MB")
        print(card(report, {"trusted": "acts, articles", "against": "web", **FACTS}))
        model = Classifier.load(path)
        begun = time.process_time()
        for _, _, text in web:
            model.score(text)
        print(f"\n{1e3 * (time.process_time() - begun) / len(web):.2f} ms of CPU a page")
        extremes(model, web, report.languages, language)
        transfer(sides, Path(folder) / "acts.ftz")
    print("\nregister  documents  mean score  (languages that were not learned)")
    for register, texts in sorted(registers(options.data).items()):
        scores = [score for text in texts if (score := model.score(text)) is not None]
        print(f"{register:8}  {len(scores):9}  {statistics.fmean(scores):10.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
