"""EUR-Lex, Érudit and Common Crawl from the command line: real servers, archives, and the corpora built of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import florilege
from servers.cellar import CHALLENGE, Cellar
from servers.cellar_works import ISO
from servers.commoncrawl import CDX, CRAWL, Store, commoncrawl, page
from servers.oai import Repository
from servers.running import running
from stages import ask, build, unaccounted
from warcio.archiveiterator import ArchiveIterator

from catalog import store
from catalog.files import Corpus, write_json
from flows import harvest_recipe, harvest_run, harvesting, terminal
from retrieval import works

DOCS = Path(__file__).resolve().parents[2] / "docs"
FETCH = """[fetch]
interval_s = 0
slow_down = false
backoff_s = 0.1
private = ["127.0.0.1", "www.exemple.fr"]
addresses = { "www.exemple.fr" = "127.0.0.1" }
"""
_REPEATS = ("top_3gram_char_ratio", "top_4gram_char_ratio", "dup_10gram_char_ratio")
LIMITS = "{ words = { min = 10 }, " + ", ".join(f"{name} = {{ max = 'off' }}" for name in _REPEATS) + " }"
"""The invented acts are short and repeat themselves."""


def recipe(folder: Path, name: str, kind: str, **settings: Any) -> Path:
    path = folder / f"{name}.toml"
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    head = f'name = "{name}"\noutput = "corpus"\ncontact = "team@example.org"\n'
    path.write_text(f"{head}[{kind}]\n{table}\n{FETCH}", encoding="utf-8")
    return path


def built(folder: Path, *archives: str) -> Path:
    """A build of these archives of the same corpus."""
    path = folder / "build.toml"
    sources = "".join(
        f'[[sources]]\nname = "{name}"\nkind = "warc"\npath = "corpus/archive/{name}"\n' for name in archives
    )
    rules = f'[dedup]\nby = ["url", "text", "near"]\nversions = "link"\n[thresholds]\nset = {LIMITS}\n'
    path.write_text(f'name = "built"\noutput = "corpus"\n{sources}{rules}', encoding="utf-8")
    return path


def again(path: Path) -> dict[str, Any]:
    """One more harvest by its process alone, without Prefect; the last that it said."""
    loaded = harvest_recipe.load(path)
    job = path.with_suffix(".json")
    write_json(job, harvesting.job(loaded))
    done = subprocess.run(
        [sys.executable, "-m", "harvesters.child", str(job)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    store.rebuild(Corpus(Path(loaded.output)))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def payloads(corpus: Path) -> list[bytes]:
    """Payloads of all records, which warcio reads with their digests."""
    found = []
    for path in sorted(corpus.glob("archive/*/*.warc.gz")):
        with path.open("rb") as file:
            found += [record.content_stream().read() for record in ArchiveIterator(file, check_digests="raise")]
    return found


def documented(page: str, holds: str) -> str:
    """The query of a page of docs/ that holds a word."""
    blocks = re.findall(r"```sql\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S)
    found: list[str] = [block for block in blocks if holds in block]
    [query] = found
    return query


def members(corpus: Path) -> list[dict[str, Any]]:
    """Kept documents with their work and split."""
    query = "SELECT d.*, s.language, w.work, w.split FROM works w JOIN documents d USING (id) JOIN signals s USING (id)"
    with store.reading(Corpus(corpus)) as connection:
        works.assign(connection, works.Splits())
        found: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
    return found


def urls(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(row["url"] for row in rows)


def newest(archive: str) -> str:
    return f"harvest = (SELECT max(harvest) FROM fetches WHERE archive = '{archive}')"


ACT = "32019R9901"


@dataclass(frozen=True)
class Made:
    """A corpus of four archives after two harvests and two builds, and what was seen meanwhile."""

    corpus: Path
    said: dict[str, str]
    """What the first harvest of each kind printed."""
    store: Store
    asked: list[str]
    """Paths that the second harvest asked Common Crawl's store for."""


