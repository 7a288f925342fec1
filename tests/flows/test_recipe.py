from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigError
from catalog.files import digest
from extractors import ocr
from filters.verdicts import PRESETS
from flows.recipe import Recipe, load, starter

SOURCE = '[[sources]]\nname = "web"\nkind = "warc"\npath = "web"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def recipe(folder: Path, more: str = "", source: str = SOURCE) -> Recipe:
    return load(write(folder, f'name = "test"\n{source}\n{more}'))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text))
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("colour = 3", ["sources.0.colour: unknown key", "name, kind, path, exclude, reference"]),
        ("[engine]\nworker = 3", ["engine.worker: unknown key", "kind, workers, shard_mb, ray, slurm"]),
        ("[engine.slurm]\nmemory = 3", ["engine.slurm.memory: unknown key", "partition, time, mem_per_cpu_gb, qos"]),
        ("[filters]\nx = 1", ["filters: unknown key", "name, output, sources, extract, language, minhash"]),
        ('[engine]\nkind = "cloud"', ["engine.kind = 'cloud'", "'local', 'ray' or 'slurm'"]),
        ('[engine]\nworkers = "many"', ["engine.workers = 'many'", "integer"]),
        ("[engine]\nworkers = -1", ["engine.workers = -1", "greater than or equal to 0"]),
        ("[engine]\nshard_mb = 0", ["engine.shard_mb = 0", "greater than 0"]),
        ("[engine]\nshard_mb = inf", ["engine.shard_mb = inf", "finite"]),
        ("[extract]\ndeadline_s = nan", ["extract.deadline_s = nan", "finite"]),
        ("[extract]\nmemory_mb = 1", ["extract.memory_mb = 1", "256"]),
        ('[extract]\nocr = ["fr", "xx"]', ["extract.ocr = ['fr', 'xx']", "'xx' is no language", "el, en, es"]),
        ('[extract]\nocr = "fr"', ["extract.ocr = 'fr'", "a list"]),
        ("[minhash]\nbands = 0", ["minhash.bands = 0", "1"]),
        ("[minhash]\nrows = 1.5", ["minhash.rows = 1.5", "integer"]),
        ("[language]\nmodel = 7", ["language.model = 7", "string"]),
        ('[thresholds]\npreset = "best"', ["[thresholds]", "'best'", *PRESETS]),
        ("[thresholds.set]\nwrods = {min = 1}", ["thresholds.set.wrods: no such signal", "words"]),
        ("[thresholds.set]\nwords = {least = 1}", ["thresholds.set.words", "least", "min, max or both"]),
        ('[thresholds.set]\nwords = {min = "no"}', ["thresholds.set.words.min = 'no'", '"off"']),
        ("[thresholds.set]\nwords = {min = 9, max = 8}", ["thresholds.set.words", "9", "8"]),
        ("[thresholds.set]\nwords = 9", ["thresholds.set.words = 9", "dictionary"]),
    ],
)
def test_a_mistake_is_named_with_file_key_value_and_choices(tmp_path: Path, more: str, said: list[str]) -> None:
    message = refusal(tmp_path, f'name = "test"\n{SOURCE}\n{more}')
    assert str(tmp_path / "recipe.toml") in message
    for part in said:
        assert part in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["2 thing(s) to mend", "name: missing", "sources: missing"]),
        ('name = "test"\nsources = []', ["sources = []", "at least 1"]),
        ('name = "test"\n[[sources]]\nname = "web"\nkind = "warc"', ["sources.0.path: missing"]),
        ('name = "test"\n[[sources]]\nname = "a"\nkind = "zip"\npath = "x"',
         ["sources.0.kind = 'zip'", "'warc', 'eurlex', 'erudit' or 'files'"]),
        (f'name = "../evil"\n{SOURCE}', ["name = '../evil'"]),
        ('name = "test"\n[[sources]]\nname = "a/b"\nkind = "warc"\npath = "x"', ["sources.0.name = 'a/b'"]),
        (f'name = "test"\n{SOURCE}{SOURCE}', ["two sources have the same name: web"]),
        (f'name = "test"\n{SOURCE}reference = "{{stem}}.txt"', ["source web", "for kind `files`, not warc"]),
        ('name = "test"\n[[sources]]\nname = "a"\nkind = "files"\npath = "x"\nreference = "{name}.txt"',
         ["source a: reference = '{name}.txt'", "{stem}"]),
        ("name = ", ["not a TOML file"]),
        ("name = 'a'\nname = 'b'", ["not a TOML file"]),
    ],
)  # fmt: skip
def test_a_recipe_that_is_none_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    message = refusal(tmp_path, text)
    assert message.startswith(str(tmp_path / "recipe.toml"))
    for part in said:
        assert part in message


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, f'name = "A B"\ncolour = 1\n{SOURCE}[engine]\nkind = "x"')
    assert "3 thing(s) to mend" in message
    assert len(message.splitlines()) == 4


