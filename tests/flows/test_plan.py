from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ConfigError
from catalog.files import Corpus, write_json
from flows import plan as plans
from flows.plan import Piece, Plan, ShardSpec, groups
from flows.recipe import Recipe, load


def recipe(folder: Path, more: str = "", inputs: str = "in", kind: str = "files", source: str = "") -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(
        f'name = "test"\n[[sources]]\nname = "s"\nkind = "{kind}"\npath = "{inputs}"\n{source}\n{more}',
        encoding="utf-8",
    )
    return load(path)


def fill(folder: Path, count: int, size: int = 100) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"{n:04d}.html").write_text(f"{n:<{size}}")
    return folder


def make(found: Recipe, keep: plans.Keep = "plan") -> Plan:
    return plans.make(found, Corpus(Path(found.output)), keep=keep)


def finish(found: Recipe, plan: Plan, specs: list[ShardSpec] | None = None) -> None:
    """Write the manifests that the shards would leave."""
    corpus = Corpus(Path(found.output))
    for spec in plan.shards if specs is None else specs:
        manifest = {"work": plan.work, "source": spec.source, "pieces": [p.identity for p in spec.pieces], "files": []}
        write_json(corpus.manifest("shards", spec.shard), manifest)


def names(specs: list[ShardSpec]) -> list[str]:
    return [piece.path for spec in specs for piece in spec.pieces]


