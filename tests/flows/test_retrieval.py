"""Training sets and benchmarks by the command line and Prefect's real engine, on the demo's corpus."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import Demo, florilege

from catalog import reports, sets, store
from catalog.errors import ConfigError
from catalog.files import Corpus
from flows import exporting, retrieval_run
from flows.lock import locked
from flows.retrieval_plan import wanted
from retrieval.builders import PAIRS
from retrieval.leak import measure
from retrieval.source import opened
from retrieval.works import Splits

SPLITS = Splits(test=0.4, validation=0.1)
PARAMS = {"batches-16": "size = 2, most = 80", "crops": "chunk = 64", "spans": "rates = {ja = 0.5}"}
RECIPE = f"""
corpus = "corpus"
[splits]
test = {SPLITS.test}
validation = {SPLITS.validation}
[[benchmarks]]
name = "articles"
[[benchmarks]]
name = "held-acts"
builder = "lemur"
[[benchmarks]]
name = "foreign"
builder = "beir"
params = {{folder = "beir", query_language = "en", document_language = "en"}}
"""


@dataclass(frozen=True)
class Made:
    recipe: Path
    corpus: Corpus
    planted: str
    output: str


@pytest.fixture(scope="module")
def made(demo: Demo, server: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """All builders in one recipe; a page of the corpus is a document of a foreign benchmark."""
    folder = tmp_path_factory.mktemp("sets")
    corpus = Corpus(Path(shutil.copytree(demo.corpus, folder / "corpus")))
    store.rebuild(corpus)
    with opened(corpus, SPLITS) as source:
        (planted,) = source.connection.execute(
            "SELECT text FROM works JOIN documents USING (id) WHERE source = 'web' AND split = 'train' "
            "AND length(text) > 800 ORDER BY id LIMIT 1"
        ).fetchall()[0]
    (folder / "beir" / "qrels").mkdir(parents=True)
    (folder / "beir" / "corpus.jsonl").write_text(json.dumps({"_id": "d", "title": "", "text": planted}) + "\n")
    (folder / "beir" / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "what is it?"}) + "\n")
    (folder / "beir" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\nlost\td\t1\n")
    recipe = folder / "sets.toml"
    specs = "".join(f'[[pairs]]\nname = "{name}"\nparams = {{{PARAMS.get(name, "")}}}\n' for name in PAIRS)
    recipe.write_text(RECIPE + specs.replace('"title-body"\n', '"title-body"\nnegatives = {params = {count = 2}}\n'))
    return Made(recipe, corpus, planted, florilege("pairs", recipe).stdout)


def test_every_builder_makes_something_and_counts_the_rest(made: Made) -> None:
    with opened(made.corpus, SPLITS) as source:
        assembled = {s.name: s for s in sets.all_sets(made.corpus, "pairs")}
        kept = sum(t.num_rows for t in source.documents(("id",)))
    assert set(assembled) == set(PAIRS)
    assert [name for name, found in assembled.items() if not found.manifest["files"]] == []
    for name, found in assembled.items():
        plain = {r: n for r, n in found.manifest["counts"].items() if ": " not in r}
        assert sum(plain.values()) + found.manifest["counts"]["document: held out for benchmarks"] == kept, (
            name,
            plain,
        )
        assert f"{name} ({name} 1, made): " in made.output


def test_nothing_of_a_benchmark_comes_through(made: Made) -> None:
    for found in sets.all_sets(made.corpus, "pairs"):
        for benchmark in sets.all_sets(made.corpus, "benchmark"):
            assert measure(found.folder, benchmark.folder).leaks == 0, (found.name, benchmark.name)
    texts = [text for b in sets.find(made.corpus, "mlm").batches("texts", ["text"]) for text in b["text"].to_pylist()]
    assert made.planted not in texts and len(texts) > 10


def test_the_catalog_and_the_cards_show_them(made: Made) -> None:
    with store.reading(made.corpus) as connection:
        rows = reports.rows(connection, "SELECT name, kind, rows, folder FROM sets")
    assert {row["name"] for row in rows} == {*PAIRS, "articles", "held-acts", "foreign"}
    for row in rows:
        assert row["rows"] > 0 and (Path(row["folder"]) / "README.md").read_text().count("#") > 2
    assert sets.find(made.corpus, "foreign").manifest["counts"]["qrel: unknown query"] == 1


def test_a_second_time_there_is_nothing_to_do_and_no_server(made: Made) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.corpus.root.rglob("*") if path.is_file()}
    code = (
        "import sys; from florilege import main\ntry: main(['pairs', sys.argv[1]])\n"
        "finally: print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(made.recipe)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing to do") == len(PAIRS) + 3 and done.stdout.endswith("False\n")
    assert {path: path.stat().st_mtime_ns for path in made.corpus.root.rglob("*") if path.is_file()} == before


def test_a_set_that_is_not_there_is_named(made: Made) -> None:
    with pytest.raises(ConfigError, match=r"no file or folder `nosuch`, and no benchmark .*there are: .*articles"):
        retrieval_run.leak(made.corpus.root, "crops", "nosuch")


def test_leak_and_export_by_name(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert retrieval_run.leak(made.corpus.root, "crops", "foreign") == 0
    assert retrieval_run.leak(made.corpus.root, str(sets.find(made.corpus, "articles").folder), "articles") == 1
    exporting.export_set(made.corpus.root, "articles", tmp_path / "out", "beir")
    assert (tmp_path / "out" / "corpus.jsonl").is_file()


def test_a_name_of_two_kinds(made: Made, tmp_path: Path) -> None:
    other = made.recipe.with_name("other.toml")
    other.write_text('corpus = "corpus"\n[[pairs]]\nname = "articles"\nbuilder = "crops"\n')
    done = florilege("pairs", other, check=False)
    assert done.returncode == 2 and "has a benchmark of this name" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def own(made: Made, tmp_path: Path) -> Made:
    """The same, for one test to change."""
    folder = Path(shutil.copytree(made.recipe.parent, tmp_path / "sets"))
    store.rebuild(Corpus(folder / "corpus"))
    return Made(folder / "sets.toml", Corpus(folder / "corpus"), made.planted, "")


def current(made: Made) -> dict[str, str]:
    return {found.name: found.id for found in sets.all_sets(made.corpus)}


def test_back_to_an_earlier_benchmark_without_work(own: Made) -> None:
    recipe = own.recipe
    head = RECIPE + '[[pairs]]\nname = "crops"\nparams = {chunk = 64}\n'
    other = head.replace('builder = "lemur"', 'builder = "lemur"\nparams = {variant = "unicode"}')
    recipe.write_text(head)
    first = current(own)
    recipe.write_text(other)
    florilege("pairs", recipe)
    second = current(own)
    assert {name for name in first if first[name] != second[name]} == {"held-acts", "crops"}
    recipe.write_text(head)
    retrieval_run.make(recipe, "pairs", None)  # in this process, where Prefect has no server: there is nothing to make
    back = first | {"crops": second["crops"]}  # which is clear of both
    assert current(own) == back
    with store.reading(own.corpus) as connection:
        rows = reports.rows(connection, "SELECT name, id FROM sets")
    assert {row["name"]: row["id"] for row in rows} == back


def test_an_evaluation_is_not_lost_while_a_build_runs(own: Made, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(own.corpus):
        retrieval_run.evaluate(own.corpus.root, "articles", ["bm25"], None, 100, None)
    said = capsys.readouterr()
    assert "nDCG@10" in said.out and "does not show it yet" in said.err and "catalog rebuild" in said.err
    store.rebuild(own.corpus)
    with store.reading(own.corpus) as connection:
        assert reports.rows(connection, "SELECT DISTINCT system FROM evaluations") == [{"system": "bm25"}]


def test_what_is_wanted_says_what_is_there(made: Made) -> None:
    found = [one for kind in ("benchmark", "pairs") for one in wanted(str(made.recipe), kind)]
    assert all(one.there is not None and one.there.id == one.id for one in found)
    assert os.environ.get("PREFECT_API_URL") is not None
