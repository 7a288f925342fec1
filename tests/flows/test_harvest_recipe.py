from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigError
from flows.harvest_recipe import is_recipe, load
from flows.recipe import starter
from flows.schedules import HARVESTS

CRAWL = 'name = "web"\ncontact = "team@example.org"\n[crawl]\nseeds = ["https://example.org/"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_start_at_the_recipe(tmp_path: Path) -> None:
    found = load(written(tmp_path, CRAWL))
    assert (found.kind, found.output, found.name) == ("crawl", str(tmp_path / "corpus"), "web")
    assert found.settings["seeds"] == ["https://example.org/"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CRAWL.replace('contact = "team@example.org"\n', ""), "contact: missing"),
        (CRAWL.replace("team@example.org", "me"), "an e-mail address or a web page"),
        (CRAWL.replace("team@example.org", "a@b.org\\r\\nCookie: x"), "an e-mail address or a web page"),
        (CRAWL.replace("[crawl]", "[harvest]"), "harvest: unknown key"),
        ('name = "web"\ncontact = "a@b.org"\n', "one of the tables [crawl], [eurlex], [erudit], [commoncrawl]"),
        (CRAWL + '[eurlex]\ncelex = ["32016R0679"]\n', "there is [crawl] and [eurlex]"),
        (CRAWL + "sneeds = []\n", "sneeds: unknown key; valid here: "),
        (CRAWL.replace('"web"', '"../web"'), "name = '../web'"),
        (CRAWL + "[fetch]\ninterval_s = -1\n", "fetch.interval_s"),
        (CRAWL + '[fetch]\nprivate = ["10.0.0.0/33"]\n', "fetch.private"),
        (CRAWL + '[schedule]\ncron = "every day"\n', "schedule"),
        ("name = ", "not a TOML file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, text))
    assert says in str(error.value)


def test_a_recipe_for_another_command_says_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`florilege crawl "):
        load(written(tmp_path, CRAWL), "erudit")


def test_harvest_recipes_are_told_from_others(tmp_path: Path) -> None:
    assert is_recipe(written(tmp_path, CRAWL))
    assert not is_recipe(written(tmp_path, 'name = "a"\n[[sources]]\nname = "b"\n'))
    assert not is_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("kind", HARVESTS)
def test_a_starter_is_a_recipe(tmp_path: Path, kind: str) -> None:
    text = starter("recipe.toml", kind)
    assert "@" not in text.replace("you@example.org", "")
    assert load(written(tmp_path, text), kind).kind == kind


def test_an_index_beside_the_recipe_is_found_from_anywhere(tmp_path: Path) -> None:
    text = CRAWL[: CRAWL.index("[crawl]")] + '[commoncrawl]\nindex = ["cc/*.parquet", "https://a.org/i.parquet"]\n'
    settings = load(written(tmp_path, text)).settings
    assert settings["index"] == [str(tmp_path / "cc/*.parquet"), "https://a.org/i.parquet"]