@pytest.fixture(scope="module")
def made(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("services")
    cellar, repository = Cellar(), Repository(busy=1, expiring=1)
    cellar.challenged.add("31987D9903")
    with running(cellar) as acts, running(repository) as articles, commoncrawl(folder / "store") as there:
        recipes = {
            "eurlex": recipe(
                folder, "acts", "eurlex", endpoint=f"{acts.url}/webapi/rdf/sparql", resource=f"{acts.url}/resource",
                celex=[ACT, "32020L9902", "31987D9903", "52021PC9905", "32099R0001"], corrigenda=True,
                consolidated=True,
            ),
            "erudit": recipe(folder, "erudit", "erudit", endpoint=f"{articles.url}/oai/request", hosts=["127.0.0.1"]),
            "commoncrawl": recipe(
                folder, "french", "commoncrawl", crawl=CRAWL, store=there.url, languages=["fr"],
                hosts=["www.exemple.fr"], refetch_truncated=True,
            ),
        }  # fmt: skip
        german = recipe(
            folder, "german", "commoncrawl", index=str(there.folder / CDX), store=there.url, languages=["de"],
            domains=["beispiel.de"], types=["html"],
        )  # fmt: skip
        for path in (*recipes.values(), german):
            harvest_run.check(path)
        assert not (cellar.log or repository.log or there.log), "a check asks nobody"
        said = {kind: florilege(kind, path).stdout for kind, path in recipes.items()}
        again(german)
        whole = built(folder, "acts", "erudit", "french", "german")
        assert "snapshot 1" in florilege("build", whole).stdout
        cellar.amend(ACT, "fr")
        repository.change()
        asked = len(there.log)
        for path in recipes.values():
            assert again(path)["status"] == "complete"
        build(whole)
        yield Made(folder / "corpus", said, there, [path for _, path, _, _ in there.log[asked:]])


def added(corpus: Path, source: str) -> Counter[str]:
    """Addresses of the documents that the second build has read."""
    first, second = (
        urls(ask(corpus, f"SELECT url FROM snapshot_{number}.documents WHERE source = '{source}'")) for number in (1, 2)
    )
    assert first <= second
    return second - first


def parallel(corpus: Path, group: str, snapshot: int) -> dict[str, str]:
    """Texts of a group of parallel passages by language."""
    query = f"""SELECT p.language, substr(d.text, p.start + 1, p."end" - p.start) AS text
                FROM snapshot_{snapshot}.parallel p JOIN snapshot_{snapshot}.documents d USING (id)
                WHERE p.parallel = '{group}'"""
    return {row["language"]: row["text"] for row in ask(corpus, query)}


def test_all_is_accounted_for_and_the_archives_can_be_read(made: Made) -> None:
    stored = payloads(made.corpus)
    assert len(stored) > 200 and not any(CHALLENGE[:60] in each for each in stored)
    funnel = ask(made.corpus, 'SELECT *, "in" AS read FROM funnel')
    assert {row["source"] for row in funnel} == {"acts", "erudit", "french", "german"}
    assert all(row["read"] == row["kept"] + row["dropped"] + row["failed"] for row in funnel)
    assert unaccounted(made.corpus) == []
    assert terminal.verify(made.corpus) == 0


def test_language_versions_of_an_act_are_one_work(made: Made) -> None:
    documents = ask(made.corpus, "SELECT celex, declared_language FROM snapshot_1.documents WHERE source = 'acts'")
    assert Counter(row["celex"] for row in documents) == {
        ACT: 24, "32020L9902": 3, f"{ACT}R(01)": 1, "02019R9901-20200701": 1
    }  # fmt: skip
    of_act = [row for row in members(made.corpus) if row["work"] == f"celex:{ACT}"]
    own = [row["declared_language"] for row in of_act if row["celex"] == ACT]
    assert sorted(own) == sorted(ISO) and len({row["split"] for row in of_act}) == 1
    assert {row["celex"] for row in of_act} == {ACT, f"{ACT}R(01)", "02019R9901-20200701"}
    [corrigendum] = [row for row in of_act if row["celex"].endswith("R(01)")]
    assert json.loads(corrigendum["meta"])["corrects"] == ACT
    first = parallel(made.corpus, f"celex:{ACT}#art_1", 1)
    assert "Le présent règlement fixe" in first["fr"] and "This Regulation lays down" in first["en"]
    assert "Glocken" in first["de"] and "οι δήμοι" in first["el"]
    assert parallel(made.corpus, f"celex:{ACT}#art_1", 2) == first


def test_versions_that_are_lacking_are_found_by_the_documented_queries(made: Made) -> None:
    assert "challenge page" in made.said["eurlex"]
    assert {row["celex"]: len(row["has"]) for row in ask(made.corpus, documented("eurlex.md", "HAVING"))} == {
        "32020L9902": 3, f"{ACT}R(01)": 1, "02019R9901-20200701": 1
    }  # fmt: skip
    lacking = ask(made.corpus, documented("eurlex.md", "refused"))
    assert {(row["celex"], row["language"], row["outcome"], row["reason"]) for row in lacking} == {
        ("31987D9903", "fr", "refused", "challenge page"), ("32099R0001", None, "missing", "act not there"),
        ("52021PC9905", None, "missing", "no version in these languages and formats"),
    }  # fmt: skip


def test_the_version_that_changed_is_all_that_comes_again(made: Made) -> None:
    where = f"{newest('acts')} AND outcome IN ('new', 'changed')"
    fresh = ask(made.corpus, f"SELECT labels->>'language' AS language, outcome, url FROM fetches WHERE {where}")
    assert [(row["language"], row["outcome"]) for row in fresh] == [("fr", "changed")]
    assert added(made.corpus, "acts") == urls(fresh)
    texts = ask(made.corpus, f"SELECT celex, language, text FROM corpus WHERE url = '{fresh[0]['url']}'")
    assert [(row["celex"], row["language"]) for row in texts] == [(ACT, "fr")]
    assert "One more bell" in texts[0]["text"]


def test_articles_have_their_metadata_in_both_languages_and_their_rights(made: Made) -> None:
    assert "all rights reserved: 1" in made.said["erudit"] and "embargo: 1" in made.said["erudit"]
    query = """SELECT d.kind, d.meta, s.licence FROM snapshot_1.documents d JOIN snapshot_1.signals s USING (id)
               WHERE source = 'erudit'"""
    facts = [
        json.loads(row["meta"]) | {"kind": row["kind"], "licence": row["licence"]} for row in ask(made.corpus, query)
    ]
    records = {row["erudit_id"]: row for row in facts if row["kind"] == "resource"}
    assert sorted(records) == [f"109900{number}ar" for number in (1, 2, 3, 4, 5, 6, 9)]
    for row in records.values():
        assert set(row["titles"]) == set(row["abstracts"]) == set(row["keywords"]) == {"fr", "en"}
    assert records["1099001ar"]["titles"] == {"fr": "Sur les moulins à marée", "en": "On tidal mills"}
    assert "Cette étude suit" in records["1099001ar"]["abstracts"]["fr"]
    assert {(row["erudit_id"], row["licence"]) for row in facts} == {
        ("1099001ar", "cc-by-4.0"), ("1099002ar", "cc-by-nc-nd-4.0"), ("1099003ar", None), ("1099004ar", None),
        ("1099005ar", "cc-by-4.0"), ("1099006ar", "cc-by-4.0"), ("1099009ar", "cc-by-nc-nd-4.0"),
    }  # fmt: skip
    assert {row["erudit_id"] for row in facts if row["kind"] == "response"} == {"1099001ar", "1099002ar", "1099009ar"}
    refused = ask(made.corpus, "SELECT labels->>'erudit_id' AS number, reason FROM fetches WHERE archive = 'erudit' "
                  "AND outcome = 'refused'")  # fmt: skip
    assert {(row["number"], row["reason"]) for row in refused} == {
        ("1099003ar", "all rights reserved"), ("1099004ar", "no licence"), ("1099005ar", "embargo")
    }  # fmt: skip
    both = [row for row in members(made.corpus) if row["work"] == "doi:10.7202/1099009ar"]
    assert {row["language"] for row in both} == {"fr", "en"} and len({row["split"] for row in both}) == 1


def test_articles_that_are_new_changed_or_withdrawn(made: Made) -> None:
    gone = ask(made.corpus, f"SELECT url FROM fetches WHERE {newest('erudit')} AND reason = 'deleted record'")
    assert len(gone) == 1 and "1099002ar" in gone[0]["url"]
    again = Counter(re.findall(r"1099\d{3}ar(?=[.&])", " ".join(added(made.corpus, "erudit").elements())))
    assert again == {"1099001ar": 3, "1099010ar": 3}  # record, PDF, XML
    withdrawn = ask(made.corpus, documented("erudit.md", "deleted record"))
    assert {json.loads(row["meta"])["erudit_id"] for row in withdrawn} == {"1099002ar"}
    titled = ask(made.corpus, documented("erudit.md", "titles"))
    assert {row["title_fr"] for row in titled if "1099001ar" in row["url"]} == {"Sur les fours banals"}


def test_records_of_a_crawl_are_chosen_by_language_and_host(made: Made) -> None:
    wanted = {row["url"]: row for row in made.store.rows if row["content_languages"] == "fra"}
    german = Counter({row["url"] for row in made.store.rows if row["content_languages"] == "deu"})
    documents = ask(made.corpus, "SELECT source, url, meta FROM documents")
    site = f"http://www.exemple.fr:{made.store.port}"
    live = Counter([f"{site}/long.html"])
    assert urls(row for row in documents if row["source"] == "french") == Counter(wanted.keys()) + live
    assert urls(row for row in documents if row["source"] == "german") == german
    cut = {row["url"] for row in documents if json.loads(row["meta"]).get("truncated")}
    assert cut == {url for url, row in wanted.items() if row["content_truncated"]} and len(cut) == 3

    kept = ask(made.corpus, "SELECT url, text, language, meta FROM corpus WHERE source = 'french'")
    [whole] = [row for row in kept if row["url"] == f"{site}/long.html"]
    assert "truncated" not in json.loads(whole["meta"])
    assert whole["text"].count("(") == page("fra", 900).decode().count("(")
    assert {row["language"] for row in kept} == {"fr"} and len(kept) == len(wanted) - 1
    query = "SELECT url, reason FROM rejects WHERE source = 'french' AND stage NOT IN ('read', 'dedup')"
    assert ask(made.corpus, query) == [{"url": f"{site}/private/long.html", "reason": "robots disallow"}]
    assert not [path for path in made.asked if ".warc.gz" in path] and not added(made.corpus, "french")
