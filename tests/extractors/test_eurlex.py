from __future__ import annotations

import re
import statistics
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import act_parts, eurlex, markup

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "eurlex"
NOTICE_ONLY = {"12010E113", "12010E114", "12010E115", "12010E294", "32001L0004"}
"""Portal pages that were stored without the text of the act."""
QUOTES_ONLY = "12012JN05-08"
"""A page whose only headings of articles are of those that it inserts elsewhere."""
APPARATUS = re.compile(r"(?:oj-)?hd-(?:date|lg|ti|oj|coll|uniq)|reference|disclaimer|arrow|modref")
MENU = ("EUR-Lex Access to European Union law", "Sign in", "Mon EUR-Lex", "My EUR-Lex", "Multilingual display")

TEXT_ONLY = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"><html lang="EN"><head>
<meta name="DC.language" content="FR">
<meta name="DC.source" content="Official Journal 013 , 21/02/1962 P. 0204 - 0211; special edition">
<meta http-equiv="Content-Type" content="text/html; charset=UNICODE-1-1-UTF-8">
<title>EUR-Lex - 31962R0017 - FR</title></head><body><div id="banner"><div class="bglang"><p class="bglang">
<a class="langue" href="http://europa.eu.int/eur-lex/lex/fr/legal.htm"><b>Avis juridique</b></a></p></div></div>
<h1>31962R0017</h1><p><strong>Premier règlement  </strong><br><em><br>Journal officiel 013</em></p>
<div id="TexteOnly"><p><TXT_TE><p>PREMIER RÈGLEMENT</p><p> Article premier</p><p> 1. Texte.
</p><p> </p></TXT_TE></p></div></body></html>"""

MODERN = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML//EN" "xhtml-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>L_202400001EN.000101.fmx.xml</title></head><body>
<table><tr><td><p class="oj-hd-date">5.2.2024</p></td><td><p class="oj-hd-lg">EN</p></td>
<td><p class="oj-hd-ti">Official Journal</p></td></tr></table><hr class="oj-separator"/>
<div class="eli-container"><div class="eli-main-title" id="tit_1"><p class="oj-doc-ti">REGULATION (EU) 2024/1</p>
<p class="oj-doc-ti">on samples</p></div><div class="eli-subdivision" id="pbl_1"><p class="oj-normal">Whereas:</p>
<div class="eli-subdivision" id="rct_1"><table><col width="4%"/><tbody><tr><td><p class="oj-normal">(1)</p></td>
<td><p class="oj-normal">A recital<a id="ntc1" href="#ntr1"> (<span class="oj-super">1</span>)</a>.</p></td></tr>
</tbody></table></div></div><div class="eli-subdivision" id="art_1"><p class="oj-ti-art">Article 1</p>
<div class="eli-title" id="art_1.tit_1"><p class="oj-sti-art">Scope</p></div><p class="oj-normal">Text:</p>
<table><tr><td><p>(a)</p></td><td><p>point; <a name="x"/>and</p></td></tr></table></div>
<p class="oj-ti-art">‘Article 9 (quoted)</p>
<table class="oj-table"><tr><td><p class="oj-tbl-hdr">Name</p></td><td><p class="oj-tbl-hdr">Rate</p></td></tr>
<tr><td rowspan="2"><p>Wine</p></td><td><p>12</p></td></tr><tr><td><p>13</p></td></tr></table>
<p class="oj-doc-ti">ANNEX</p></div><hr class="oj-note"/>
<p class="oj-note"><a id="ntr1" href="#ntc1">(<span class="oj-super">1</span>)</a>  A note.</p></body></html>"""

