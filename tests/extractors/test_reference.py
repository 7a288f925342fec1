from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.markup import MarkupError
from extractors.reference import from_html, variants

TABLE = "<p>limits</p><table><tr><td>nitrate</td><th>50 mg/l</th></tr></table>"


def words(text: str) -> list[str]:
    return sorted(text.split())


def test_cells_of_html_are_read_twice() -> None:
    found = variants(TABLE.encode(), "a.html")
    assert words(found["json"]) == ["50", "50", "limits", "mg/l", "mg/l", "nitrate", "nitrate"]
    assert found["conversion"] == "limits nitrate 50 mg/l"
    assert found["table_text"] == "nitrate 50 mg/l"


def test_cells_of_nested_tables_are_repeated_and_scripts_left_out() -> None:
    inner = "<table><tr><td>b</td></tr></table>"
    html = f"<script>x</script><style>y</style><table><tr><td>a{inner}</td></tr></table>"
    found = variants(html.encode(), "a.html")
    # b: in the page, in the outer cell, and twice on its own, once for each table around it
    assert words(found["json"]) == ["a", "a", "b", "b", "b", "b"]
    assert found["table_text"] == "a b"


def test_full_stops_are_spaces_in_conversion() -> None:
    assert variants(b"<p>Art. 1.2</p> costs $ 5", "a.html")["conversion"] == "art 1 2 costs $5"
    assert variants(b"Art. 1.2\ncosts", "a.TXT") == {"json": "Art. 1.2 costs", "conversion": "art 1 2 costs"}


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><th>a</th><td>b</td></tr></table>",
        "<table><row><cell>a</cell><cell>b</cell></row></table>",
        "<table><tgroup><tbody><row><entry>a</entry><entry>b</entry></row></tbody></tgroup></table>",
        "<TBL><CORPUS><ROW><CELL>a</CELL><CELL>b</CELL></ROW></CORPUS></TBL>",
        "<tableau><tabtexte><tabligne><tabcelluled>a</tabcelluled><tabcelluled>b</tabcelluled></tabligne></tabtexte></tableau>",
    ],
)
def test_cells_of_every_vocabulary(table: str) -> None:
    found = variants(f"<doc><p>One</p>{table}</doc>".encode(), "a.xml")
    assert words(found["json"]) == ["One", "a", "a", "b", "b"]
    assert found["table_text"] == "a b"
    assert "table_text" not in variants(b"<doc><p>One</p><td>cell</td></doc>", "a.xml")


def test_what_is_no_markup_is_an_error() -> None:
    with pytest.raises(MarkupError):
        variants(b"<a>" * 5000, "a.xml")
    with pytest.raises(MarkupError):
        variants(b"", "a.html")


def test_nested_tables_make_no_bomb() -> None:
    html = "<table><tr><td>" * 60 + "word " * 10_000
    found = variants(html.encode(), "a.htm")
    assert 50_000 <= len(found["json"]) <= 10 * 51_000
    deep = variants(b"<div><table><td>" * 20_000 + b"x", "a.html")
    assert isinstance(deep["json"], str)


@given(st.text(alphabet="<>/tabledr \0&;!-'\"=\u00e9\ud800", max_size=200))
def test_any_page_has_a_text_or_an_error(html: str) -> None:
    try:
        found, _ = from_html(html)
    except MarkupError:
        return
    assert "  " not in found["json"] and "." not in found["conversion"]
