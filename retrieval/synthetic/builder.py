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
from retrieval.synthetic.prompts import Request, Stage
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
            ask_all(chosen, params)
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


def ask_all(chosen: list[Passage], params: SyntheticParams) -> None:
    """Ask the endpoint what `params.responses` has no answer to, stage by stage; answers are added to that file.

    What fails is a line in the file too, and is counted by the import.
    """
    path = params.responses
    assert path is not None
    for stage in prompts.stages(params):
        open_ones = list(requests(chosen, params, responses(params), Counter(), stage))
        if open_ones:
            client.ask(open_ones, path, params, Counter())


def survey(tables: Iterable[pa.Table], params: SyntheticParams) -> SyntheticParams:
    """With `sample`, the rates that keep about so many passages of each language; one pass over the documents."""
    if params.sample is None:
        return params
    counted: Counter[str] = Counter()
    for table in tables:
        counted += totals(passages(table, params, Counter()))
    return params.model_copy(update={"rates": thresholds(counted, params.sample)})


def requests(
    chosen: Iterable[Passage], params: SyntheticParams, file: ResponseFile | None, counts: Counter[str], stage: Stage
) -> Iterator[Request]:
    """The requests of a stage that have no answer in the file; those that have one are counted.

    Questions of style `swim-ir` are asked only about passages whose summary is in the file; the others are counted.
    """
    passages = list(chosen)
    if stage == "summary":
        made = prompts.summary_requests(passages, params)
    else:
        known: dict[str, str] = {}
        if params.style == "swim-ir" and file is not None:
            known = replies.summaries(file, passages, Counter())
        wanted = prompts.asked(passages, params)
        if params.style == "swim-ir":
            waiting = sum(asked.passage.id not in known for asked in wanted.values())
            counts.update({"request: waits for a summary": waiting} if waiting else {})
        made = prompts.question_requests(wanted, params, known)
    for request in made:
        if file is not None and file.has_answer(request["custom_id"]):
            counts["request: answered before"] += 1
        else:
            yield request


def imported(chosen: list[Passage], params: SyntheticParams, counts: Counter[str], model: LanguageModel) -> list[Query]:
    """The queries in `params.responses` that pass all checks; of style `swim-ir` those whose summary is fit too."""
    wanted, file = prompts.asked(chosen, params), _existing(params)
    if params.style == "swim-ir":
        known = replies.summaries(file, chosen, counts)
        without = [id for id, (passage, _) in wanted.items() if passage.id not in known]
        for id in without:
            counts["response: its summary cannot be used"] += 1
            del wanted[id]
    return replies.queries(file, wanted, params, counts, model)


@lru_cache(maxsize=1)
def language_model() -> LanguageModel:
    """The shipped model: loaded once a process."""
    from filters.language import LanguageModel

    return LanguageModel.load()


@lru_cache(maxsize=1)
def _indexed(path: Any, size: int, changed: int) -> ResponseFile:
    return ResponseFile(path)


def responses(params: SyntheticParams) -> ResponseFile | None:
    """The index of the file of responses, made anew when the file has changed; None while there is no file."""
    path = params.responses
    if path is None or not path.is_file():
        return None
    state = path.stat()
    return _indexed(path, state.st_size, state.st_mtime_ns)


def _existing(params: SyntheticParams) -> ResponseFile:
    found = responses(params)
    if found is None:
        raise ConfigError(f"responses = {str(params.responses)!r}: no such file")
    return found


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
    survey=survey,
)
