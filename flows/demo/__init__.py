"""The demonstration's inputs, made in code: invented pages, acts and articles, with the fate of each written down."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["make"]


def make(folder: Path) -> dict[str, int]:
    """Write the inputs below `folder` and return counts: `pages`, `acts`, `articles`, `files` and `bytes`.

    The same bytes every time. `pages` counts responses in `web/*.warc.gz`, `acts` and `articles` count works
    (`acts/{CELEX}/{LANG}.html` and `.pdf`, `articles/{id}.xml` and `.pdf`). `planted.json` has an entry for each
    response and file, by `url` or `file`, whose `expect` is one of

    - `kept`: a document of the corpus, unless a copy of it is kept in its place;
    - `copy`, `near copy`: has the text, or nearly the text, of the document named in `of`; one of them is kept;
    - `dropped`: can be read, and is not worth keeping;
    - `skipped`: no document;
    - `failed`: cannot be read.

    Raises:
        OSError: the folder cannot be written.
    """
    from flows.demo import acts, archive, articles

    web = archive.write(folder / "web")
    legal = acts.write(folder / "acts")
    scholarly = articles.write(folder / "articles")
    planted = [*web, *legal, *scholarly]
    text = json.dumps(planted, ensure_ascii=False, indent=1) + "\n"
    (folder / "planted.json").write_text(text, encoding="utf-8", newline="\n")
    written = {entry.get("archive") or entry["file"] for entry in planted} | {"planted.json"}
    return {
        "pages": len(web),
        "acts": len({entry["file"].split("/")[1] for entry in legal}),
        "articles": len({entry["file"].rpartition(".")[0] for entry in scholarly}),
        "files": len(written),
        "bytes": sum((folder / name).stat().st_size for name in written),
    }
