"""Count which letter pairs words have, and write the table that tells text from letters put in the wrong place.

    python benchmarks/letter_pairs.py SENTENCES > extractors/letter_pairs.tsv

SENTENCES is a folder of `{language}.txt`. The table that ships was counted on the test sentences of lingua
(Apache-2.0), some 100,000 letters a language.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise
from math import log2
from pathlib import Path

from extractors.pdf_health import SCRIPTS, base_letter

LANGUAGES = {
    "latin": "hr cs da nl en et fi fr de hu ga it lv lt pl pt ro sk sl es sv ca eu cy is nb nn sq tr la",
    "greek": "el",
    "cyrillic": "bg ru uk be sr mk kk mn",
}


def main(folder: Path) -> None:
    print("# -log2 of a pair's share of all pairs within words, less 4, at most 9; of the language that has it most.")
    print("# A row a first letter, a digit a second one, both in the order of the rows.")
    for script, languages in LANGUAGES.items():
        shares = [_shares((folder / f"{language}.txt").read_text("utf-8")) for language in languages.split()]
        for first in SCRIPTS[script]:
            best = [max(share.get(first + second, 0) for share in shares) for second in SCRIPTS[script]]
            print(first, "".join(str(_cost(share)) for share in best), sep="\t")


def _shares(text: str) -> dict[str, float]:
    letters = "".join(base_letter(sign) or " " for sign in text)
    pairs = Counter(first + second for first, second in pairwise(letters) if " " not in (first, second))
    return {pair: count / pairs.total() for pair, count in pairs.items()}


def _cost(share: float) -> int:
    return 9 if not share else min(9, max(0, round(-log2(share)) - 4))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
