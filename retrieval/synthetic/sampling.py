"""Stratified sampling as SWIM-IR has it: a passage is kept when its number is below its language's threshold."""

from __future__ import annotations

from collections.abc import Mapping

import xxhash


def thresholds(totals: Mapping[str, int], sample: int | Mapping[str, int]) -> dict[str, float]:
    """Inclusion threshold by language: I_th = D_sample / D_total, at most 1 (arXiv 2311.05800, section 3).

    Args:
        totals: passages there are, by language.
        sample: passages wanted, of every language or by language; languages that are not named have 0.
    """
    wanted = {language: sample if isinstance(sample, int) else sample.get(language, 0) for language in totals}
    return {language: min(1.0, wanted[language] / total) for language, total in totals.items() if total}


def number(id: str, seed: int) -> float:
    """A number from 0 to 1 that the id and the seed decide alone, alike likely everywhere (53 bits of XXH3-64)."""
    return (xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogatepass"), seed) >> 11) * 2.0**-53


def kept(id: str, language: str, rates: Mapping[str, float], seed: int) -> bool:
    """Whether the passage is in the sample; all of a language without a rate is."""
    return language not in rates or number(id, seed) < rates[language]
