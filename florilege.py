"""florilege: web archives and legal and scholarly PDFs in; a deduplicated, judged, queryable corpus out.

The front door: one thin function a command. Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

app = App(
    name="florilege", help=__doc__.splitlines()[0], version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `main` says what Ctrl-C means here
)  # fmt: skip
catalog_app = App(name="catalog", help="The DuckDB catalog of a corpus.")
app.command(catalog_app)

CorpusFolder = Annotated[Path, Parameter(name=["--corpus", "-c"], help="Corpus folder.")]
Snapshot = Annotated[
    int | None, Parameter(name=["--snapshot", "-s"], help="Number of a snapshot; default: the newest.")
]
HERE = Path("corpus")


@app.command
def init(
    recipe: Path = Path("recipe.toml"),
    kind: Annotated[Literal["build", "crawl", "eurlex", "erudit", "commoncrawl"], Parameter(name="--for")] = "build",
) -> None:
    """Write a commented recipe to start from.

    Parameters
    ----------
    recipe
        File to write; must not exist.
    kind
        What it is for: to build a corpus, or to fetch what one is built from.
    """
    from catalog.errors import ConfigError
    from flows.recipe import starter

    if recipe.exists():
        raise ConfigError(f"{recipe} exists already: give another name, or delete it")
    recipe.write_text(starter(recipe.name, kind), encoding="utf-8")
    what = "where your archives are" if kind == "build" else "who you are and what is wanted"
    print(f"Wrote {recipe}. Say in it {what}, then: florilege check {recipe}")


@app.command
def check(recipe: Path) -> None:
    """Print the resolved recipe, of a corpus, of sets or of a harvest, and what it would do; do nothing."""
    from flows import harvest_recipe, harvest_run, retrieval_run, terminal
    from flows.prepare import prepare

    if retrieval_run.is_recipe(recipe):
        retrieval_run.check(recipe)
    elif harvest_recipe.is_recipe(recipe):
        harvest_run.check(recipe)
    else:
        terminal.plan(*prepare(str(recipe), keep="nothing"))


@app.command
def build(recipe: Path) -> int:
    """Build the corpus of a recipe, or what is missing of it.

    Ends with status 1 when a shard could not be made; everything else is built all the same.
    """
    from flows import terminal
    from flows.run import run

    return terminal.outcome(run(recipe))


@app.command
def demo(folder: Path = Path("demo")) -> int:
    """Make small inputs, build a corpus from them, and show what can be asked of it.

    Parameters
    ----------
    folder
        Where to: gets `inputs/`, `recipe.toml` and `corpus/`.
    """
    from flows.demo.tour import tour

    return int(bool(tour(folder)["failed_shards"]))


@app.command
def runs(corpus: CorpusFolder = HERE) -> None:
    """List the snapshots of a corpus and the runs that made them."""
    from flows import terminal

    terminal.runs(corpus)


@app.command
def funnel(corpus: CorpusFolder = HERE, snapshot: Snapshot = None) -> None:
    """Draw what came in, what stayed, and why the rest did not."""
    from flows import terminal

    terminal.funnel(corpus, snapshot)


@app.command
def fidelity(
    corpus: CorpusFolder = HERE,
    snapshot: Snapshot = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("fidelity.html"),
    documents: Annotated[int, Parameter(name=["--documents", "-n"], validator=validators.Number(gte=0))] = 20,
    source: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    language: Annotated[list[str] | None, Parameter(name=["--language", "-l"], consume_multiple=True)] = None,
) -> None:
    """Show how faithful the extracted texts are: a table here, the worst documents page by page in an HTML file.

    Parameters
    ----------
    output
        HTML file to write, or a folder to write `fidelity.html` to.
    documents
        How many documents to show, the worst first.
    source
        Only these sources.
    language
        Only these languages.
    """
    from catalog import files
    from catalog.fidelity import Choice
    from flows import terminal
    from flows.report.table import table
    from flows.report.write import write

    page = output if output.suffix in (".html", ".htm") and not output.is_dir() else output / "fidelity.html"
    groups = write(files.existing(corpus), snapshot, Choice(source or [], language or []), documents, page)
    out = terminal.console(200)
    out.print(table(groups, out.width))
    print("Means, and 10th percentiles in brackets where there is room.")
    print("Predictions are for the documents without a reference.")
    print(f"{page} shows the worst of them page by page: open it in a browser")


@app.command
def sql(
    query: str | None = None,
    corpus: CorpusFolder = HERE,
    snapshot: Snapshot = None,
    format: Annotated[Literal["table", "csv", "json", "parquet"], Parameter(name=["--format", "-f"])] = "table",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> None:
    """Run a read-only query, or open a shell when there is none.

    Parameters
    ----------
    query
        SQL over documents, pages, signals, clusters, rights, scores, repeats, verdicts, corpus, funnel, rejects,
        alarms, versions, runs, shards, snapshots, thresholds, fetches, harvests.
    format
        How to print the result; json is JSON Lines, an object a row.
    output
        File to write the result to (needed for parquet).
    """
    from flows import terminal

    if query is None:
        terminal.shell(corpus, snapshot)
    else:
        terminal.query(corpus, snapshot, query, format, output)


@app.command
def show(id: str, corpus: CorpusFolder = HERE, snapshot: Snapshot = None, whole: bool = False) -> None:
    """Print a document with its provenance, signals and verdict.

    Parameters
    ----------
    id
        The document's id, or the first digits of it.
    whole
        Print the whole text instead of its first 2,000 characters, and null and zero signals and lists too.
    """
    from flows import terminal

    terminal.show(corpus, snapshot, id, whole)


@app.command
def export(
    folder: Path,
    corpus: CorpusFolder = HERE,
    snapshot: Snapshot = None,
    format: Annotated[str, Parameter(name=["--format", "--profile", "-f"])] = "parquet",
    language: Annotated[list[str] | None, Parameter(name=["--language", "-l"], consume_multiple=True)] = None,
    rows: int = 50_000,
    mask: Annotated[
        list[Literal["pii", "secrets", "email", "phone", "ip", "iban", "card", "national_id"]] | None,
        Parameter(consume_multiple=True),
    ] = None,
    set: Annotated[str | None, Parameter(help="Training set or benchmark to write instead of the corpus.")] = None,
    option: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
) -> None:
    """Write the kept corpus for trainers, or a training set or benchmark: files, a manifest and a dataset card.

    Parameters
    ----------
    folder
        Where to; must not exist, or be empty.
    format
        Of the corpus: parquet, jsonl, hplt-v3. Of a set: see docs/exports.md; plain, beir, mteb, trec ...
    language
        Only these languages of the corpus.
    rows
        Most rows of one file of the corpus.
    mask
        What to mask in the corpus's texts: pii, secrets, or kinds of personal data. The corpus keeps them unmasked.
    option
        Options of a set's format, such as negatives=7.
    """
    from flows import exporting

    if set is None:
        manifest = exporting.export(corpus, snapshot, folder, format, language, rows, mask)
        made_from = manifest["snapshot"]
        what = f"{manifest['rows']:,} documents of snapshot {made_from['snapshot']} ({made_from['preset']})"
    else:
        manifest, what = exporting.export_set(corpus, set, folder, format, option), set
    print(f"{what} in {len(manifest['files'])} files: {folder}/README.md says what they are")
    if set is not None:
        print(*exporting.said(manifest), sep="\n")


@app.command
def dedup(
    files: list[Path],
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("clusters.parquet"),
    text: str = "text",
    id: str = "id",
    bands: int = 14,
    rows: int = 8,
    similarity: float | None = None,
    recall: float = 0.95,
    verify: float | None = None,
    keep: Literal["first", "longest"] = "first",
) -> None:
    """Find the near-duplicates among the texts of parquet files of your own, without a corpus.

    Parameters
    ----------
    files
        Parquet files.
    output
        Parquet file to write, which must not exist: id, cluster, size, diameter, exact, keep.
    text
        Column with the texts.
    id
        Column with their ids.
    bands
        MinHash bands: texts with one equal band are candidates.
    rows
        Minima in a band.
    similarity
        Choose bands and rows for texts of this Jaccard similarity, such as 0.8, instead of --bands and --rows.
    recall
        Share of such pairs to be found.
    verify
        Least Jaccard similarity of word 5-grams that a candidate must have, such as 0.7; default: none.
    keep
        Which text of a cluster is kept: the one of the smallest id, or the longest.
    """
    from flows import near

    found = near.near(
        files, output, text=text, id=id, bands=bands, rows=rows, similarity=similarity, recall=recall, verify=verify,
        keep=keep,
    )  # fmt: skip
    print(near.summary(found, verify))
    print(f"{output} says which documents to keep")


@catalog_app.command
def rebuild(corpus: Path = HERE) -> None:
    """Make the catalog again from the manifests alone, for example after the folder was moved."""
    from catalog import files, store

    found = files.existing(corpus, bare=True)
    store.rebuild(found)
    print(f"{found.database} is as the manifests say")


@catalog_app.command
def verify(corpus: Path = HERE) -> int:
    """Check that every file of every snapshot and archive is there with its digest, and that all is accounted for."""
    from flows import terminal

    return terminal.verify(corpus)


@app.command
def doctor(folder: Path = Path()) -> int:
    """Check versions, compiled parts, memory and disk, and say what to do.

    Parameters
    ----------
    folder
        Where corpora will lie.
    """
    from flows import terminal

    return terminal.doctor(folder)


@app.command
def judge(
    preset: Annotated[str | None, Parameter(name=["--preset", "-p"])] = None,
    changes: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    corpus: CorpusFolder = HERE,
    snapshot: Snapshot = None,
) -> None:
    """Judge the corpus anew by other thresholds: a new snapshot, without reading a text.

    Parameters
    ----------
    preset
        Thresholds by name; default: those of the snapshot.
    changes
        Limits laid over them, in quotes: 'words>=100', 'lcs>=off', 'fr:words>=40'.
    """
    import time

    from flows import judging, verdict_report

    start = time.monotonic()
    manifest = judging.judge(corpus, preset, changes or (), snapshot)
    verdict_report.judged(corpus, manifest, time.monotonic() - start)


@app.command
def why(record: str, corpus: CorpusFolder = HERE, snapshot: Snapshot = None, whole: bool = False) -> None:
    """Say why a record is in the corpus or not, with the numbers.

    Parameters
    ----------
    record
        Its id or the first digits of it, its URL or path, or a part of these.
    whole
        List every threshold that it passes.
    """
    from flows import verdict_report

    verdict_report.why(corpus, snapshot, record, whole)


@app.command
def tune(
    signal: str,
    corpus: CorpusFolder = HERE,
    snapshot: Snapshot = None,
    min: float | None = None,
    max: float | None = None,
    limit: Literal["min", "max"] | None = None,
    language: Annotated[str | None, Parameter(name=["--language", "-l"])] = None,
    source: str | None = None,
    by: Literal["language", "source"] | None = None,
    format: Annotated[Literal["table", "csv"], Parameter(name=["--format", "-f"])] = "table",
) -> None:
    """Draw how much of the corpus is kept as the threshold on one signal moves.

    Parameters
    ----------
    signal
        The signal: words, wds, language_score ...
    min
        First limit to try.
    max
        Last limit to try.
    limit
        Which limit moves: the least value asked (min) or the highest allowed (max); default: the one there is.
    language
        Only documents in this language.
    source
        Only documents of this source.
    by
        A curve for each language or source.
    format
        How to print the result.
    """
    from flows import verdict_report

    op = None if limit is None else verdict_report.OPS[limit]
    verdict_report.tune(corpus, snapshot, signal, op, min, max, language, source, by, format)


app.command("flows.harvest_commands:crawl", help="Fetch web sites into an archive, by a recipe; later what changed.")
app.command("flows.harvest_commands:eurlex", help="Fetch acts from CELLAR (EUR-Lex) into an archive, by a recipe.")
app.command("flows.harvest_commands:erudit", help="Fetch articles by OAI-PMH (Érudit) into an archive, by a recipe.")
app.command("flows.harvest_commands:commoncrawl", help="Fetch captures of Common Crawl into an archive, by a recipe.")
app.command("flows.schedule_commands:serve", help="Run recipes by their schedules until stopped.")
app.command("flows.schedule_commands:deploy", help="Hand recipes to the workers of a Prefect work pool.")
app.command("flows.retrieval_commands:benchmark", help="Make benchmarks of held-out works, by a recipe.")
app.command("flows.retrieval_commands:pairs", help="Make training sets that are clear of every benchmark, by a recipe.")
app.command("flows.retrieval_commands:evaluate", name="eval", help="Score systems on a benchmark, with intervals.")
app.command("flows.retrieval_commands:ask", help="Ask a model for the queries of a synthetic training set.")
app.command("flows.retrieval_commands:leak", help="Measure what a training set and a benchmark have in common.")


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; an expected error is one message and status 2, not a traceback."""
    from catalog.errors import ConfigError, RetryableError, ShardError

    try:
        sys.exit(app(arguments, result_action="return_value") or 0)
    except BrokenPipeError:
        sys.exit(0)
    except (ConfigError, RetryableError, ShardError, OSError) as error:
        print(f"florilege: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("florilege: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