CONSOLIDATED = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Consolidated TEXT: 32015R2378 — EN —
01.01.2017</title></head><body><p class="reference">2015R2378 — EN — 01.01.2017 — 001.001</p>
<p class="disclaimer">This text has no legal effect.</p><table><tr><td><p class="arrow"><a href="x">►B</a></p></td><td>
<p class="title-doc-first">REGULATION</p><p class="title-doc-last">on forms</p></td></tr></table>
<p class="modref">▼M1</p><p class="title-article-norm">Article 1</p><p class="norm">1.  Text.</p></body></html>"""


def portal(document: str) -> str:
    return f"""<html lang="en"><head><meta name="WT.z_docID" content="12006E044"/>
    <meta property="eli:date_publication" content="2006-12-29"/></head><body><nav>Sign in</nav>
    <div id="MainContent"><div id="documentView"><div id="PP1Contents">Access initial legal act</div>{document}
    </div></div><footer>About EUR-Lex</footer></body></html>"""


SHOWN = """<div id="text"><div id="textTabContent"><div id="document1" class="tabContent"><div id="banner">
<a class="langue" href="/eur-lex/lex/es/legal.htm">Aviso</a></div><h1>12006E044</h1><p><strong>Tratado</strong></p>
<div id="TexteOnly"><p><txt_te><p>Artículo 44</p></txt_te></p></div></div></div></div>"""


def read(page: str, **kwargs: str) -> eurlex.Extract:
    return eurlex.extract_html(page.encode(), **kwargs)


def parts(result: eurlex.Extract) -> list[tuple[str, str | None, str | None, str]]:
    """Kind, anchor, heading and first characters of each section."""
    return [
        (kind, anchor, heading, result.text[start : start + 10].partition("\n")[0])
        for start, kind, anchor, heading in result.sections
    ]


def test_text_only_page():
    result = read(TEXT_ONLY)
    assert result.text == "PREMIER RÈGLEMENT\nArticle premier\n1. Texte."
    assert (result.title, result.date, result.language) == ("Premier règlement", "1962-02-21", "fr")
    assert result.meta == {"articles": 1, "celex": "31962R0017"} and result.error is None
    assert result.sections == [
        (0, "title", "tit_1", "PREMIER RÈGLEMENT"),
        (18, "article", "art_1", "Article premier"),
    ]


def test_modern_journal_page():
    result = read(MODERN)
    assert result.text.splitlines() == [
        "REGULATION (EU) 2024/1",
        "on samples",
        "Whereas:",
        "(1) A recital (1).",
        "Article 1",
        "Scope",
        "Text:",
        "(a) point; and",
        "‘Article 9 (quoted)",
        "Name Rate",
        "Wine 12",
        "13",
        "ANNEX",
        "(1) A note.",
    ]
    assert (result.title, result.date, result.language) == ("REGULATION (EU) 2024/1 on samples", "2024-02-05", "en")
    assert result.meta == {"articles": 1}
    assert parts(result) == [
        ("title", "tit_1", "REGULATION (EU) 2024/1 on samples", "REGULATION"),
        ("recital", "rct_1", None, "(1) A reci"),
        ("article", "art_1", "Article 1 Scope", "Article 1"),
        ("annex", "anx_1", "ANNEX", "ANNEX"),
        ("note", "anx_1.ntr_1", None, "(1) A note"),
    ]


def test_convex_page_has_the_same_parts_by_its_classes():
    convex = MODERN.replace("oj-", "").replace('id="art_', 'id="d1e').replace('id="rct_', 'id="d2e')
    convex = convex.replace('id="tit_', 'id="d3e').replace('id="ntr1"', "")
    result = read(convex.replace('<p class="doc-ti">ANNEX', '</div><div id="anx_1"><p class="doc-ti">ANNEX'))
    assert result.title == "REGULATION (EU) 2024/1 on samples"
    assert "Official Journal" not in result.text
    assert parts(result) == parts(read(MODERN)) and result.meta == {"articles": 1}


def test_wrong_identifiers_of_annexes_give_way_to_their_headings():
    annexes = "".join(
        f'<div class="eli-container" id="anx_{given}"><p class="oj-doc-ti">ANNEX {said}</p><p>Text</p></div>'
        for given, said in (("I", "VIII"), ("I", "IX"), ("", "X"))
    )
    assert [part[1] for part in parts(read(f"<html><body>{annexes}</body></html>"))] == ["anx_VIII", "anx_IX", "anx_X"]


def test_letters_of_official_anchors_are_those_of_english():
    page = (
        "<div id='cpt_VIBIS'><p class='oj-ti-section-1'>CHAPITRE VI bis</p><div id='art_5bis'>Article 5 bis</div></div>"
    )
    assert [part[1] for part in parts(read(f"<html><body>{page}</body></html>"))] == ["cpt_VIA", "art_5a"]


def test_notes_of_tables_are_no_parts():
    page = "<div id='art_1'><p>Article 1</p><table><tr><td><p class='oj-note'>(1) x</p></td></tr></table>Text</div>"
    assert [part[0] for part in parts(read(f"<html><body>{page}</body></html>"))] == ["article"]


def test_grids_and_marks_of_consolidations_are_read_as_printed():
    grid = """<div class="grid-container grid-list"><div class="list grid-list-column-1"><span>(a)</span></div>
    <div class="grid-list-column-2"><p class="norm">a <a href="x" title="32001R0001: REPLACED">►M1</a> point ◄;</p>
