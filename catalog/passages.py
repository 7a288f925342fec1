"""Two views of a snapshot: the passages of its documents by their structure, and which of them are translations.

`retrieval.parallel` aligns the same passages of acts; chapters and the fields of articles too, and of several editions
of one act only that in most languages.
"""

from __future__ import annotations

RATIO, SLACK = 2.0, 20
"""A text may be so many times longer than its translation, and so many characters: for labels and short titles."""
SHARED = 0.2
"""Share of the numbers in a text or its translation that both must have."""
DENSITY = {"zh": 3, "yue": 3, "wuu": 3, "ja": 2, "ko": 2}
"""Latin letters that one character of a text in this language stands for, roughly."""

VIEWS = {
    "passages": "sections of kept documents as passages: `id`, `celex`, `language`, `kind`, `anchor`, `heading`, "
    '`start`, `end`; their text is `substr(text, start + 1, "end" - start)`. Each ends where the next section '
    "begins, an annex where what is outside of it does",
    "parallel": "recitals, articles, annexes and titles that one CELEX number has in two languages or more: `parallel` "
    "(the group: `celex:32016R0679#art_5`), `kind`, `language`, `id`, `start`, `end`. Left out is what is no sure "
    "translation: an anchor that one language has more often, unnumbered recitals of another count, equal texts, "
    "lengths or numbers that disagree",
}

_BLANK = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_IN_ANNEX = r"coalesce(x.anchor, '') LIKE 'anx\_%.%' ESCAPE '\'"


def passages(schema: str) -> str:
    """The query of the view `passages`."""
    return f'SELECT id, celex, language, kind, anchor, heading, start, "end" FROM ({_slices(schema)})'


def parallel(schema: str) -> str:
    """The query of the view `parallel`."""
    dense = " ".join(f"WHEN '{language}' THEN {letters}" for language, letters in DENSITY.items())
    return rf"""
        WITH slices AS (
            SELECT * EXCLUDE (text), regexp_replace(anchor, '~[0-9]+$', '') AS base,
                   length(text) * CASE language {dense} ELSE 1 END AS size,
                   hash(lower(regexp_replace(text, '\s+', ' ', 'g'))) AS said,
                   list_distinct(regexp_extract_all(text, '[0-9]{{2,}}')) AS numbers,
                   kind <> 'recital' OR regexp_extract(text, '^[^\pL\pN]*([0-9]+)', 1)
                       = regexp_extract(anchor, '[^_]*$') AS numbered
            FROM ({_slices(schema)}) WHERE celex IS NOT NULL AND anchor IS NOT NULL
        ),
        counted AS (
            SELECT *, count(*) OVER (PARTITION BY id, base) AS bases, count(*) OVER (PARTITION BY id, anchor) AS times,
                   count(*) FILTER (kind = 'recital') OVER (PARTITION BY id) AS recitals
            FROM slices JOIN (
                SELECT id FROM {schema}.corpus WHERE language <> 'und' QUALIFY row_number() OVER (
                    PARTITION BY celex, language ORDER BY declared_language IS NOT DISTINCT FROM language DESC, id) = 1
            ) USING (id)
        ),
        sure AS (
            SELECT * FROM counted WHERE kind IN ('recital', 'article', 'annex', 'title')
            QUALIFY min(bases) OVER (PARTITION BY celex, base) = max(bases) OVER (PARTITION BY celex, base)
                AND max(times) OVER (PARTITION BY celex, anchor) = 1
                AND (numbered OR min(recitals) OVER (PARTITION BY celex, kind)
                    = max(recitals) OVER (PARTITION BY celex, kind))
        ),
        kept AS (
            SELECT a.celex, a.anchor, a.kind, a.language, a.id, a.start, a."end"
            FROM sure a JOIN sure b ON a.celex = b.celex AND a.anchor = b.anchor AND a.id <> b.id
            GROUP BY ALL
            HAVING NOT bool_or(a.said = b.said)
                AND 2 * count(*) FILTER (
                    greatest(a.size, b.size) > {RATIO} * least(a.size, b.size) + {SLACK}
                ) <= count(*)
                AND 2 * count(*) FILTER (
                    len(a.numbers) > 0 AND len(b.numbers) > 0 AND len(list_intersect(a.numbers, b.numbers))
                        < {SHARED} * len(list_distinct(a.numbers || b.numbers))
                ) <= count(*)
        )
        SELECT 'celex:' || celex || '#' || anchor AS parallel, kind, language, id, start, "end"
        FROM kept QUALIFY count(*) OVER (PARTITION BY celex, anchor) > 1 ORDER BY parallel, language
    """


def _slices(schema: str) -> str:
    """Passages with their text. One pass over the documents: no row waits for another, so memory has a limit."""
    blank = "'" + _BLANK + "'"
    return rf"""
        SELECT id, celex, language, kind, anchor, heading, start + length(said) - length(ltrim(said, {blank})) AS start,
               start + length(rtrim(said, {blank})) AS "end", trim(said, {blank}) AS text
        FROM (
            SELECT * EXCLUDE (text), substr(text, start + 1, coalesce(
                CASE WHEN kind = 'annex' THEN [x FOR x IN outside IF x > start][1] ELSE starts[position + 1] END,
                length(text)) - start) AS said
            FROM (
                SELECT id, celex, language, text, [x.start FOR x IN sections] AS starts,
                       [x.start FOR x IN sections IF NOT {_IN_ANNEX}] AS outside,
                       generate_subscripts(sections, 1) AS position, unnest(sections, recursive := true)
                FROM {schema}.corpus
            )
        ) WHERE trim(said, {blank}) <> ''
    """
