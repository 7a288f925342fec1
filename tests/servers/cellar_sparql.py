"""The queries that the CELLAR of the tests understands: each line of a known form, and no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from servers.cellar_works import ISO, URI, Work


def rows(works: Mapping[str, Work], query: str) -> list[dict[str, str]]:
    found = re.fullmatch(r"(?:PREFIX \w+: <[^>]+>\n)+SELECT DISTINCT ([?\w ]+) WHERE \{\n(.*)\n\}(.*)", query, re.S)
    if not found:
        raise ValueError("syntax error")
    lines = [line.strip() for line in found[2].splitlines()]
    if "?item" in found[1]:
        return _inventory(works, lines)
    order = re.fullmatch(r" ORDER BY \?celex LIMIT (\d+)", found[3])
    if not order:
        raise ValueError("a selection without order")
    rows = []
    for work in sorted(works.values(), key=lambda work: work.celex):
        base = _base(works, lines, work)
        if base and all(_holds(line, work, base) for line in lines):
            row = {"celex": work.celex, "work": f"{URI}/cellar/{work.id}"}
            rows.append(row | ({"base": base.celex} if "?base" in found[1] else {}))
    return rows[: int(order[1])]


def _base(works: Mapping[str, Work], lines: list[str], work: Work) -> Work | None:
    """The act that a work belongs to in a selection of related works, else the work itself."""
    named = {"resource_legal_corrects_resource_legal": work.corrects}
    named["act_consolidated_consolidates_resource_legal"] = work.consolidates
    for line in lines:
        found = re.fullmatch(r"\?work cdm:(\w+) \?act \.", line)
        if found and found[1] in named:
            return works.get(named[found[1]])
    return work


def _inventory(works: Mapping[str, Work], lines: list[str]) -> list[dict[str, str]]:
    expected = {
        "?work cdm:resource_legal_id_celex ?celex .", "?expression cdm:expression_belongs_to_work ?work .",
        "?expression cdm:expression_uses_language ?language .", "?manifestation cdm:manifestation_type ?type .",
        "?manifestation cdm:manifestation_manifests_expression ?expression .",
        "?item cdm:item_belongs_to_manifestation ?manifestation .",
    }  # fmt: skip
    if set(lines[1:]) != expected:
        raise ValueError("an inventory of another form")
    rows = []
    for celex in _literals(lines[0], "?celex"):
        work = works.get(celex)
        if work is None:
            continue
        for end, (language, type, files) in work.manifestations().items():
            uri = f"{URI}/cellar/{work.id}"
            about = {"celex": celex, "work": uri, "type": type}
            about["language"] = f"{URI}/authority/language/{ISO[language].upper()}"
            rows += [{**about, "item": f"{uri}.{end}/DOC_{number}"} for number in range(1, len(files) + 1)]
    return rows


def _literals(line: str, name: str) -> list[str]:
    found = re.fullmatch(re.escape(f"VALUES {name}") + r' \{ ((?:"[^"\\]+"\^\^xsd:string ?)+)\}', line)
    if not found:
        raise ValueError(f"no list of {name}: {line}")
    return re.findall(r'"([^"]+)"', found[1])


def _holds(line: str, work: Work, base: Work) -> bool:
    """Whether a line of a selection holds for a work, or for the act that it belongs to. ValueError if unknown."""
    subject = r"\?(?:work|act) "
    if re.fullmatch(subject + r"cdm:resource_legal_id_celex \?(?:celex|base) \.", line):
        return True
    if re.fullmatch(
        r"\?work cdm:(?:resource_legal_corrects|act_consolidated_consolidates)_resource_legal \?act \.", line
    ):
        return True
    if re.fullmatch(subject + r"cdm:(?:work_has_resource-type \?type|work_date_document \?date) \.", line):
        return True
    if re.fullmatch(subject + r"cdm:resource_legal_is_about_concept_directory-code \?code \.", line):
        return bool(base.directory)
    if re.fullmatch(subject + r"cdm:work_is_about_concept_eurovoc \?concept \.", line):
        return bool(base.eurovoc)
    if line == "?work cmr:lastModificationDate ?modified .":
        return True
    if line.startswith(("VALUES ?celex", "VALUES ?base")):
        return base.celex in _literals(line, line.split()[1])
    if line.startswith(("VALUES ?type", "VALUES ?concept")):
        uris = re.findall(r"<([^<>]+)>", line)
        own = (
            f"{URI}/authority/resource-type/{base.type}"
            if "?type" in line
            else f"http://eurovoc.europa.eu/{base.eurovoc}"
        )
        return own in uris
    if re.fullmatch(r'FILTER\((?:STRSTARTS\(STR\(\?(?:celex|base|code)\), "[^"]+"\)(?: \|\| )?)+\)', line):
        own = f"{URI}/authority/dir-eu-legal-act/{base.directory}" if "?code" in line else base.celex
        return own.startswith(tuple(re.findall(r'"([^"]+)"', line)))
    if line == 'FILTER(!CONTAINS(STR(?celex), "R("))':
        return "R(" not in work.celex
    return _compared(line, work, base)


def _compared(line: str, work: Work, base: Work) -> bool:
    force = re.fullmatch(r'\?(?:work|act) cdm:resource_legal_in-force "(true|false)"\^\^xsd:boolean \.', line)
    if force:
        return base.in_force == (force[1] == "true")
    day = re.fullmatch(r'FILTER\(\?date (>=|<=) "(\d{4}-\d\d-\d\d)"\^\^xsd:date\)', line)
    if day:
        return base.day >= day[2] if day[1] == ">=" else base.day <= day[2]
    since = re.fullmatch(r'FILTER\(\?modified >= "([^"]+)Z"\^\^xsd:dateTime\)', line)
    if since:
        return work.modified >= datetime.fromisoformat(since[1]).replace(tzinfo=UTC)
    after = re.fullmatch(r'FILTER\(STR\(\?celex\) > "([^"]+)"\)', line)
    if after:
        return work.celex > after[1]
    raise ValueError(f"syntax error at {line!r}")
