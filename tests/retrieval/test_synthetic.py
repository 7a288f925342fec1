from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.set_schema import PAIRS
from retrieval.synthetic import builder, prompts
from retrieval.synthetic.builder import SYNTHETIC
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.passages import passages, sampled, totals
from retrieval.synthetic.replies import ResponseFile, copies
from retrieval.synthetic.sampling import kept, number, thresholds
from tests.retrieval.endpoint import Handler, serving

SECTIONS = pa.list_(
    pa.struct([("start", pa.int32()), ("kind", pa.string()), ("anchor", pa.string()), ("heading", pa.string())])
)
SCHEMA = pa.schema([(n, pa.string()) for n in ("id", "text", "title", "language", "work", "split")]).append(
    pa.field("sections", SECTIONS)
)
ARTICLES = {
    "en": ("Every beekeeper shall register all hives with the competent authority before the first day of March.",
           "Honey from registered hives may be sold only in jars whose label names the region of its origin."),
    "fr": ("Tout apiculteur enregistre ses ruches auprès de l'autorité compétente avant le premier jour de mars.",
           "Le miel des ruches enregistrées est vendu seulement dans des pots dont l'étiquette nomme la région."),
    "de": ("Jeder Imker meldet alle Bienenstöcke vor dem ersten Tag des Monats März bei der zuständigen Behörde an.",),
}  # fmt: skip
Rows = list[dict[str, Any]]


def act(of: str, **columns: Any) -> dict[str, Any]:
    texts = ARTICLES[of]
    starts = [sum(len(t) + 1 for t in texts[:n]) for n in range(len(texts))]
    sections = [{"start": s, "kind": "article", "anchor": f"art_{n}", "heading": None} for n, s in enumerate(starts, 1)]
    return {"id": f"act-{of}", "text": "\n".join(texts), "title": "On bees", "language": of,
            "work": "celex:1", "split": "train", "sections": sections, **columns}  # fmt: skip


ACTS = [act("de"), act("en"), act("fr")]


def make(rows: Rows, **params: Any) -> tuple[Rows, Counter[str]]:
    counts: Counter[str] = Counter()
    given = SyntheticParams(**{"shortest": 20, **params})
    found = [t for _, t in SYNTHETIC.make(pa.Table.from_pylist(rows, schema=SCHEMA), given, counts)]
    assert all(table.schema == PAIRS for table in found)
    assert sum(count for name, count in counts.items() if ": " not in name) == len(rows)
    return [row for table in found for row in table.to_pylist()], counts


def test_a_stratified_sample_has_its_size_and_comes_again() -> None:
    strata = {f"{language}{n}": language for language in ("de", "en", "fr") for n in range(10_000)}
    rates = thresholds(Counter(strata.values()), 1_000)
    assert rates == {"de": 0.1, "en": 0.1, "fr": 0.1}
    first = {id for id, language in strata.items() if kept(id, language, rates, 7)}
    sizes = Counter(strata[id] for id in first)
    assert all(900 <= size <= 1_100 for size in sizes.values()), sizes
    assert first == {id for id, language in reversed(strata.items()) if kept(id, language, rates, 7)}
    assert first != {id for id, language in strata.items() if kept(id, language, rates, 8)}
    half = thresholds(Counter(strata.values()), 500)
    assert {id for id, language in strata.items() if kept(id, language, half, 7)} < first


def test_rates_of_a_sample_are_counted_over_all_tables() -> None:
    tables = [pa.Table.from_pylist([row], schema=SCHEMA) for row in ACTS]
    params = builder.survey(iter(tables), SyntheticParams(shortest=20, sample=1))
    assert params.rates == {"de": 1.0, "en": 0.5, "fr": 0.5}


def test_thresholds() -> None:
    assert thresholds({"en": 100, "fr": 0, "de": 50}, 80) == {"en": 0.8, "de": 1.0}
    assert thresholds({"en": 100, "fr": 10}, {"en": 10}) == {"en": 0.1, "fr": 0}


@given(st.text(), st.integers(0, 2**63 - 1))
def test_numbers(id: str, seed: int) -> None:
    assert 0 <= number(id, seed) < 1


def test_queries_without_a_model() -> None:
    pairs, counts = make(ACTS)
    assert counts == {"used": 3, "query: used": 5}
    assert {pair["document"] for pair in pairs} == {text for texts in ARTICLES.values() for text in texts}
    assert all(pair["query_language"] == pair["document_language"] for pair in pairs)
    english = [pair["query"] for pair in pairs if pair["query_language"] == "en"]
    assert all(query.startswith("What is laid down on ") and query.endswith("?") for query in english)
    assert make(ACTS)[0] == pairs


def test_queries_in_another_language_are_made_from_the_translation() -> None:
    pairs, counts = make(ACTS, languages=["fr"])
    assert counts["query: no translation to ask from without a model"] == 0
    by_document = {pair["document"]: pair["query"] for pair in pairs if pair["document_language"] == "fr"}
    for pair in pairs:
        translation = ARTICLES["fr"][0 if pair["parallel"].endswith("art_1") else 1]
        assert pair["query"] == by_document.get(translation, pair["query"])
        assert pair["query"].startswith("Que faut-il savoir sur ")
    assert counts["query: said before"] + len(pairs) == 5


