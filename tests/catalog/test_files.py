from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigError
from catalog.files import Corpus, existing, publish, read_json, sha256, write_json


def test_json_comes_back_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_json(path, {"b": [1, None], "a": "é"})
    write_json(path, {"b": [2, None], "a": "é"})
    assert read_json(path) == {"a": "é", "b": [2, None]}
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_json(path, {"state": "old"})
    with pytest.raises(TypeError):
        write_json(path, {"state": object()})
    assert read_json(path) == {"state": "old"}


def test_a_writer_killed_before_the_rename_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus(tmp_path)
    write_json(corpus.manifest("shards", "one"), {"shard": "one"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        write_json(corpus.manifest("shards", "two"), {"shard": "two"})
    assert len(list(corpus.manifests("shards").iterdir())) == 2
    assert corpus.read_manifests("shards") == [{"shard": "one"}]


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"[1]", b"\xff\xfe"])
def test_damaged_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"m\.json: damaged .*build again"):
        read_json(path)


def test_manifests_come_by_name_and_none_when_there_is_no_folder(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    assert corpus.read_manifests("runs") == []
    for name in ("b", "a"):
        write_json(corpus.manifest("runs", name), {"run": name})
    assert [m["run"] for m in corpus.read_manifests("runs")] == ["a", "b"]


def test_a_folder_without_a_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no published corpus: build one"):
        existing(tmp_path)


def test_an_existing_corpus_is_known_by_its_real_path(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(corpus.root)
    assert existing(tmp_path / "link") == corpus


def test_publish_moves_and_makes_the_folder(tmp_path: Path) -> None:
    staged, final = tmp_path / "staged", tmp_path / "new" / "final"
    staged.write_bytes(b"bytes")
    publish(staged, final)
    assert final.read_bytes() == b"bytes"
    assert not staged.exists()


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_everything_lies_below_the_root(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    places = [corpus.database, corpus.work, corpus.staging, corpus.dataset("x"), corpus.manifest("runs", "x")]
    assert all(place.is_relative_to(tmp_path) for place in places)
