"""The training set `synthetic`: queries that a model, or a rule without one, makes for sampled passages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.errors import ConfigError
from retrieval.builder import PairBuilder
from retrieval.pairs.pair_rows import Pair, Text, pair_table
from retrieval.synthetic import client, offline, prompts, replies
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.passages import COLUMNS, Passage, passages, sampled, totals
from retrieval.synthetic.replies import Query, ResponseFile
from retrieval.synthetic.sampling import thresholds

if TYPE_CHECKING:
    from filters.language import LanguageModel


def make(documents: pa.Table, params: SyntheticParams, counts: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Pairs of query and passage.

    With an endpoint, what `params.responses` has no answer for is asked first. With responses, those are imported.
    With neither, queries are made without a model. A query is counted under `query: ...`, a response that cannot be
    used under `response: ...`; responses to passages of other tables are not looked at.

    Raises:
        ConfigError: an endpoint without a model or without a file for its responses; see also `client.ask`.
    """
    check(params)
    found = passages(documents, params, counts)
    chosen = sampled(found, params)
    wanted = prompts.asked(chosen, params)
    if params.responses is None:
        made = offline.queries(wanted, found, params.count, counts)
    else:
        if params.endpoint is not None:
            ask_all(chosen, params, counts)
        made = imported(chosen, params, counts, language_model())
    _count_documents(found, chosen, made, counts)
    if made:
        yield "pairs", pair_table([_pair(query) for query in made])


def check(params: SyntheticParams) -> None:
    """ConfigError when the parameters do not go together."""
    if params.endpoint is not None and not params.model:
        raise ConfigError(f"endpoint = {params.endpoint!r} needs `model`, the name of the model to ask")
    if params.endpoint is not None and params.responses is None:
        raise ConfigError(
            "`endpoint` needs `responses`, a file that keeps the answers: what is in it is not asked again"
        )
    if params.endpoint is None and params.responses is not None and not params.responses.is_file():
        raise ConfigError(f"responses = {str(params.responses)!r}: no such file, and no `endpoint` to ask")


def ask_all(chosen: list[Passage], params: SyntheticParams, counts: Counter[str]) -> None:
    """Ask the endpoint, in the stages of the style; answers are added to `params.responses`."""
    path = params.responses
    assert path is not None
    known: dict[str, str] = {}
    if params.style == "swim-ir":
        client.ask(prompts.summary_requests(chosen, params), path, params, counts)
        known = replies.summaries(_responses(params), chosen, Counter())
    client.ask(prompts.question_requests(prompts.asked(chosen, params), params, known), path, params, counts)


def rated(tables: Iterable[pa.Table], params: SyntheticParams, sample: int) -> SyntheticParams:
    """The parameters with the rates that keep about `sample` passages of each language; one pass over the documents."""
    counted: Counter[str] = Counter()
    for table in tables:
        counted += totals(passages(table, params, Counter()))
    return params.model_copy(update={"rates": thresholds(counted, sample)})


def requests(chosen: list[Passage], params: SyntheticParams, counts: Counter[str]) -> Iterator[prompts.Request]:
    """What a batch service is to be asked next: the summaries, or the questions for passages that have theirs.

    Questions are asked once `params.responses` is there; in style `xqg` at once.
    """
    known: dict[str, str] = {}
    if params.style == "swim-ir":
        if params.responses is None or not params.responses.is_file():
            yield from prompts.summary_requests(chosen, params)
            return
        known = replies.summaries(_responses(params), chosen, counts)
    yield from prompts.question_requests(prompts.asked(chosen, params), params, known)


def imported(chosen: list[Passage], params: SyntheticParams, counts: Counter[str], model: LanguageModel) -> list[Query]:
    """The queries in `params.responses` that pass all checks; of style `swim-ir` those whose summary is fit too."""
    wanted, file = prompts.asked(chosen, params), _responses(params)
    if params.style == "swim-ir":
        known = replies.summaries(file, chosen, counts)
        without = [id for id, (passage, _) in wanted.items() if passage.id not in known]
        for id in without:
            counts["response: its summary cannot be used"] += 1
            del wanted[id]
    return replies.queries(file, wanted, params, counts, model)


def expected(chosen: list[Passage], params: SyntheticParams) -> set[str]:
    """Ids of all requests of all stages: a response to another is a stray, see `replies.count_strays`."""
    stages = {prompts.summary_id(passage) for passage in chosen} if params.style == "swim-ir" else set()
    return stages | set(prompts.asked(chosen, params))


@lru_cache(maxsize=1)
def language_model() -> LanguageModel:
    """The shipped model: loaded once a process."""
    from filters.language import LanguageModel

    return LanguageModel.load()


@lru_cache(maxsize=1)
def _indexed(path: Any, size: int, changed: int) -> ResponseFile:
    return ResponseFile(path)


def _responses(params: SyntheticParams) -> ResponseFile:
    """The file's index, made anew when the file has changed."""
    path = params.responses
    if path is None or not path.is_file():
        raise ConfigError(f"responses = {str(path)!r}: no such file")
    state = path.stat()
    return _indexed(path, state.st_size, state.st_mtime_ns)


def _pair(query: Query) -> Pair:
    passage = query.passage
    asked = Text(f"{passage.id}#{query.language}-{query.number}", query.text, query.language, passage.doc)
    answer = Text(passage.id, passage.text, passage.language, passage.doc, passage.start, passage.end)
    return Pair(asked, answer, passage.title, passage.parallel, passage.work, passage.split)


def _count_documents(found: list[Passage], chosen: list[Passage], made: list[Query], counts: Counter[str]) -> None:
    """Every document with passages once."""
    used = {query.passage.doc for query in made}
    asked = {passage.doc for passage in chosen}
    documents = {passage.doc for passage in found}
    sizes = {"used": used, "no query passed": asked - used, "no passage in the sample": documents - asked}
    counts.update({name: len(ids) for name, ids in sizes.items() if ids})


SYNTHETIC = PairBuilder(
    name="synthetic",
    version=1,
    summary="From a synthetic query, made by a model or without one, to the passage that it was made for.",
    make=make,
    params=SyntheticParams,
    columns=COLUMNS,
    unit="work",
)