def test_the_same_input_makes_the_same_plan_anywhere(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        fill(tmp_path / name / "in", 7)
        made.append(make(recipe(tmp_path / name, "[engine]\nshard_mb = 0.0002")))
    assert made[0].run == made[1].run
    assert [s.shard for s in made[0].shards] == [s.shard for s in made[1].shards]
    assert names(made[0].shards) == [f"{n:04d}.html" for n in range(7)]


def test_what_runs_it_and_thresholds_make_no_other_plan(tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    plain = make(recipe(tmp_path), keep="nothing")
    same = make(recipe(tmp_path, '[engine]\nworkers = 3\n[thresholds]\npreset = "strict"'), keep="nothing")
    other = make(recipe(tmp_path, "[minhash]\nseed = 7"), keep="nothing")
    assert same.run == plain.run
    assert other.run != plain.run
    assert not {s.shard for s in other.shards} & {s.shard for s in plain.shards}


def test_a_new_file_is_the_only_one_planned(tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    found = recipe(tmp_path)
    first = make(found)
    finish(found, first)
    (tmp_path / "in" / "new.html").write_text("new")
    second = make(found)
    assert second.run != first.run
    assert names(second.shards) == ["new.html"]
    assert len(second.present["s"]) == 4


def test_a_changed_file_is_planned_again_with_another_digest(tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    found = recipe(tmp_path)
    first = make(found)
    finish(found, first)
    (tmp_path / "in" / "0001.html").write_text("changed")
    second = make(found)
    assert names(second.shards) == ["0001.html"]
    assert second.present["s"]["0001.html"] != first.present["s"]["0001.html"]
    assert second.present["s"]["0000.html"] == first.present["s"]["0000.html"]


def test_a_file_that_is_back_as_it_was_is_not_planned_again(tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    found = recipe(tmp_path)
    finish(found, make(found))
    before = (tmp_path / "in" / "0001.html").read_text()
    (tmp_path / "in" / "0001.html").write_text("changed")
    finish(found, make(found))
    (tmp_path / "in" / "0001.html").write_text(before)
    assert make(found).pending(Corpus(Path(found.output))) == []


def test_a_file_that_is_gone_plans_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    found = recipe(tmp_path)
    finish(found, make(found))
    (tmp_path / "in" / "0001.html").unlink()
    assert make(found).shards == []


def test_a_stored_plan_is_taken_up(tmp_path: Path) -> None:
    fill(tmp_path / "in", 9)
    found = recipe(tmp_path, "[engine]\nshard_mb = 0.0002")
    corpus = Corpus(Path(found.output))
    first = make(found)
    assert len(first.shards) > 2
    finish(found, first, first.shards[:2])
    again = make(found)
    assert again == first
    assert again.pending(corpus) == first.shards[2:]
    assert plans.load(corpus.work / "runs" / first.run / "plan.json") == first


def test_a_stored_plan_follows_its_files(tmp_path: Path) -> None:
    acts = tmp_path / "in" / "32020R0001"
    acts.mkdir(parents=True)
    for name in ("fr.html", "fr.pdf"):
        (acts / name).write_text(name)
    first = make(recipe(tmp_path, kind="eurlex"))
    (tmp_path / "in").rename(tmp_path / "moved")
    found = recipe(tmp_path, kind="eurlex", inputs="moved")
    second = make(found)
    assert second.run == first.run
    stored = plans.load(Corpus(Path(found.output)).work / "runs" / first.run / "plan.json")
    for plan in (second, stored):
        for piece in (piece for spec in plan.shards for piece in spec.pieces):
            assert Path(piece.uri).is_file()
            assert piece.reference_uri is None or Path(piece.reference_uri).is_file()
    assert [p.reference for s in second.shards for p in s.pieces] == [None, "32020R0001/fr.html"]


def test_a_changed_reference_measures_its_document_again(tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    (tmp_path / "in" / "0001.truth.txt").write_text("truth")
    found = recipe(tmp_path, source='reference = "{stem}.truth.*"')
    finish(found, make(found))
    (tmp_path / "in" / "0001.truth.txt").write_text("another truth")
    assert names(make(found).shards) == ["0001.html", "0001.truth.txt"]


def test_a_reference_that_becomes_a_document_is_read(tmp_path: Path) -> None:
    fill(tmp_path / "in", 1)
    (tmp_path / "in" / "0000.truth.txt").write_text("truth")
    found = recipe(tmp_path, source='reference = "{stem}.truth.*"')
    first = make(found)
    assert {p.path: p.skip for s in first.shards for p in s.pieces}["0000.truth.txt"] == "reference of another file"
    finish(found, first)
    second = make(recipe(tmp_path))
    assert {p.path: p.skip for s in second.shards for p in s.pieces}["0000.truth.txt"] is None


def test_nothing_is_written_when_nothing_shall_be(tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    found = recipe(tmp_path)
    assert len(make(found, keep="nothing").shards) == 1
    assert not Path(found.output).exists()


def test_every_file_is_noted_once(tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    found, seen = recipe(tmp_path), []
    plans.make(found, Corpus(Path(found.output)), lambda source, item: seen.append((source.name, item.path)))
    assert seen == [("s", f"000{n}.html") for n in range(3)]


def test_shards_are_bounded_in_bytes(tmp_path: Path) -> None:
    fill(tmp_path / "in", 20, size=300)
    (tmp_path / "in" / "0005.html").write_text("x" * 5000)
    shards = make(recipe(tmp_path, f"[engine]\nshard_mb = {1000 / 2**20}"), keep="nothing").shards
    assert sorted(names(shards)) == [f"{n:04d}.html" for n in range(20)]
    assert [len(s.pieces) for s in shards if s.bytes > 1000] == [1]
    assert all(a.bytes + b.pieces[0].size > 1000 for a, b in pairwise(shards)), "no shard ends early"


def test_shards_are_bounded_in_files(tmp_path: Path) -> None:
    fill(tmp_path / "in", 450, size=1)
    shards = make(recipe(tmp_path), keep="nothing").shards
    assert [len(s.pieces) for s in shards] == [200, 200, 50]


def parts_of_a_thousand(opener: object, every: int) -> list[int]:
    """As records end beyond what was asked for: a little less than a third of 3,000 bytes."""
    assert 900 < every < 1000
    return [0, 1000, 2010]


def test_archives_are_laid_out_in_their_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.warc").write_bytes(b"x" * 3000)
    monkeypatch.setattr("extractors.warc.cuts", parts_of_a_thousand)
    shards = make(recipe(tmp_path, f"[engine]\nshard_mb = {1000 / 2**20}", kind="warc"), keep="nothing").shards
    parts = [(p.start, p.stop) for s in shards for p in s.pieces]
    assert parts == [(0, 1000), (1000, 2010), (2010, None)]
    assert [s.bytes for s in shards] == [1000, 1010, 990]
    assert len({s.shard for s in shards}) == 3


def test_sources_do_not_share_a_shard(tmp_path: Path) -> None:
    for name in ("in", "other"):
        fill(tmp_path / name, 2)
    more = '[[sources]]\nname = "t"\nkind = "files"\npath = "other"'
    shards = make(recipe(tmp_path, more), keep="nothing").shards
    assert [(s.source, len(s.pieces)) for s in shards] == [("s", 2), ("t", 2)]
    assert shards[0].shard != shards[1].shard


@pytest.mark.parametrize("setting", ['model = "no-such-model"', 'model = "nowhere/my.ftz"', f'sha256 = "{"0" * 64}"'])
def test_a_language_model_that_is_not_there_stops_before_any_work(tmp_path: Path, setting: str) -> None:
    fill(tmp_path / "in", 1)
    with pytest.raises(ConfigError, match=r"language\.model = "):
        make(recipe(tmp_path, f"[language]\n{setting}"))


def spec(shard: int, source: str = "s") -> ShardSpec:
    return ShardSpec(str(shard), source, "files", [Piece("a", "/a", "files", 1, "d")])


def test_groups_keep_the_order() -> None:
    pending = [spec(n) for n in range(70)] + [spec(n, "t") for n in range(70, 75)]
    found = groups(pending, workers=1)
    assert [s for group in found for s in group] == pending
    assert [len(group) for group in found] == [32, 32, 11]
    assert [len(group) for group in groups(pending, workers=2)] == [64, 11]
    assert groups([], 1) == []


def test_the_code_version_names_the_release() -> None:
    release, _, code = plans.code_version().partition("+")
    assert release.count(".") == 2
    assert len(code) == 12


def test_identity_of_a_piece_is_its_place_and_bytes() -> None:
    one: dict[str, Any] = {"path": "a", "kind": "warc", "size": 1, "digest": "d"}
    assert Piece(uri="/x/a", **one).identity == Piece(uri="/y/a", meta={"k": 1}, **one).identity
    assert Piece(uri="/a", **one).identity != Piece(uri="/a", start=5, **one).identity
    assert Piece(uri="/a", **one).identity != Piece(uri="/a", **{**one, "kind": "files"}).identity
