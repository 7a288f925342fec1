import random
from pathlib import Path

import mutate
import pytest

from tests.extractors.hostile_pdfs import one_page, show, stream
from tests.flows import stages


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    return mutate.samples(None, tmp_path_factory.mktemp("samples"))


def test_the_demo_gives_samples_of_both_formats(found: dict[str, list[bytes]]) -> None:
    assert all(sample.startswith(b"%PDF") for sample in found["pdf"])
    assert sum(b"<html" in sample for sample in found["html"]) > 30
    assert len(found["pdf"]) > 20


@pytest.mark.parametrize("damage", mutate.ANY + mutate.PDF + mutate.HTML, ids=lambda damage: damage.__name__)
def test_every_damage_is_done_to_some_sample_and_to_an_empty_one(
    damage: mutate.Damage, found: dict[str, list[bytes]]
) -> None:
    packed = one_page(stream(show() * 100))
    samples = [*found["pdf"][:10], *found["html"][:30], *[packed] * 5]
    changed = [damage(random.Random(1), bytearray(sample), samples[0]) != sample for sample in samples]
    assert sum(changed) >= 4
    damage(random.Random(1), bytearray(), b"")


def test_the_same_seed_makes_the_same_files(found: dict[str, list[bytes]], tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert len(mutate.write(tmp_path / folder, found, 10, seed)) == 20
    contents = {
        folder: [path.read_bytes() for path in sorted((tmp_path / folder).rglob("*.*"))] for folder in ("a", "b", "c")
    }
    assert contents["a"] == contents["b"] != contents["c"]
    assert not {*contents["a"]} & {*found["pdf"], *found["html"]}


def test_no_damaged_file_is_lost(found: dict[str, list[bytes]], tmp_path: Path) -> None:
    names = mutate.write(tmp_path / "inputs", found, 40, seed=1)
    # One page of the demo hangs the parser, and so do copies of it.
    manifest = stages.build(mutate.write_recipe(tmp_path, deadline_s=3))
    assert manifest["status"] == "complete"
    outcome = mutate.account(tmp_path / "corpus", names)
    assert outcome.lost == []
    assert outcome.files.total() == 80
    kinds = {kind for kind, _ in outcome.files}
    assert not {"child died", "memory", "extractor failed", "other error"} & kinds
    assert outcome.files["text", "pdf"] > 10 and outcome.files["text", "html"] > 20
    assert mutate.table(outcome).endswith("| lost | 0 | |")
    assert mutate.account(tmp_path / "corpus", [*names, "pdf/none.pdf"]).lost == ["pdf/none.pdf"]
