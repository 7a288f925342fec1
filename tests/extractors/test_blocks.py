from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from extractors.blocks import Layout, block_text, marked_text, names

LAYOUT = Layout(inline=names("b"), block=names("div p"), lead=names("no"), drop=names("x"))


def marked(source: str, *wanted: str) -> tuple[str, list[tuple[str, int, int]]]:
    root = etree.fromstring(source)
    text, spans = marked_text(root, LAYOUT, {node for node in root.iter() if node.tag in wanted})
    return text, [(node.tag, start, end) for start, end, node in spans]


def test_marked_elements_are_where_their_text_is():
    text, spans = marked("<div><p>one</p> <div><no>1</no><p>two <b>bold</b></p></div></div>", "no", "p", "b")
    assert text == "one\n1 two bold"
    assert [(tag, text[start:end]) for tag, start, end in spans] == [
        ("p", "one"),
        ("no", "1"),
        ("p", "two bold"),
        ("b", "bold"),
    ]


def test_outer_elements_come_before_inner_ones_of_one_extent():
    assert [tag for tag, *_ in marked("<div><div><p>same</p></div></div>", "div", "p")[1]] == ["div", "div", "p"]


def test_elements_without_text_have_no_place():
    assert marked("<div><p/><p> </p><x>gone</x>a</div>", "p", "x") == ("a", [])


def test_an_element_that_begins_inside_a_word_has_no_start():
    assert marked("<p>wo<b>rd</b></p>", "b") == ("word", [])


def test_places_hold_after_characters_are_composed():
    text, spans = marked("<div><p>e\u0301te\u0301</p><p>y<b>e\u0301</b>s</p><p>last</p></div>", "p")
    assert text == "été\nyés\nlast"
    assert [text[start:end] for _, start, end in spans] == ["été", "yés", "last"]


def test_marks_do_not_change_the_text():
    root = etree.fromstring("<div>a<p>b <b>c</b></p>d</div>")
    assert marked_text(root, LAYOUT, set(root.iter()))[0] == block_text(root, LAYOUT) == "a\nb c\nd"


TREES = st.recursive(
    st.text(alphabet="ab e\u0301\n", max_size=4),
    lambda inner: st.tuples(st.sampled_from(["p", "b", "div", "no", "tr", "td"]), st.lists(inner, max_size=4)),
    max_leaves=25,
)


def written(tree: str | tuple[str, list[object]]) -> str:
    if isinstance(tree, str):
        return tree
    return f"<{tree[0]}>{''.join(map(written, tree[1]))}</{tree[0]}>"


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_a_place_begins_with_the_first_word_of_its_element(tree):
    root = etree.fromstring(f"<div>{written(tree)}</div>")
    text, spans = marked_text(root, LAYOUT, set(root.iter()))
    assert text == block_text(root, LAYOUT) and unicodedata.is_normalized("NFC", text)
    assert [start for start, _, _ in spans] == sorted(start for start, _, _ in spans)
    for start, end, node in spans:
        inside = unicodedata.normalize("NFD", "".join(node.itertext())).split()[0]
        assert start < end <= len(text) and (start == 0 or text[start - 1] in " \n")
        assert unicodedata.normalize("NFD", text[start:end])[0] == inside[0]