</div>
    </div><div class="norm"><span class="no-parag">2.</span><div class="norm inline-element">Text</div></div>"""
    result = read(CONSOLIDATED.replace("</body>", grid + "</body>"))
    assert result.text.splitlines()[-2:] == ["(a) a point ;", "2.Text"]


def test_consolidated_page_loses_its_apparatus():
    result = read(CONSOLIDATED)
    assert result.text == "REGULATION\non forms\nArticle 1\n1. Text."
    assert (result.title, result.language) == ("REGULATION on forms", "en")
    assert result.meta == {"articles": 1, "celex": "32015R2378"}


def test_portal_page_gives_the_document_shown():
    result = read(portal(SHOWN))
    assert (result.text, result.title, result.language) == ("Artículo 44", "Tratado", "es")
    assert (result.date, result.meta["celex"]) == ("2006-12-29", "12006E044")


def test_portal_page_around_a_modern_document():
    inner = MODERN[MODERN.index("<table>") : MODERN.index("</body>")]
    result = read(portal(f'<div id="document1">{inner}</div>'))
    assert result.text == read(MODERN).text
    assert result.meta["articles"] == 1


def test_portal_page_without_the_act_is_an_error():
    for page in (portal(""), portal('<div id="document1"> </div>')):
        result = read(page)
        assert result.text == "" and "notice" in (result.error or "")


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><p>The requested document does not exist.</p></body></html>",
        "<html><body><h1>403 ERROR</h1>The request could not be satisfied.<hr>Request blocked.</body></html>",
        "<html><head><script>window.gokuProps = {};</script></head><body><div id=challenge></div></body></html>",
        "<html><body></body></html>",
        "",
        "just words",
    ],
)
def test_pages_that_are_no_act_are_errors(page):
    result = read(page)
    assert result.error and result.text == ""


def test_long_act_may_quote_a_refusal():
    page = f"<html><body><p>{'word ' * 1000}the requested document does not exist</p></body></html>"
    assert read(page).error is None


def test_given_language_is_the_fallback_only():
    assert read("<p>text</p>", language="SV").language == "sv"
    assert read(TEXT_ONLY, language="SV").language == "fr"


def test_damaged_xhtml_is_read_as_html():
    cut = MODERN[: MODERN.index("point;")]
    assert read(cut).text.endswith("Text:\n(a)")
    assert read(MODERN.replace('<hr class="oj-note"/>', "<hr><p>un&nbsp;closed <b>tag")).error is None


def test_root_with_a_class_of_the_apparatus():
    assert read('<?xml version="1.0"?><p class="hd-lg">EN</p>').error is None


@pytest.mark.parametrize(
    ("path", "celex", "language", "kind"),
    [
        ("32016R0679/EN.html", "32016R0679", "en", "html"),
        ("a/b/32016R0679/fr.pdf", "32016R0679", "fr", "pdf"),
        ("32006L0112R(01)/EN.html", "32006L0112R(01)", "en", "html"),
        ("x/32016R0679_Ga.xml", "32016R0679", "ga", "xml"),
        ("12012M-TXT_FR.pdf", "12012M/TXT", "fr", "pdf"),
        ("12012M_TXT_FR.pdf", "12012M/TXT", "fr", "pdf"),
        ("12003TN02-18-A/EN.html", "12003TN02/18/A", "en", "html"),
        ("12012JN05-08/EN.html", "12012JN05/08", "en", "html"),
        ("12006E044/EN.html", "12006E044", "en", "html"),
        ("02015R2378-20170101_EN.html", "02015R2378-20170101", "en", "html"),
        ("02016M-TXT-20200301/EN.html", "02016M/TXT-20200301", "en", "html"),
        ("62014CJ0362_DE.html", "62014CJ0362", "de", "html"),
        ("52016XC0123(01)/MT.html", "52016XC0123(01)", "mt", "html"),
        ("C2023X0001/EN.xml", "C2023X0001", "en", "xml"),
    ],
)
def test_identify_reads_both_layouts(path, celex, language, kind):
    assert eurlex.identify(path) == {"celex": celex, "language": language, "format": kind}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "EN.html",
        "32016R0679.html",
        "32016R0679/XX.html",
        "32016R0679/EN.txt",
        "32016R0679_EN.truth.html",
        "32016R0679/EN/page.html",
        "92016-report_EN.pdf",
        "3216R0679/EN.html",
        "32016r0679/EN.html",
        "32016R06/EN.html",
        "02015R2378-20171301/EN.html",
        "UDHR_EN.pdf",
        "article_en.pdf",
        "32016R0679\n/EN.html",
    ],
)
def test_identify_refuses_other_paths(path):
    assert eurlex.identify(path) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([MODERN, TEXT_ONLY, portal(SHOWN), ""]), st.integers(0, 3000))
def test_any_bytes_give_text_or_an_error(noise, page, cut):
    source = page.encode()
    result = eurlex.extract_html(source[:cut] + noise + source[cut:])
    assert (result.error is None) == bool(result.text)
    assert "\0" not in result.text


def test_long_names_are_judged_at_once():
    started = time.perf_counter()
    assert eurlex.identify(f"12012M{'/TXT' * 5000}x_EN.html") is None
    assert read(f"<html><title>12012M{'/TXT' * 5000}x</title><body>text</body></html>").error is None
    assert time.perf_counter() - started < 2


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="/_-.()0123456789ENRTXhtml", max_size=60))
def test_identify_answers_any_path(path):
    found = eurlex.identify(path)
    assert found is None or eurlex.CELEX.fullmatch(found["celex"])


@pytest.fixture(scope="module")
def acts() -> dict[tuple[str, str], eurlex.Extract]:
    files = sorted(DATA.glob("*/*.html"))
    if not files:
        pytest.skip("no real data beside the project")
    return {(path.parent.name, path.stem): eurlex.extract_html(path.read_bytes()) for path in files}


@pytest.mark.real
def test_real_acts_have_text_title_date_and_language(acts):
    failed = {celex for (celex, _), act in acts.items() if act.error}
    assert failed == NOTICE_ONLY and len(acts) > 300
    for (celex, language), act in acts.items():
        if celex in NOTICE_ONLY:
            assert "notice" in (act.error or "")
            continue
        # Two treaty articles were stored from the portal in a language other than the one asked for.
        assert act.language == language.lower() or celex in {"12006E044", "12006E095"}
        assert act.title and len(act.text) > 500, celex
        assert act.date or celex == "32015R2378"
        assert not any(words in act.text for words in MENU), celex
        assert act.meta.get("celex", celex.replace("-", "/")) == celex.replace("-", "/")


@pytest.mark.real
def test_real_articles_are_counted_where_they_are_marked(acts):
    for (celex, language), act in acts.items():
        source = (DATA / celex / f"{language}.html").read_bytes()
        if act.error is None and (b'ti-art"' in source or b'"title-article-norm"' in source) and celex != QUOTES_ONLY:
            assert act.meta["articles"] > 0, celex


@pytest.mark.real
def test_real_french_and_english_texts_match_in_length_and_articles(acts):
    pairs = [(acts[c, "EN"], acts[c, "FR"]) for c, language in acts if language == "EN" and (c, "FR") in acts]
    pairs = [(en, fr) for en, fr in pairs if not en.error]
    ratios = [len(fr.text) / len(en.text) for en, fr in pairs]
    assert sum(0.95 < ratio < 1.35 for ratio in ratios) >= 0.97 * len(ratios)
    assert sum(en.meta["articles"] == fr.meta["articles"] for en, fr in pairs) >= 0.99 * len(pairs)
    assert 1.0 < statistics.median(ratios) < 1.25


@pytest.mark.real
def test_real_french_and_english_parts_have_the_same_anchors(acts):
    pairs = [(acts[c, "EN"], acts[c, "FR"]) for c, language in acts if language == "EN" and (c, "FR") in acts]
    pairs = [(en, fr) for en, fr in pairs if not en.error]
    for kind, share in {"article": 1.0, "annex": 1.0, "note": 1.0, "recital": 0.97, "section": 0.99}.items():
        named = [[[part[2] for part in act.sections if part[1] == kind] for act in pair] for pair in pairs]
        assert sum(en == fr for en, fr in named) >= share * len(pairs), kind
        assert sum(bool(en) for en, _ in named) > 20


@pytest.mark.real
def test_real_parts_start_with_their_heading_or_number(acts):
    for (celex, _), act in acts.items():
        assert bool(act.sections) == (act.error is None)
        for start, kind, anchor, heading in act.sections:
            assert kind != "article" or anchor, celex
            if heading:
                assert act.text[start : start + 1000].replace("\n", " ").startswith(heading), (celex, anchor)
            elif kind == "note":
                assert act.text[start] in "(*", (celex, anchor)


@pytest.mark.real
def test_real_articles_are_found_without_markup_as_they_are_marked(acts):
    for (celex, language), act in acts.items():
        if act.error is None and b"eli-subdivision" in (DATA / celex / f"{language}.html").read_bytes():
            for kind in ("article", "recital"):
                marked = [part[:3] for part in act.sections if part[1] == kind]
                assert [part[:3] for part in act_parts.of_lines(act.text) if part[1] == kind] == marked, celex


@pytest.mark.real
def test_real_texts_hold_every_character_of_the_act(acts):
    for (celex, language), act in acts.items():
        if act.error:
            continue
        body = eurlex.act(eurlex.parse((DATA / celex / f"{language}.html").read_bytes()))
        nodes = list(body.iter("{*}p", "{*}div"))
        markup.remove(node for node in nodes if APPARATUS.fullmatch(node.get("class") or ""))
        body = next((node for node in nodes if node.get("id") == "TexteOnly"), body)
        printed = unicodedata.normalize("NFC", "".join(body.itertext()))
        assert "".join(printed.split()) == "".join(act.text.split()), celex


@pytest.mark.real
def test_real_paths_are_identified():
    paths = sorted(DATA.glob("*/*.html"))
    if not paths:
        pytest.skip("no real data beside the project")
    for path in paths:
        found = eurlex.identify(path.relative_to(DATA).as_posix())
        assert found and found["celex"].replace("/", "-") == path.parent.name


def test_hundred_articles_take_well_under_a_second():
    article = MODERN[
        MODERN.index('<div class="eli-subdivision" id="art_1"') : MODERN.index('<p class="oj-doc-ti">ANNEX')
    ]
    page = f"<html><body>{article * 100}</body></html>"
    started = time.perf_counter()
    assert read(page).error is None
    assert time.perf_counter() - started < 2