def test_what_cannot_be_asked_without_a_model_is_counted() -> None:
    pairs, counts = make([act("en")], languages=["en", "fr"])
    assert len(pairs) == 2
    assert counts == {"used": 1, "query: used": 2, "query: no translation to ask from without a model": 2}


def test_documents_that_give_no_passage_are_counted() -> None:
    rows = [act("en", id="a", language=None), act("en", id="b", text=" "), act("en", id="c", text="Too short."),
            act("en", id="d")]  # fmt: skip
    assert make(rows, rates={"en": 0}) == (
        [], {"no language": 1, "empty text": 1, "no passage of this length": 1, "no passage in the sample": 1}
    )  # fmt: skip
    assert make([act("en", text="1234 5678 9012 3456 7890.", sections=[])])[1] == {
        "query: no telling sentence": 1, "no query passed": 1
    }  # fmt: skip


def answer(id: str, content: Any, tags: Any = None, **more: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    choice = {"message": {"role": "assistant", "content": text, **more}, "finish_reason": more.get("finish", "stop")}
    return {
        "custom_id": id,
        "response": {"status_code": 200, "body": {"choices": [choice]}},
        "tags": tags,
        "error": None,
    }


def import_one(path: Path, line: Any, **params: Any) -> tuple[list[str], Counter[str]]:
    """Import one response to the first article of the English act."""
    path.write_text(line if isinstance(line, str) else json.dumps(line), encoding="utf-8")
    pairs, counts = make([act("en", text=ARTICLES["en"][0])], style="xqg", queries=1, responses=path, **params)
    return [pair["query"] for pair in pairs], counts


ASKED = f"act-en:0-{len(ARTICLES['en'][0])}|question|en"
QUESTION = "When do owners of bees have to tell the state about them?"


@pytest.mark.parametrize(
    "content",
    [{"questions": [QUESTION]}, {"question": QUESTION}, {"questions": QUESTION}, [QUESTION],
     f'```json\n{{"questions": ["{QUESTION}"]}}\n```'],
)  # fmt: skip
def test_answers_that_are_used(tmp_path: Path, content: Any) -> None:
    assert import_one(tmp_path / "r", answer(ASKED, content)) == ([QUESTION], {"used": 1, "query: used": 1})


def test_tags_that_do_no_harm(tmp_path: Path) -> None:
    line = answer(ASKED, [QUESTION], {"adult": 0.1, "/Sensitive": False, "law": True})
    assert import_one(tmp_path / "r", line)[0] == [QUESTION]


COPY = "Every beekeeper shall register all hives with the competent authority?"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (answer("another", [QUESTION]), "response: missing"),
        ("{broken", "response: missing"),
        (answer(ASKED, "It is about bees."), "response: no JSON"),
        (answer(ASKED, '{"questions": ["What', finish="length"), "response: cut off"),
        (answer(ASKED, {"answer": "x"}), "response: no JSON of this form"),
        (answer(ASKED, ""), "response: empty"),
        (answer(ASKED, {"questions": ["", " "]}), "response: empty"),
        (answer(ASKED, "I'm sorry, but I can't help with that."), "response: a refusal"),
        (answer(ASKED, "x", refusal="No."), "response: a refusal"),
        (answer(ASKED, [QUESTION], finish="content_filter"), "response: policy: filtered by the endpoint"),
        (answer(ASKED, [QUESTION], ["adult"]), "response: policy: adult"),
        (answer(ASKED, [QUESTION], "/Adult"), "response: policy: adult"),
        (answer(ASKED, [QUESTION], {"/Sensitive Subjects": 0.9}), "response: policy: sensitive"),
        ({"custom_id": ASKED, "response": None, "error": {"code": "timeout"}}, "response: failed: timeout"),
        ({"custom_id": ASKED, "response": None}, "response: failed"),
        ({"custom_id": ASKED, "response": {"status_code": 400, "body": {}}}, "response: HTTP 400"),
        ({"custom_id": ASKED, "response": {"body": {"choices": [3]}}}, "response: no chat completion"),
        (answer(ASKED, ["…?"]), "query: empty"),
        (answer(ASKED, ["Why? " * 100]), "query: too long"),
        (answer(ASKED, ["I cannot write a question about this, can I?"]), "query: a refusal"),
        (answer(ASKED, ["Owners of bees tell the state about them."]), "query: not a question"),
        (answer(ASKED, [COPY]), "query: copied from the passage"),
        (
            answer(ASKED, ["Wann müssen Bienenhalter dem Staat etwas über ihre Tiere mitteilen?"]),
            "query: another language",
        ),
    ],
)
def test_answers_that_cannot_be_used_are_counted(tmp_path: Path, line: Any, reason: str) -> None:
    assert import_one(tmp_path / "r", line) == ([], {"no query passed": 1, reason: 1})


