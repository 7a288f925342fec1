from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from corpora import KEPT, THRESHOLDS, identity, publish, tiny

import florilege
from catalog.files import Corpus, read_json

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "init", "check", "build", "demo", "runs", "funnel", "fidelity", "sql", "show", "export", "catalog", "doctor"
)  # fmt: skip
HEAVY = ("prefect", "duckdb", "pyarrow", "lxml", "trafilatura", "pydantic", "datatrove", "numpy", "fasttext", "fsspec")


class Told:
    """What a command printed and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        with pytest.raises(SystemExit) as end:
            florilege.main([str(argument) for argument in arguments])
        self.status = end.value.code
        self.out, self.err = capsys.readouterr()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one message of a command that ends with status 2 and prints nothing else."""
    told = Told(capsys, *arguments)
    assert (told.status, told.out) == (2, "")
    assert told.err.startswith("florilege: ")
    assert told.err.endswith("\n")
    assert "Traceback" not in told.err
    return told.err.removeprefix("florilege: ").rstrip("\n")


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    script = (
        "import sys, florilege\n"
        "try: florilege.main(['--help'])\n"
        f"finally: print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown, _, loaded = done.stdout.partition("LOADED")
    assert loaded.split() == []
    for command in COMMANDS:
        assert f" {command} " in shown


@pytest.mark.parametrize("command", [*COMMANDS, "catalog rebuild", "catalog verify"])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    told = Told(capsys, *command.split(), "--help")
    assert told.status == 0
    assert "Usage" in told.out


def test_init_writes_a_recipe_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert "florilege check" in Told(capsys, "init", path).out
    before = path.read_text()
    assert "florilege build mine.toml" in before
    assert "exists already" in refused(capsys, "init", path)
    assert path.read_text() == before


def test_what_init_writes_can_be_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    Told(capsys, "init", path)
    assert "source web: path = " in refused(capsys, "check", path), "there are no archives yet"
    folder = tmp_path / "archives" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.warc.gz").write_bytes(b"")
    told = Told(capsys, "check", path)
    assert told.status == 0
    assert "1 shards to make" in told.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archives", "recipe.toml"], "check writes nothing"


@pytest.mark.parametrize("command", ["check", "build"])
def test_a_missing_recipe_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    message = refused(capsys, command, tmp_path / "none.toml")
    assert message == f"{tmp_path}/none.toml: no such recipe; `florilege init` writes one to start from"


def test_a_wrong_recipe_names_the_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('name = "x"\ncolour = 1\n[[sources]]\nname = "a"\nkind = "files"\npath = "."\n')
    assert "colour: unknown key" in refused(capsys, "check", tmp_path / "r.toml")


@pytest.mark.parametrize(
    "command",
    [
        "funnel -c", "fidelity -c", "runs -c", "sql SELECT -c", "show a -c", "export out -c", "catalog verify",
        "catalog rebuild",
    ],
)  # fmt: skip
def test_a_folder_that_is_no_corpus_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    message = refused(capsys, *command.split(), tmp_path)
    assert message.startswith(f"{tmp_path} holds no published corpus")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["sql", "SELECT 1", "-o", "no/such/folder.csv", "-f", "csv"], ["init", "no/such/r.toml"]]
)
def test_a_place_that_is_not_there_is_one_line(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(corpus.root.parent)
    assert "no/such" in refused(capsys, *arguments, *(["-c", str(corpus.root)] if arguments[0] == "sql" else []))


def test_fidelity_prints_a_table_and_writes_a_page(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, tmp_path: Path
) -> None:
    for output, written in ((tmp_path / "r.html", "r.html"), (tmp_path / "folder", "folder/fidelity.html")):
        told = Told(capsys, "fidelity", "-c", corpus.root, "-o", output, "-n", 1)
        assert (told.status, told.err) == (0, "")
        for part in ("acts", "order recall", "0.500", "(0.180)"):
            assert part in " ".join(told.out.split())
        page = (tmp_path / written).read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert page.count("<section class=document") == 1


def test_fidelity_of_nothing_measured_is_one_line(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, tmp_path: Path
) -> None:
    told = refused(capsys, "fidelity", "-c", corpus.root, "-o", tmp_path / "r.html", "--source", "web")
    assert "no fidelity to report" in told
    assert not (tmp_path / "r.html").exists()


QUERY = """SELECT path, language, authors, quality::DOUBLE AS quality, fetched, sum(words) OVER () AS words
           FROM corpus ORDER BY path"""


def test_sql_prints_a_table(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    told = Told(capsys, "sql", QUERY, "-c", corpus.root)
    assert told.status == 0
    for part in ("path", "act.html", "first.html", "lov.html", "A. Nonyme", "300"):
        assert part in told.out


def test_sql_prints_csv(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    rows = list(csv.DictReader(io.StringIO(Told(capsys, "sql", QUERY, "-c", corpus.root, "-f", "csv").out)))
    assert [row["path"] for row in rows] == ["act.html", "first.html", "lov.html"]
    assert json.loads(rows[0]["authors"]) == ["A. Nonyme"]
    assert float(rows[1]["quality"]) == pytest.approx(0.9)


def test_sql_prints_json_lines(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    rows = [json.loads(line) for line in Told(capsys, "sql", QUERY, "-c", corpus.root, "-f", "json").out.splitlines()]
    assert [row["language"] for row in rows] == ["fr", "en", "no"]
    assert rows[0]["authors"] == ["A. Nonyme"]
    assert rows[1]["fetched"].startswith("2023-05-01")


def test_sql_writes_parquet(capsys: pytest.CaptureFixture[str], corpus: Corpus, tmp_path: Path) -> None:
    assert "--output" in refused(capsys, "sql", QUERY, "-c", corpus.root, "-f", "parquet")
    told = Told(capsys, "sql", QUERY, "-c", corpus.root, "-f", "parquet", "-o", tmp_path / "x.parquet")
    assert (told.status, told.out) == (0, "")
    assert pq.read_table(tmp_path / "x.parquet")["path"].to_pylist() == ["act.html", "first.html", "lov.html"]


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_sql_writes_to_a_file_what_it_would_print(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, tmp_path: Path, format: str
) -> None:
    told = Told(capsys, "sql", QUERY, "-c", corpus.root, "-f", format, "-o", tmp_path / "x")
    assert (told.status, told.out) == (0, "")
    printed = Told(capsys, "sql", QUERY, "-c", corpus.root, "-f", format).out
    assert (tmp_path / "x").read_text(encoding="utf-8").split() == printed.split()


def test_sql_tells_columns_of_the_same_name_apart(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    told = Told(capsys, "sql", "SELECT 'one' AS a, 'two' AS a, 'three' AS b", "-c", corpus.root)
    row = next(line for line in told.out.splitlines() if "three" in line)
    assert row.split()[1::2] == ["one", "two", "three"]


def test_sql_escapes_what_would_be_markup(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    assert "[bold]x[/bold]" in Told(capsys, "sql", "SELECT '[bold]x[/bold]' AS a", "-c", corpus.root).out


def test_sql_without_a_query_reads_queries(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 41\n + 1 AS x;\nSELEKT;\nSELECT 'last' AS y"))
    told = Told(capsys, "sql", "-c", corpus.root)
    assert told.status == 0
    assert "42" in told.out
    assert "last" in told.out
    assert "the query failed" in told.err


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A corpus that nothing of what is tried on it may change."""
    return tiny(tmp_path_factory.mktemp("guarded"))


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM '/etc/passwd'",
        "FROM read_text('{root}/../../../../../../etc/passwd')",
        "FROM glob('/etc/*')",
        "SELECT 1; FROM read_blob('/etc/passwd')",
        "COPY (SELECT 1) TO '{root}/new.csv'",
        "COPY (SELECT 1) TO '{root}/documents/web-1.parquet'",
        "SELECT 1; COPY (SELECT 1) TO '{root}/new.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/new.csv'",
        "COPY (PIVOT documents ON language) TO '{root}/new.csv'",
        "EXPORT DATABASE '{root}/new'",
        "ATTACH '{root}/new.duckdb'",
        "ATTACH ':memory:' AS m",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "CREATE TEMP TABLE t AS SELECT 1",
        "INSERT INTO runs (run) VALUES ('x')",
        "UPDATE snapshots SET digest = ''",
        "DROP VIEW corpus",
        "",
        ";",
        "SELEKT 1",
        "SELECT no_such_column FROM corpus",
    ],
)
def test_sql_neither_writes_nor_reads_anything_else(
    capsys: pytest.CaptureFixture[str], guarded: Corpus, sql: str
) -> None:
    def state() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in guarded.root.rglob("*") if p.is_file()}

    before = state()
    refused(capsys, "sql", sql.format(root=guarded.root), "-c", guarded.root)
    assert state() == before


@pytest.mark.parametrize(
    "sql", ["DESCRIBE corpus", "SHOW TABLES", "SUMMARIZE signals", "FROM funnel", "WITH a AS (FROM runs) FROM a"]
)
def test_sql_answers_all_kinds_of_questions(capsys: pytest.CaptureFixture[str], corpus: Corpus, sql: str) -> None:
    assert Told(capsys, "sql", sql, "-c", corpus.root).status == 0


def test_a_past_snapshot_is_asked_for_by_its_number(capsys: pytest.CaptureFixture[str], own_corpus: Corpus) -> None:
    publish(own_corpus, [{**THRESHOLDS[1], "value": 1e6}])
    count = ("sql", "SELECT count(*) AS n FROM corpus", "-f", "json", "-c", own_corpus.root)
    assert json.loads(Told(capsys, *count).out) == {"n": 0}
    assert json.loads(Told(capsys, *count, "-s", 1).out) == {"n": 3}
    assert refused(capsys, *count, "-s", 9) == "no snapshot 9; there are: 1, 2"


def test_show_prints_a_document_with_its_verdict(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    told = Told(capsys, "show", identity("near")[:12], "-c", corpus.root)
    assert told.status == 0
    assert "Title of near" in told.out
    assert f"rejected at dedup: near-duplicate of {identity('first')}" in told.out
    assert "This is the text of near" in told.out
    assert "kept" in Told(capsys, "show", identity("first"), "-c", corpus.root).out


@pytest.mark.parametrize(
    ("name", "verdict"), [("broken", "rejected at extract: failed"), ("empty", "rejected at extract: empty")]
)
def test_show_prints_a_document_without_text(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, name: str, verdict: str
) -> None:
    told = Told(capsys, "show", identity(name), "-c", corpus.root)
    assert told.status == 0
    assert verdict in told.out


def test_show_of_an_unknown_or_ambiguous_id(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    assert "no document's id starts with 'zz'" in refused(capsys, "show", "zz", "-c", corpus.root)
    assert "'' is not enough: " in refused(capsys, "show", "", "-c", corpus.root)


def test_funnel_and_runs(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    told = Told(capsys, "funnel", "-c", corpus.root)
    assert told.status == 0
    for part in ("web", "acts", "exact-copy 1", "corpus: 3 documents: en 1, fr 1, no 1", "1 clusters of 3 documents"):
        assert part in told.out
    told = Told(capsys, "runs", "-c", corpus.root)
    assert told.status == 0
    assert "2 of 2" in told.out


def test_export_writes_a_folder(capsys: pytest.CaptureFixture[str], corpus: Corpus, tmp_path: Path) -> None:
    told = Told(capsys, "export", tmp_path / "out", "-c", corpus.root, "-f", "jsonl", "-l", "fr", "no")
    assert (told.status, told.out.split(":")[0]) == (0, "2 documents of snapshot 1 (default) in 2 files")
    assert {f["language"] for f in read_json(tmp_path / "out" / "manifest.json")["files"]} == {"fr", "no"}
    assert "is not empty" in refused(capsys, "export", tmp_path / "out", "-c", corpus.root)
    assert "there are: en, fr, no" in refused(capsys, "export", tmp_path / "new", "-c", corpus.root, "-l", "xx")
    assert "at least 1" in refused(capsys, "export", tmp_path / "new", "-c", corpus.root, "--rows", "0")


def test_verify_finds_a_sound_corpus_sound(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    told = Told(capsys, "catalog", "verify", corpus.root)
    assert (told.status, told.out) == (0, "16 files, 0 problems\n")


def test_verify_finds_what_was_tampered_with(capsys: pytest.CaptureFixture[str], own_corpus: Corpus) -> None:
    path = own_corpus.root / "documents" / "web-1.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    (own_corpus.root / "bands" / "acts-1.parquet").unlink()
    told = Told(capsys, "catalog", "verify", own_corpus.root)
    assert told.status == 1
    assert told.out.splitlines() == [
        "bands/acts-1.parquet: missing",
        "documents/web-1.parquet: not the file that was published",
        "16 files, 2 problems",
    ]


def test_verify_finds_a_file_of_a_past_snapshot(capsys: pytest.CaptureFixture[str], own_corpus: Corpus) -> None:
    before = set((own_corpus.root / "verdicts").iterdir())
    publish(own_corpus, THRESHOLDS[:1])
    [old] = before
    old.unlink()
    told = Told(capsys, "catalog", "verify", own_corpus.root)
    assert (told.status, told.out.splitlines()[0]) == (1, f"verdicts/{old.name}: missing")


def test_rebuild_makes_the_catalog_again(capsys: pytest.CaptureFixture[str], own_corpus: Corpus) -> None:
    own_corpus.database.unlink()
    assert "catalog rebuild" in refused(capsys, "funnel", "-c", own_corpus.root)
    assert Told(capsys, "catalog", "rebuild", own_corpus.root).status == 0
    told = Told(capsys, "sql", "SELECT path FROM corpus", "-f", "json", "-c", own_corpus.root)
    assert {json.loads(line)["path"] for line in told.out.splitlines()} == {f"{name}.html" for name in KEPT}


def test_a_damaged_manifest_is_named(capsys: pytest.CaptureFixture[str], own_corpus: Corpus) -> None:
    own_corpus.manifest("shards", "web-1").write_bytes(b"{")
    assert "web-1.json: damaged" in refused(capsys, "catalog", "rebuild", own_corpus.root)


def test_a_stopped_command_says_that_it_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(florilege, "app", stopped)
    told = Told(capsys, "build", "x")
    assert (told.status, told.err) == (130, "florilege: stopped; the same command goes on from here\n")


def test_a_reader_that_leaves_is_no_error(corpus: Corpus) -> None:
    command = [sys.executable, "florilege.py", "sql", "FROM range(200000)", "-f", "json", "-c", str(corpus.root)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b'{"range":0}\n'
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
