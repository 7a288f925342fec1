"""Asking about passages: an endpoint, or a file of requests; then the import, all by a recipe."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import document, publish, write_shard

from catalog import sets
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.sets import Set
from flows import synthetic_run
from flows.retrieval_plan import wanted
from flows.retrieval_recipe import load
from retrieval import assembly
from retrieval.source import opened
from tests.retrieval.endpoint import Handler, serving

WORKS = 6


@pytest.fixture
def acts(tmp_path: Path) -> Corpus:
    """Acts in English and French, one article each."""
    corpus = Corpus(tmp_path / "corpus")
    rows = []
    for n in range(WORKS):
        for language, text in (
            ("en", f"Every owner of boat number {n} shall register it with the harbour master of port {n} in March."),
            ("fr", f"Tout propriétaire du bateau numéro {n} le déclare au capitaine du port {n} au mois de mars."),
        ):
            sections = [{"start": 0, "kind": "article", "anchor": "art_1", "heading": None}]
            rows.append(document(f"{n}{language}", text, language=language, celex=f"3202{n}R0001", sections=sections))
    write_shard(corpus, "s", "acts", rows)
    publish(corpus)
    return corpus


def recipe(corpus: Corpus, benchmarks: str = "", **params: Any) -> Path:
    path = corpus.root.parent / "sets.toml"
    values = "".join(f"{name} = {json.dumps(value)}\n" for name, value in params.items())
    path.write_text(
        f'corpus = "corpus"\n{benchmarks}\n[splits]\ntest = 0\nvalidation = 0\n'
        f'[[pairs]]\nname = "asked"\nbuilder = "synthetic"\n[pairs.params]\nshortest = 20\n{values}'
    )
    return path


def pairs(corpus: Corpus, path: Path) -> Set:
    loaded, (found,) = load(path), wanted(str(path), "pairs", ["asked"])
    with opened(corpus, loaded.splits) as source:
        return assembly.make_pairs(
            corpus, source, "asked", found.builder, found.params, loaded.splits, [], loaded.overlap, None, None,
            lambda _: None,
        )  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def answer(id: str) -> str:
    content = {"summary": "Boats."} if id.endswith("|summary") else {"questions": [question(id)]}
    choice = {"message": {"content": json.dumps(content)}, "finish_reason": "stop"}
    return json.dumps({"custom_id": id, "response": {"status_code": 200, "body": {"choices": [choice]}}}) + "\n"


def question(id: str) -> str:
    end = id.partition(":")[0][:6]
    return f"Que faut-il faire, cas {end} ?" if id.endswith("fr") else f"What is to be done in the case of {end}?"


def test_requests_in_two_stages_and_the_import(acts: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    path = recipe(acts, model="m", sample=3, seed=2, responses="answers.jsonl")
    requests, answers = acts.root.parent / "requests.jsonl", acts.root.parent / "answers.jsonl"
    first = synthetic_run.ask(path, "asked", requests)
    assert first.params.rates == {"en": 0.5, "fr": 0.5}
    summaries = [request["custom_id"] for request in lines(requests)]
    size = first.counts["passage: en"] + first.counts["passage: fr"]
    assert 0 < len(summaries) == len(set(summaries)) == size < 2 * WORKS
    assert all(id.endswith("|summary") for id in summaries)
    synthetic_run.show(path, "asked", first, requests)
    said = capsys.readouterr().out
    assert "at the rate 0.5" in said and "the same command again" in said

    answers.write_text("".join(map(answer, summaries[1:])))
    second = synthetic_run.ask(path, "asked", requests)
    ids = [request["custom_id"] for request in lines(requests)]
    assert ids.count(summaries[0]) == 1 and len(ids) == size  # the summary that is missing, and questions to the others
    assert second.counts["request: answered before"] == size - 1 and second.counts["request: waits for a summary"] == 1
    with answers.open("a") as file:
        file.writelines(map(answer, ids))
    third = synthetic_run.ask(path, "asked", requests)
    assert lines(requests)[0]["custom_id"].startswith(summaries[0].partition("|")[0])
    with answers.open("a") as file:
        file.writelines(answer(request["custom_id"]) for request in lines(requests))
    assert third.counts["request: question"] == 1

    made = pairs(acts, path)
    assert made.rows("pairs") == made.manifest["counts"]["query: used"] == size
    assert made.manifest["params"]["rates"] == {"en": 0.5, "fr": 0.5} and made.manifest["params"]["sample"] == 3
    last = synthetic_run.ask(path, "asked", requests)
    assert not lines(requests) and last.counts["request: answered before"] == 2 * size
    synthetic_run.show(path, "asked", last, requests)
    assert "florilege pairs" in capsys.readouterr().out


def test_an_endpoint_that_refuses_babbles_and_hangs(acts: Corpus) -> None:
    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        said = body["messages"][-1]["content"]
        place = next(n for n in range(WORKS) if f"port {n} " in said)
        if place == 0:
            handler.say("I'm sorry, but I can't help with that.")
        elif place == 1:
            handler.say("%&$ no JSON")
        elif place == 2:
            handler.hang()
        else:
            french = "bateau" in said
            handler.say({"questions": [f"Que faut-il faire au port {place} ?" if french else f"What at port {place}?"]})

    with serving(behave) as server:
        given = {"style": "xqg", "queries": 1, "model": "m", "endpoint": server.url, "responses": "answers.jsonl"}
        path = recipe(acts, **given, timeout_s=0.3, attempts=1, in_flight=4)
        counts = synthetic_run.ask(path, "asked", None).counts
    assert counts["request: question"] == 2 * WORKS and counts["passage: en"] == WORKS
    assert counts["request: answered"] == 2 * WORKS - 2 and counts["request: failed: timeout"] == 2

    path = recipe(acts, **{name: value for name, value in given.items() if name != "endpoint"})
    counted = Counter(pairs(acts, path).manifest["counts"])
    assert counted["response: a refusal"] == counted["response: no JSON"] == counted["response: failed: timeout"] == 2
    assert counted["query: used"] == 2 * (WORKS - 3)
    assert len(sets.find(acts, "asked").table("pairs")) == 2 * (WORKS - 3)


def test_what_cannot_be_asked(acts: Corpus) -> None:
    output = acts.root.parent / "requests.jsonl"
    with pytest.raises(ConfigError, match="model"):
        synthetic_run.ask(recipe(acts), "asked", output)
    with pytest.raises(ConfigError, match="nobody to ask"):
        synthetic_run.ask(recipe(acts, model="m"), "asked", None)
    with pytest.raises(ConfigError, match="file of responses"):
        synthetic_run.ask(recipe(acts, model="m", responses="requests.jsonl"), "asked", output)
    with pytest.raises(ConfigError, match="florilege benchmark"):
        synthetic_run.ask(recipe(acts, '[[benchmarks]]\nname = "articles"', model="m"), "asked", output)
    path = recipe(acts)
    path.write_text(path.read_text().replace('"synthetic"', '"mlm"').replace("shortest = 20", ""))
    with pytest.raises(ConfigError, match="mlm"):
        synthetic_run.ask(path, "asked", output)
    assert not output.exists()
