"""What a model answered: read, checked, and counted by the reason why it cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import regex

from filters.language import LINE_LETTERS, LINE_SCORE, LanguageModel, same
from filters.language import batch as languages_of
from filters.words import fold, words
from retrieval.metadata import known
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.passages import Passage
from retrieval.synthetic.prompts import Asked, summary_id

POLICY = ("adult", "sensitive")
"""Tags of content that leaves no pair (SWIM-IR removed these two categories)."""

_MARKS = regex.compile(r"[?？؟⸮՞፧\u037e]\W*\Z|か[。.]?\Z")
_WITHOUT_MARKS = {"th", "lo", "km", "my", "bo", "dz"}
"""Languages that write no question mark."""
_REFUSALS = regex.compile(
    r"\A\W*(?:i(?:['’]?m| am) (?:very )?(?:sorry|unable|not able)|sorry,|i (?:can(?:no|['’])t|cannot|won['’]t)|"
    r"as an? (?:ai|language model)|i apologi[sz]e|je (?:suis )?(?:désolée?|regrette|ne peux pas)|désolée?,|"
    r"es tut mir leid|ich kann (?:\w+ )?nicht|lo siento|no puedo|mi dispiace|non posso|sinto muito|não posso|lamento)",
    regex.IGNORECASE,
)
_SHARE, _FEWEST = 0.8, 5


class Query(NamedTuple):
    """A query that passed."""

    passage: Passage
    language: str
    number: int
    """From 0, among those of its passage and language."""
    text: str


class ResponseFile:
    """Responses by the id of their request: the last answer of each, else its last error. Texts stay in the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0
        """Lines that are no response."""
        self._places: dict[str, int] = {}
        self._failed: set[str] = set()
        at = 0
        with path.open("rb") as file:
            for line in file:
                self._index(line, at)
                at += len(line)

    def _index(self, line: bytes, at: int) -> None:
        found = _parsed(line)
        if found is None:
            self.broken += not line.isspace()
            return
        id, answered = found["custom_id"], isinstance(found.get("response"), dict)
        if answered or id not in self._places or id in self._failed:
            self._places[id] = at
            (self._failed.discard if answered else self._failed.add)(id)

    def ids(self) -> set[str]:
        return set(self._places)

    def answered(self) -> set[str]:
        return self.ids() - self._failed

    def has_answer(self, id: str) -> bool:
        return id in self._places and id not in self._failed

    def read(self, ids: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The responses of these requests; None for those that have none."""
        with self.path.open("rb") as file:
            for id in ids:
                if id in self._places:
                    file.seek(self._places[id])
                    yield id, _parsed(file.readline())
                else:
                    yield id, None


def summaries(file: ResponseFile, passages: Iterable[Passage], counts: Counter[str]) -> dict[str, str]:
    """Summaries by passage id; the others are counted."""
    by_id = {summary_id(passage): passage for passage in passages}
    found: dict[str, str] = {}
    for id, response in file.read(by_id):
        said, reason = _content(response, "summary")
        if reason:
            counts[f"summary: {reason}"] += 1
        else:
            found[by_id[id].id] = said[0]
    return found


def queries(
    file: ResponseFile, wanted: Mapping[str, Asked], params: SyntheticParams, counts: Counter[str], model: LanguageModel
) -> list[Query]:
    """The queries that pass all checks, in the order of `wanted`; the others are counted by the first they fail."""
    candidates: list[Query] = []
    for id, response in file.read(wanted):
        said, reason = _content(response, "questions")
        if reason:
            counts[f"response: {reason}"] += 1
        passage, language = wanted[id]
        candidates += [Query(passage, language, n, text) for n, text in enumerate(said[: params.count])]
        if said and len(said) < params.count:
            counts["query: missing"] += params.count - len(said)
    ranked = languages_of([query.text for query in candidates], model)
    passed: list[Query] = []
    seen: set[str] = set()
    for query, best in zip(candidates, ranked, strict=True):
        reason = unfit(query, params) or ("another language" if _foreign(query, best, model) else None)
        key = " ".join(words(fold(query.text)))
        if reason is None and key in seen:
            reason = "said before"
        seen.add(key)
        counts[f"query: {reason}" if reason else "query: used"] += 1
        passed += [] if reason else [query]
    return passed


def unfit(query: Query, params: SyntheticParams) -> str | None:
    """Why the text is no query for its passage; None: it is one."""
    text = query.text
    if not any(map(str.isalnum, text)):
        return "empty"
    if len(text) > params.longest:
        return "too long"
    if _REFUSALS.match(text):
        return "a refusal"
    if params.question and not asks(text, query.language):
        return "not a question"
    if copies(text, query.passage.text):
        return "copied from the passage"
    return None


def asks(text: str, language: str) -> bool:
    """Whether the text ends as questions do in this language."""
    greek = language == "el" and text.rstrip("\"'»”’ ").endswith(";")
    return language in _WITHOUT_MARKS or greek or _MARKS.search(text) is not None


def copies(query: str, passage: str) -> bool:
    """Whether four in five of the query's words, and five or more, stand in the passage one after the other."""
    said, there = words(fold(query)), f" {' '.join(words(fold(passage)))} "
    run = max(_FEWEST, -int(-_SHARE * len(said) // 1))
    return any(f" {' '.join(said[at : at + run])} " in there for at in range(len(said) - run + 1))


def _foreign(query: Query, ranked: list[tuple[str, float]], model: LanguageModel) -> bool:
    """Whether it is in another language than asked for: too short texts and unknown languages are not."""
    if sum(map(str.isalpha, query.text)) < LINE_LETTERS or query.language not in model.languages:
        return False
    best, score = ranked[0]
    if not known(best) or same(best, query.language):
        return False
    return score >= LINE_SCORE or not any(same(other, query.language) for other, _ in ranked)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("custom_id"), str) else None


def _content(response: dict[str, Any] | None, key: str) -> tuple[list[str], str | None]:
    """The texts under this key, or why there are none."""
    if response is None:
        return [], "missing"
    for tag in _tags(response.get("tags")):
        if tag in POLICY:
            return [], f"policy: {tag}"
    if not isinstance(response.get("response"), dict):
        error = response.get("error")
        return [], f"failed: {error['code']}" if isinstance(error, dict) and error.get("code") else "failed"
    if (status := response["response"].get("status_code", 200)) != 200:
        return [], f"HTTP {status}"
    try:
        choice = response["response"]["body"]["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        return [], "no chat completion"
    if finish == "content_filter":
        return [], "policy: filtered by the endpoint"
    if refusal:
        return [], "a refusal"
    if not isinstance(content, str) or not content.strip():
        return [], "empty"
    return _texts(content, key, "cut off" if finish == "length" else "no JSON")


def _texts(content: str, key: str, otherwise: str) -> tuple[list[str], str | None]:
    try:
        found = orjson.loads(_unfenced(content.strip()))
    except ValueError:
        return [], "a refusal" if _REFUSALS.match(content) else otherwise
    value = (found.get(key) or found.get(key.removesuffix("s"))) if isinstance(found, dict) else found
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return [], "no JSON of this form"
    texts = [" ".join(text.split()) for text in listed if isinstance(text, str)]
    return (texts, None) if any(texts) else ([], "empty")


def _unfenced(content: str) -> str:
    """Without the marks of a code block around it, which models like."""
    if content.startswith("```") and content.endswith("```") and "\n" in content:
        return content[content.index("\n") : -3]
    return content


def _tags(found: Any) -> Iterator[str]:
    """Names of tags: a list, or an object of truth values or scores; `/Sensitive Subjects` is `sensitive`."""
    if isinstance(found, dict):
        found = [name for name, value in found.items() if isinstance(value, (int, float)) and value >= 0.5]
    for tag in [found] if isinstance(found, str) else found if isinstance(found, list) else []:
        if isinstance(tag, str) and (names := regex.findall(r"\w+", tag.lower())):
            yield names[0]