def test_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such recipe; `florilege init`"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("content", [b"name = '\xe9'", b"\x00\x01"])
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="not a TOML file"):
        load(tmp_path / "r.toml")


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a TOML file"):
        load(tmp_path)


def test_the_starter_recipe_is_a_recipe(tmp_path: Path) -> None:
    found = load(write(tmp_path, starter("recipe.toml")))
    assert found.name == "my-corpus"
    assert found.output == str(tmp_path / "corpus")
    assert [source.kind for source in found.sources] == ["warc"]


def test_the_starter_recipe_is_one_with_its_comments_taken_out(tmp_path: Path) -> None:
    text = starter("recipe.toml")
    for comment in (
        "# [[",
        "# name",
        "# kind",
        "# path",
        "# reference",
        "# [thresholds.set]",
        "# words",
        "# language_score",
        "# lcs",
    ):
        assert comment in text
        text = text.replace(f"\n{comment}", f"\n{comment[2:]}")
    found = load(write(tmp_path, text))
    assert [source.kind for source in found.sources] == ["warc", "eurlex", "erudit", "files"]
    assert set(found.thresholds.set) == {"words", "language_score", "lcs"}


def test_the_starter_recipe_says_what_holds_anyway(tmp_path: Path) -> None:
    started, bare = load(write(tmp_path, starter("r.toml"))), recipe(tmp_path)
    for table in ("extract", "language", "minhash", "thresholds", "engine"):
        assert getattr(started, table) == getattr(bare, table)


def test_relative_paths_start_at_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    path = write(tmp_path / "a", f'name = "test"\noutput = "../out"\n{SOURCE}[language]\nmodel = "models/my.ftz"')
    monkeypatch.chdir(tmp_path / "a")
    for found in (load(Path("recipe.toml")), load(path)):
        assert found.output == str(tmp_path / "out")
        assert found.sources[0].path == str(tmp_path / "a" / "web")
        assert found.language.model == str(tmp_path / "a" / "models" / "my.ftz")


@pytest.mark.parametrize(
    ("given", "resolved"),
    [("/abs/web", "/abs/web"), ("s3://bucket/*.warc", "s3://bucket/*.warc"), ("~/web", str(Path.home() / "web"))],
)
def test_absolute_paths_and_urls_stay(tmp_path: Path, given: str, resolved: str) -> None:
    found = recipe(tmp_path, source=SOURCE.replace('path = "web"', f'path = "{given}"'))
    assert found.sources[0].path == resolved


def test_thresholds_and_where_it_runs_change_no_shard(tmp_path: Path) -> None:
    plain = recipe(tmp_path).work_settings()
    for same in (
        '[thresholds]\npreset = "strict"',
        '[engine]\nkind = "slurm"\nworkers = 7',
        '[engine.ray]\naddress = "auto"',
    ):
        assert recipe(tmp_path, same).work_settings() == plain
    for other in (
        "[minhash]\nseed = 2",
        "[extract]\ndeadline_s = 9",
        '[language]\nmodel = "lid.176"',
        "[engine]\nshard_mb = 5",
    ):
        assert recipe(tmp_path, other).work_settings() != plain


def test_languages_to_recognise_are_checked_and_change_what_a_shard_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = '[extract]\nocr = ["fr", "en"]'
    monkeypatch.setattr(ocr, "_installation", lambda: ("tesseract 5.3.0", frozenset({"eng"})))
    assert "extract.ocr = ['fr', 'en']: Tesseract has no data for fra" in refusal(
        tmp_path, f'name = "a"\n{SOURCE}{asked}'
    )
    found = []
    for version in ("tesseract 5.3.0", "tesseract 5.5.0"):
        monkeypatch.setattr(ocr, "_installation", lambda version=version: (version, frozenset({"eng", "fra"})))
        assert recipe(tmp_path, asked).extract.ocr == ("fr", "en")
        found.append(digest(recipe(tmp_path, asked).work_settings()))
    assert len({*found, digest(recipe(tmp_path).work_settings())}) == 3


def test_a_digest_knows_values_and_not_their_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest([1, 2]) != digest([2, 1])
    assert len(digest(None)) == 16