def test_statements_pass_where_no_question_is_asked_for(tmp_path: Path) -> None:
    text = "how owners of bees register their animals"
    assert import_one(tmp_path / "r", answer(ASKED, [text]), question=False)[0] == [text]


def test_one_query_for_two_passages_and_too_few(tmp_path: Path) -> None:
    rows = pa.Table.from_pylist([act("en")], schema=SCHEMA)
    params = SyntheticParams(style="xqg", queries=2, shortest=20, responses=tmp_path / "r")
    wanted = prompts.asked(passages(rows, params, Counter()), params)
    lines = [answer(id, [QUESTION, QUESTION.upper()] if n else [QUESTION]) for n, id in enumerate(wanted)]
    (tmp_path / "r").write_text("\n".join(json.dumps(line) for line in [*lines, answer("odd", "x")]) + "\n{\n")
    pairs, counts = make([act("en")], style="xqg", queries=2, responses=tmp_path / "r")
    assert len(pairs) == 1
    assert counts == {"used": 1, "query: used": 1, "query: said before": 2, "query: missing": 1}
    assert ResponseFile(tmp_path / "r").broken == 1


def test_the_last_answer_counts_and_no_later_error(tmp_path: Path) -> None:
    failed = {"custom_id": ASKED, "response": None, "error": {"code": "timeout"}}
    lines = [failed, answer(ASKED, ["Why?"]), answer(ASKED, [QUESTION]), failed]
    assert import_one(tmp_path / "r", "\n".join(map(json.dumps, lines)))[0] == [QUESTION]


def test_copies() -> None:
    assert copies("Shall every hive be registered by march of the year?", "every hive be registered by march") is False
    assert copies("is every HIVE  registered, by march", "Is every hive registered by March 1?")
    assert not copies("bees", "bees are bees")


def chat(handler: Handler, body: dict[str, Any], number: int) -> None:
    said = body["messages"][-1]["content"]
    if "Summary:" not in said:
        handler.say({"summary": "Hives are registered."})
    else:
        language = said.rpartition("Language of the questions: ")[2]
        questions = {"English": f"What do owners of hives have to do, case {number}?",
                     "French": f"Que doivent faire les propriétaires de ruches, cas {number} ?"}  # fmt: skip
        handler.say({"questions": [questions[language]]})


def test_summarise_then_ask_over_an_endpoint(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    with serving(chat) as server:
        given = {"languages": ["en", "fr"], "endpoint": server.url, "model": "m", "responses": path, "timeout_s": 20}
        pairs, _ = make([act("en")], **given)
        assert len(pairs) == 4
        assert len(server.seen) == 6  # two summaries, four questions
        again, _ = make([act("en")], **given)
        assert len(server.seen) == 6
    assert again == pairs == make([act("en")], languages=["en", "fr"], responses=path)[0]
    assert {(p["query_language"], p["document_language"]) for p in pairs} == {("en", "en"), ("fr", "en")}
    assert all("Hives are registered." in b["messages"][-1]["content"] for _, _, b in server.seen[2:])


def test_requests_for_a_batch_service(tmp_path: Path) -> None:
    example = {"passage": "A {title} B", "summary": "S", "question": "Q?", "language": "en"}
    params = SyntheticParams(shortest=20, exemplars=[example], responses=tmp_path / "r")
    found = passages(pa.Table.from_pylist([act("en"), act("fr")], schema=SCHEMA), params, Counter())
    assert totals(found) == {"en": 2, "fr": 2}
    assert sampled(found, params) == found
    requests = list(builder.requests(found, params, None, Counter(), "summary"))
    assert len(requests) == 4
    roles = [message["role"] for message in requests[0]["body"]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "Passage: A {title} B" in requests[0]["body"]["messages"][1]["content"]
    (tmp_path / "r").write_text(json.dumps(answer(requests[0]["custom_id"], {"summary": "In short."})))
    counts: Counter[str] = Counter()
    (second,) = builder.requests(found, params, builder.responses(params), counts, "question")
    assert second["custom_id"] == f"{found[0].id}|question|en"
    assert counts == {"request: waits for a summary": 3}
    left = builder.requests(found, params, builder.responses(params), counts, "summary")
    assert [request["custom_id"] for request in left] == [request["custom_id"] for request in requests[1:]]
    assert counts["request: answered before"] == 1


@pytest.mark.parametrize(
    "params", [{"endpoint": "http://x/v1"}, {"endpoint": "http://x/v1", "model": "m"}, {"responses": "/nowhere/r"}]
)
def test_parameters_that_do_not_go_together(params: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        make([act("en")], **params)


@given(st.text(max_size=60), st.sampled_from(["en", "zh", "xx"]))
def test_any_text_without_a_model(text: str, language: str) -> None:
    readable = text.encode("utf-8", "replace").decode()
    _, counts = make([act("en", text=readable, language=language, sections=None)], shortest=1, queries=2)
    assert counts
