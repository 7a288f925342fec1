"""The commands for training sets and benchmarks, as the front door shows them: one thin function a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

CorpusFolder = Annotated[Path, Parameter(name=["--corpus", "-c"], help="Corpus folder.")]


def benchmark(recipe: Path, names: list[str] | None = None) -> None:
    """Make the benchmarks of a recipe from held-out works, or what is missing of them.

    Parameters
    ----------
    recipe
        Recipe of training sets and benchmarks, see docs/retrieval.md.
    names
        Only these; default: all.
    """
    from flows import retrieval_run

    retrieval_run.make(recipe, "benchmark", names)


def pairs(recipe: Path, names: list[str] | None = None) -> None:
    """Make the training sets of a recipe, clear of every benchmark of the corpus; its benchmarks are made first.

    Parameters
    ----------
    recipe
        Recipe of training sets and benchmarks, see docs/retrieval.md.
    names
        Only these; default: all.
    """
    from flows import retrieval_run

    retrieval_run.make(recipe, "pairs", names)


def evaluate(
    benchmark: str,
    system: list[str] | None = None,
    corpus: CorpusFolder = Path("corpus"),
    task: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    depth: int = 1_000,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> None:
    """Score systems on a benchmark: nDCG, MAP, recall and more per task and language, with intervals and a picture.

    Parameters
    ----------
    benchmark
        Name of a benchmark of the corpus.
    system
        What is scored: bm25, dense:MODEL, multi-vector:MODEL, run:FILE (TREC); default: bm25.
    task
        Only these tasks, such as en-fr.
    depth
        Documents ranked for each query.
    output
        SVG file for the picture; default: beside the evaluation.
    """
    from flows import retrieval_run

    retrieval_run.evaluate(corpus, benchmark, system or ["bm25"], task, depth, output)


def leak(train: str, benchmark: str, corpus: CorpusFolder = Path("corpus")) -> int:
    """Measure what a training set and a benchmark have in common; ends with status 1 when that is anything.

    Parameters
    ----------
    train
        Name of a training set of the corpus, or a file or folder of any export.
    benchmark
        Name of a benchmark of the corpus, or a file or folder of any export.
    """
    from flows import retrieval_run

    return retrieval_run.leak(corpus, train, benchmark)


def ask(recipe: Path, name: str, output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None) -> None:
    """Ask a model for the queries of a synthetic training set: what has no answer yet.

    Run again, it goes on; `florilege pairs` then checks the answers and makes the set.

    Parameters
    ----------
    recipe
        Recipe of training sets and benchmarks, see docs/retrieval.md.
    name
        A training set of it with the builder synthetic.
    output
        File for the requests, JSON Lines in OpenAI's batch format, to be answered anywhere; default: the recipe's
        endpoint is asked.
    """
    from flows import synthetic_run

    synthetic_run.show(recipe, name, synthetic_run.ask(recipe, name, output), output)
