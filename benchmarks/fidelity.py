"""How faithful texts are, and how fast they are made: florilege beside the engines that a user would pick instead.

    python -m benchmarks.fidelity ../shared/data [pdf|html]

Reads the PDFs (`pdf/index.tsv`, `pdf/typeset/index.tsv`) and web pages (`html/pages.warc.gz` and `gold.jsonl.gz`) of
the data folder with every engine in one process, file by file and page by page, so that all meet the same machine, and
prints quality beside speed. A file that an engine cannot read counts as an empty text.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import fidelity_html, fidelity_pdf
from benchmarks.fidelity_pdf import cases

__all__ = ["cases", "main"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with pdf/ and html/")
    parser.add_argument("kind", nargs="?", choices=["pdf", "html"], help="one of the two (default: both)")
    options = parser.parse_args()
    try:
        if options.kind != "html":
            for block in fidelity_pdf.tables(options.data):
                print(f"\n{block}", flush=True)
        if options.kind != "pdf":
            print(f"\n{fidelity_html.tables(options.data)}", flush=True)
    except FileNotFoundError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
