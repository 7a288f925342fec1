"""The whole flow, by the command line and Prefect's real engine, on the demo's inputs."""

import shutil
from pathlib import Path

import planted
import pytest
from commands import Demo, florilege

from catalog import reports, store
from catalog.files import Corpus


@pytest.fixture(scope="module")
def cases(demo: Demo) -> dict[str, planted.Case]:
    return planted.cases(demo.folder / "inputs")


def test_every_record_is_accounted_for(demo: Demo) -> None:
    with store.reading(Corpus(demo.corpus)) as connection:
        assert reports.unaccounted(connection) == []
        assert sum(row["in"] for row in reports.funnel(connection) if row["stage"] == "read") > 200


def test_planted_cases_end_where_they_should(demo: Demo, cases: dict[str, planted.Case]) -> None:
    outcomes = planted.outcomes(demo.corpus)
    wrong = [
        (name, case["expect"], outcomes.get(name))
        for name, case in cases.items()
        if not outcomes.get(name, "").startswith(planted.ENDS[case["expect"]])
    ]
    assert wrong == []


def test_one_of_each_planted_cluster_is_kept(demo: Demo, cases: dict[str, planted.Case]) -> None:
    outcomes, groups = planted.outcomes(demo.corpus), planted.groups(cases)
    assert len(groups) > 20
    assert [group for group in groups if sum(outcomes[name] == "kept" for name in group) != 1] == []


def test_no_page_of_the_demo_hangs_or_fails(demo: Demo) -> None:
    with store.reading(Corpus(demo.corpus)) as connection:
        errors = reports.rows(
            connection, "SELECT url, error FROM documents WHERE error IS NOT NULL AND format = 'html'"
        )
    assert errors == []


def test_the_defective_pdf_raises_the_alarm(demo: Demo) -> None:
    with store.reading(Corpus(demo.corpus)) as connection:
        found = reports.rows(connection, "SELECT reason FROM rejects WHERE stage = 'fidelity'")
    assert [row["reason"] for row in found] == ["order_recall<0.3"]


def test_pdf_and_html_of_an_act_are_linked_by_celex_and_language(demo: Demo) -> None:
    with store.reading(Corpus(demo.corpus)) as connection:
        found = reports.rows(
            connection,
            "SELECT celex, declared_language, list(DISTINCT format ORDER BY format) AS formats FROM documents "
            "WHERE source = 'acts' GROUP BY ALL",
        )
    assert len(found) == 24
    assert all(row["formats"] == ["html", "pdf"] for row in found)


def test_a_second_build_does_nothing(demo: Demo) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.corpus.rglob("*") if path.is_file()}
    assert florilege("build", demo.recipe).stdout.startswith("Nothing to do")
    assert {path: path.stat().st_mtime_ns for path in demo.corpus.rglob("*") if path.is_file()} == before


def test_new_input_makes_a_new_snapshot_and_reads_only_what_is_new(demo: Demo, server: str, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    florilege("catalog", "rebuild", tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    before = {path.name for path in corpus.manifests("shards").glob("*.json")}
    act = next((tmp_path / "inputs" / "acts").iterdir())
    shutil.copytree(act, tmp_path / "inputs" / "acts" / "32031R9999")
    florilege("build", tmp_path / "recipe.toml")
    fresh = [m for m in corpus.read_manifests("shards") if f"{m['shard']}.json" not in before]
    read = {piece[0] for manifest in fresh for piece in manifest["pieces"]}
    assert read == {f"32031R9999/{path.name}" for path in act.iterdir()}
    with store.reading(corpus) as connection:
        assert reports.unaccounted(connection) == []
        assert reports.rows(connection, "SELECT max(snapshot) AS n FROM snapshots")[0]["n"] == 2
        # The copy of an act under another number is a duplicate of the first.
        kept = reports.rows(connection, "SELECT count(*) AS n FROM corpus WHERE source = 'acts'")
    with store.reading(corpus, snapshot=1) as connection:
        assert reports.rows(connection, "SELECT count(*) AS n FROM corpus WHERE source = 'acts'") == kept


def test_other_thresholds_make_a_new_snapshot_without_new_shards(demo: Demo, server: str, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    florilege("catalog", "rebuild", tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    shards = {path: path.stat().st_mtime_ns for path in corpus.manifests("shards").glob("*.json")}
    with (tmp_path / "recipe.toml").open("a") as recipe:
        recipe.write("\n[thresholds.set]\nwords = {min = 300}\n")
    florilege("build", tmp_path / "recipe.toml")
    assert {path: path.stat().st_mtime_ns for path in corpus.manifests("shards").glob("*.json")} == shards
    with store.reading(corpus) as connection:
        found = reports.rows(connection, "SELECT min(words) AS least FROM corpus")
    assert found[0]["least"] >= 300
    shutil.copy(demo.recipe, tmp_path / "recipe.toml")
    florilege("build", tmp_path / "recipe.toml")
    snapshots = corpus.read_manifests("snapshots")
    assert [s["digest"] == snapshots[0]["digest"] for s in snapshots] == [True, False, True]


def test_rebuild_from_manifests_gives_the_same_answers(demo: Demo, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    asked = "SELECT id, keep, stage, reason, duplicate_of FROM verdicts ORDER BY id"
    with store.reading(Corpus(demo.corpus)) as connection:
        before = reports.rows(connection, asked), reports.funnel(connection)
    (tmp_path / "corpus" / "florilege.duckdb").unlink()
    florilege("catalog", "rebuild", tmp_path / "corpus")
    with store.reading(Corpus(tmp_path / "corpus")) as connection:
        assert (reports.rows(connection, asked), reports.funnel(connection)) == before


def test_verify_finds_nothing_wrong(demo: Demo) -> None:
    assert "0 problems" in florilege("catalog", "verify", demo.corpus).stdout


def test_any_record_can_be_read_again_from_its_archive(demo: Demo) -> None:
    from extractors import warc
    from flows.inputs import opener

    with store.reading(Corpus(demo.corpus)) as connection:
        found = reports.rows(
            connection, "SELECT id, path, \"offset\", payload_digest FROM documents WHERE source = 'web'"
        )
    assert found
    for row in found:
        archive = demo.folder / "inputs" / "web" / row["path"]
        record = warc.fetch(opener(str(archive)), source="web", path=row["path"], offset=row["offset"])
        assert (record.id, record.digest) == (row["id"], row["payload_digest"])
