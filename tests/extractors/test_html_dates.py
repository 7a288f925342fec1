import pytest
from lxml.html import document_fromstring

from extractors import html_dates, html_tree


def near(body: str, language: str | None = None, latest: str = "2030-01-01") -> str | None:
    nodes = html_tree.read(document_fromstring(f"<html><body>{body}</body></html>"))
    return html_dates.near(nodes, 0, language, latest)


@pytest.mark.parametrize(
    ("line", "language", "date"),
    [
        ("2012-01-17 10:00", None, "2012-01-17"),
        ("日期：2012.1.7", "zh", "2012-01-07"),
        ("2012年1月12日 17:09", "zh", "2012-01-12"),
        ("dodano: 3.01.2012, 19:30", "pl", "2012-01-03"),
        ("13/04/2012", None, "2012-04-13"),
        ("03/04/2012", "fr", "2012-04-03"),
        ("03/04/2012", "en", None),
        ("Published: January 11, 2012", None, "2012-01-11"),
        ("le 1er août 2014", "fr", "2014-08-01"),
        ("17 января 2012, 17:21", None, "2012-01-17"),
        ("17 de abril de 2012", "pt", "2012-04-17"),
        ("4 listopada 2012", "pl", "2012-11-04"),
        ("31 February 2012", None, None),
        ("5 Harbours 2012", "en", None),
        ("call 202 555 2012", None, None),
        ("12.34.2012.17", None, None),
    ],
)
def test_lines_with_dates(line: str, language: str | None, date: str | None) -> None:
    assert near(f"<h1>Title</h1><div>{line}</div>", language) == date


def test_the_line_next_to_the_heading_counts() -> None:
    body = "<div>1 May 2010</div><h1>Title</h1><p>Old <b>2 May</b> 2011</p><p>3 May 2012</p>"
    assert near(body) == "2011-05-02"
    assert near("<div>1 May 2010</div><div>2 May 2010</div><h1>Title</h1><p>No date</p>") == "2010-05-02"


def test_long_lines_and_later_dates_are_passed_over() -> None:
    assert near("<h1>T</h1><p>" + "The port was opened on 3 May 1999 by the king. " * 4 + "</p>") is None
    assert near("<h1>T</h1><p>3 May 2012</p>", latest="2012-05-02") is None
