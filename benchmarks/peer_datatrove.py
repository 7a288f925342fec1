"""datatrove's recipe for web archives, with datatrove's own blocks; runs in an environment of its own.

    PYTHONPATH=. PEER_PYTHON benchmarks/peer_datatrove.py ARCHIVES OUTPUT MODEL FILES WORKERS

The steps and their layout are those of datatrove's example for FineWeb as far as Gopher's quality rules, then the
four MinHash stages. Defaults everywhere, but for two things: a page has 30 s and not 1 s, as it has here, and
the language filter is ours, because datatrove's knows only two models, which it downloads. Rejects are written too, as
datatrove's example does and florilege always does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import GopherQualityFilter
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers.jsonl import JsonlWriter

_DEADLINE_S = 30
_LANGUAGE_SCORE = 0.5


class Language(BaseFilter):
    """Keeps a document whose best language has a score over 0.5; the model and its preparation are florilege's."""

    name = "language"

    def __init__(self, model: str, exclusion_writer: Any) -> None:
        super().__init__(exclusion_writer)
        self.path, self.model = model, None

    def filter(self, doc: Any) -> bool:
        from filters.language_text import prepare, sample

        if self.model is None:
            from fasttext.FastText import _FastText

            self.model = _FastText(self.path)
        labels, scores = self.model.predict([prepare(sample(doc.text))])
        doc.metadata["language"], doc.metadata["language_score"] = labels[0][0], float(scores[0][0])
        return doc.metadata["language_score"] > _LANGUAGE_SCORE


def main(archives: str, output: str, model: str, files: int, workers: int) -> None:
    out = Path(output)
    seconds: dict[str, float] = {}

    def run(stage: str, pipeline: list[Any], tasks: int) -> Any:
        start, logs = time.monotonic(), str(out / "logs" / stage)
        stats = LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(tasks, workers), logging_dir=logs).run()
        seconds[stage] = time.monotonic() - start
        return stats

    def rejects(stage: str) -> JsonlWriter:
        return JsonlWriter(str(out / "rejects" / stage))

    read = run("extract", [
        WarcReader(archives, glob_pattern="*.warc.gz"), Trafilatura(timeout=_DEADLINE_S),
        Language(model, rejects("language")), GopherQualityFilter(exclusion_writer=rejects("quality")),
        JsonlWriter(str(out / "filtered")),
    ], files)  # fmt: skip
    config = MinhashConfig()
    run("signatures", [
        JsonlReader(str(out / "filtered")), MinhashDedupSignature(str(out / "signatures"), config),
    ], files)  # fmt: skip
    buckets = [MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config)]
    run("buckets", buckets, config.num_buckets)
    run("clusters", [MinhashDedupCluster(str(out / "buckets"), str(out / "remove"), config=config)], 1)
    run("kept", [
        JsonlReader(str(out / "filtered")), MinhashDedupFilter(str(out / "remove"), rejects("dedup")),
        JsonlWriter(str(out / "kept")),
    ], files)  # fmt: skip
    reader, extractor = (json.loads(step.to_json()) for step in read.stats[:2])
    print(json.dumps({"read": reader["stats"], "extract": extractor["stats"], "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5]))
