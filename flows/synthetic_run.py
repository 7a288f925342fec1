"""Asking about the passages of a training set: an endpoint, or by a file of requests that is answered elsewhere."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from catalog import files, sets
from catalog.errors import ConfigError
from flows.progress import Progress
from flows.retrieval_plan import wanted
from flows.retrieval_recipe import load
from retrieval import assembly
from retrieval.parts import TRAINED
from retrieval.source import Source, opened
from retrieval.synthetic import builder, client
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.passages import passages, sampled
from retrieval.synthetic.prompts import Request, Stage, stages


@dataclass(frozen=True, slots=True)
class Asking:
    """What was asked."""

    params: SyntheticParams
    """With the rates of the sample."""
    counts: Counter[str]
    """`passage: LANGUAGE`: in the sample; `request: STAGE`: now asked or written; `request: answered before` ..."""


def ask(recipe: Path, name: str, output: Path | None) -> Asking:
    """Ask what a training set of the builder `synthetic` has no answer to yet.

    Args:
        output: file for the requests, JSON Lines in OpenAI's batch format; None: the recipe's `endpoint` is asked, and
            its answers are added to `responses`.

    Raises:
        ConfigError: no such set, or one of another builder; a benchmark of the recipe is missing, which the passages
            must be clear of; nobody to ask; `output` is the file of responses; see also `client.ask`.
    """
    counts: Counter[str] = Counter()
    with _opened(recipe, name) as (source, params), Progress(name) as progress:
        _check(params, output)

        def told(requests: Iterable[Request]) -> Iterator[Request]:
            for number, request in enumerate(requests, start=1):
                yield request
                progress.say(_so_far(number, counts))

        if output is not None:
            _write(output, told(_requests(source, params, stages(params), counts)))
        else:
            for stage in stages(params):
                assert params.responses is not None
                client.ask(told(_requests(source, params, (stage,), counts)), params.responses, params, counts)
        return Asking(params, counts)


def show(recipe: Path, name: str, asked: Asking, output: Path | None) -> None:
    """Print what was asked, and what comes next."""
    params, counts = asked.params, asked.counts
    sizes = {key.partition(": ")[2]: count for key, count in counts.items() if key.startswith("passage: ")}
    for language, count in sorted(sizes.items()):
        rate = params.rates.get(language)
        print(f"{name}: {count:,} passages in {language}" + ("" if rate is None else f", at the rate {rate:.4g}"))
    for key, count in sorted(counts.items()):
        if not key.startswith("passage: "):
            print(f"    {key} {count:,}")
    new = sum(counts[f"request: {stage}"] for stage in stages(params))
    answers = params.responses or "a file, which the recipe names as params.responses"
    again = params.style == "swim-ir" and counts["request: summary"]
    if output is not None and new:
        print(f"{new:,} requests in {output}: have them answered, and add the answers to {answers}")
    if output is not None and again:
        print("Then run the same command again: questions are asked once there are summaries.")
    elif not new or output is None:
        print(f"Next: florilege pairs {recipe} {name}")


def _requests(
    source: Source, params: SyntheticParams, wanted: tuple[Stage, ...], counts: Counter[str]
) -> Iterator[Request]:
    file = builder.responses(params)
    if file is not None and file.broken and wanted[0] == stages(params)[0]:
        counts["response: broken line"] = file.broken
    for table in source.works(builder.SYNTHETIC.columns, TRAINED):
        chosen = sampled(passages(table, params, Counter()), params)
        if wanted[0] == stages(params)[0]:
            counts.update(f"passage: {passage.language}" for passage in chosen)
        for stage in wanted:
            for request in builder.requests(chosen, params, file, counts, stage):
                counts[f"request: {stage}"] += 1
                yield request


@contextmanager
def _opened(recipe: Path, name: str) -> Iterator[tuple[Source, SyntheticParams]]:
    loaded = load(recipe)
    found = wanted(str(recipe), "pairs", [name])[0]
    if found.builder.name != builder.SYNTHETIC.name:
        raise ConfigError(f"{recipe}: {name} is made by the builder `{found.builder.name}`, which asks nobody")
    missing = [b.spec.name for b in wanted(str(recipe), "benchmark") if b.there is None]
    if missing:
        raise ConfigError(f"{', '.join(missing)}: not made yet, and nothing of a benchmark may be asked about: "
                          f"florilege benchmark {recipe}")  # fmt: skip
    corpus = files.existing(Path(loaded.corpus))
    with opened(corpus, loaded.splits, loaded.snapshot) as source:
        assembly.hold_out(source, sets.benchmarks(corpus), loaded.overlap)
        params = assembly.surveyed(source, found.builder, found.params)
        assert isinstance(params, SyntheticParams)
        yield source, params


def _check(params: SyntheticParams, output: Path | None) -> None:
    if not params.model:
        raise ConfigError("params.model: the name of the model to ask is missing")
    if output is None:
        if params.endpoint is None:
            raise ConfigError("nobody to ask: give --output, a file for the requests, or params.endpoint in the recipe")
        builder.check(params)
    elif params.responses is not None and output.resolve() == params.responses.resolve():
        raise ConfigError(f"--output {output}: that is the file of responses")


def _write(output: Path, requests: Iterable[Request]) -> None:
    """The file is there when it is whole."""
    aside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.writelines(orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE) for request in requests)
        aside.replace(output)
    finally:
        aside.unlink(missing_ok=True)


def _so_far(number: int, counts: Counter[str]) -> str:
    failed = sum(count for key, count in counts.items() if key.startswith("request: failed"))
    return f"{number:,} requests, {counts['request: answered']:,} answered, {failed:,} failed"
