from __future__ import annotations

from pathlib import Path

import pytest
from corpora import KEPT

from catalog.errors import ConfigError
from catalog.files import Corpus, read_json
from flows.exporting import export


def test_every_format_says_what_it_is(corpus: Corpus, tmp_path: Path) -> None:
    for format in ("parquet", "jsonl", "hplt-v3"):
        manifest = export(corpus.root, None, tmp_path / format, format, None, 10, None)
        assert (manifest["format"], manifest["masked"]) == (format, None)
        assert read_json(tmp_path / format / "manifest.json")["rows"] == manifest["rows"]
    assert manifest["left_out"] == {"robots": 0, "no_wds": len(KEPT), "wds_below_5": 0}


def test_what_is_masked_is_said(corpus: Corpus, tmp_path: Path) -> None:
    manifest = export(corpus.root, 1, tmp_path / "out", "jsonl", ["fr"], 10, ["secrets", "email"])
    assert manifest["masked"] == {"kinds": ["email", "secrets"], "spans": {}, "documents": 0, "cut": 0}
    assert manifest["rows"] == 1


def test_no_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no published corpus"):
        export(tmp_path, None, tmp_path / "out", "parquet", None, 10, None)


def test_a_format_of_sets_is_none_of_the_corpus(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="of a corpus there are parquet, jsonl, hplt-v3"):
        export(corpus.root, None, tmp_path / "out", "beir", None, 10, None)
    assert not (tmp_path / "out").exists()
