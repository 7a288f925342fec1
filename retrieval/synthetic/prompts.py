"""Requests to a model, as lines of OpenAI's batch format: {custom_id, method, url, body}."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from catalog.exports.swim_ir import NAMES
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.passages import Passage

Stage = Literal["summary", "question"]
Request = dict[str, Any]


class Asked(NamedTuple):
    """What a request is about."""

    passage: Passage
    language: str
    """Of the queries."""


def summary_id(passage: Passage) -> str:
    return f"{passage.id}|summary"


def question_id(passage: Passage, language: str) -> str:
    return f"{passage.id}|question|{language}"


def asked(passages: Iterable[Passage], params: SyntheticParams) -> dict[str, Asked]:
    """What is to be asked, by the id of the request for questions."""
    return {
        question_id(passage, language): Asked(passage, language)
        for passage in passages
        for language in params.languages or (passage.language,)
    }


def stages(params: SyntheticParams) -> tuple[Stage, ...]:
    """What is asked, in order: each stage needs the answers to the one before."""
    return ("summary", "question") if params.style == "swim-ir" else ("question",)


def summary_requests(passages: Iterable[Passage], params: SyntheticParams) -> Iterator[Request]:
    """The first stage of style `swim-ir`: one request a passage."""
    for passage in passages:
        shown = [e for e in params.exemplars if e.summary]
        examples = [({"title": "", "passage": e.passage}, e.summary) for e in shown]
        yield _request(
            summary_id(passage), "summary", params, {"title": passage.title, "passage": passage.text}, examples
        )


def question_requests(
    wanted: Mapping[str, Asked], params: SyntheticParams, summaries: Mapping[str, str]
) -> Iterator[Request]:
    """The second stage, for passages that have a summary (by passage id); of style `xqg` the only one, for all."""
    for id, (passage, language) in wanted.items():
        if params.style == "swim-ir" and passage.id not in summaries:
            continue
        shared = {"language": NAMES.get(language, language), "count": str(params.count)}
        fields = {"title": passage.title, "passage": passage.text, "summary": summaries.get(passage.id, ""), **shared}
        examples = [
            ({"title": "", "passage": e.passage, "summary": e.summary, **shared, "count": "1"}, e.question)
            for e in params.exemplars
            if e.language == language
        ]
        yield _request(id, "question" if params.style == "swim-ir" else "direct", params, fields, examples)


@cache
def templates() -> dict[str, dict[str, str]]:
    """What models are told, from `prompts.toml`."""
    return tomllib.loads(Path(__file__).with_name("prompts.toml").read_text(encoding="utf-8"))


def _request(
    id: str, name: str, params: SyntheticParams, fields: dict[str, str], examples: list[tuple[dict[str, str], str]]
) -> Request:
    template = templates()[name]
    messages = [{"role": "system", "content": _filled(template["system"], fields)}]
    for given, answer in examples:
        reply = template["reply"].replace("%s", orjson.dumps(answer).decode())
        messages += [
            {"role": "user", "content": _filled(template["user"], given)},
            {"role": "assistant", "content": reply},
        ]
    messages.append({"role": "user", "content": _filled(template["user"], fields)})
    body = {
        "model": params.model, "messages": messages, "temperature": params.temperature,
        "max_tokens": params.max_tokens, "seed": params.seed,
    }  # fmt: skip
    return {"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def _filled(template: str, fields: Mapping[str, str]) -> str:
    """In one pass, so that braces in a passage stay what they are."""
    pieces = template.strip().split("{")
    filled = pieces[0]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        filled += fields[name] + rest if closed and name in fields else "{" + piece
    return filled
