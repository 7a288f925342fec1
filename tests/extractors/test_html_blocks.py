import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import document_fromstring

from extractors.html_blocks import Block, blocks, markdown, plain
from extractors.html_tree import read


def written(body: str, loose: bool = True) -> list[Block]:
    return blocks(read(document_fromstring(f"<html><body>{body}</body></html>"))[0], loose)


SENTENCE = "The quay was built of stone from the hills, and rebuilt twice."


@pytest.mark.parametrize(
    ("body", "text", "marked"),
    [
        ("<h2>Port<a href=#p>¶</a></h2><p>a <b>b</b><i>c</i></p>", "Port\na bc", "## Port\n\na bc"),
        ("<p>one<br>two<br><br>three</p>", "one\ntwo\nthree", "one\\\ntwo\\\nthree"),
        ("<ul><li>a<li>b<ol><li>c<li><p>d</p><p>e</p></ol></ul>", "a\nb\nc\nd\ne",
         "- a\n- b\n    1. c\n    2. d\n\n       e"),
        ("<dl><dt>t<dd>d</dl>", "t\nd", "- t\n- d"),
        ("<blockquote><p>q</p>r</blockquote>", "q\nr", "> q\n\n> r"),
        ("<pre>if a:\n    b  ```\n</pre>", "if a:\n    b  ```", "````\nif a:\n    b  ```\n````"),
        ("<table><tr><th>Port<th>Ships<tr><td>A|B<td>12<tr><td><td>x<br>y</table>", "Port | Ships\nA|B | 12\nx y",
         "| Port | Ships |\n| --- | --- |\n| A\\|B | 12 |\n|  | x y |"),
        ("<p># no *heading* 1. [a] <code>b_c</code></p><p>2. x</p>", "# no *heading* 1. [a] b_c\n2. x",
         "\\# no \\*heading\\* 1. \\[a\\] b\\_c\n\n2\\. x"),
        ("<p>x <math alttext='E=mc^2'><mi>E</mi></math>.</p>", "x \\(E=mc^2\\).", "x \\\\(E=mc^2\\\\)."),
        ("<figure><img><figcaption>c</figcaption></figure><figure><table><tr><td>a<td>b</table></figure>",
         "a | b", "| a | b |\n| --- | --- |"),
        ("<p>word<script>x()</script> <span>more</span></p><ruby>漢<rt>kan</rt></ruby>字", "word more", "word more"),
    ],
)  # fmt: skip
def test_text_and_markdown(body: str, text: str, marked: str) -> None:
    found = written(body)
    assert plain(found) == text
    assert markdown(found) == marked


def test_loose_text_is_kept_where_it_reads_like_text() -> None:
    text = f"<div>{SENTENCE}</div>"
    body = f"<div>Menu</div>{text}<div>Label</div>{text}<div><a>A link that is long enough to be a sentence.</a></div>"
    assert plain(written(body)) == f"{SENTENCE}\nLabel\n{SENTENCE}"
    assert written(body, loose=False) == []


def test_links_after_an_article_are_left_out() -> None:
    body = f"<p>{SENTENCE * 3}</p><h3>Related</h3><p><a>Another article of the same paper</a></p>"
    assert plain(written(body)) == SENTENCE * 3
    listing = "<p>Ports</p>" + "<p><a>Another article of the same paper</a></p>" * 3
    assert plain(written(listing)).count("Another") == 3


def test_text_is_nfc_and_tidy() -> None:
    assert plain([Block("p", "Cafe\u0301 \xa0\n\u2028x ")]) == "Café\nx"


TAGS = [
    "<ul>",
    "<ol>",
    "<li>",
    "</ul>",
    "</li>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</tr>",
    "</table>",
    "<p>",
    "<div>",
    "</div>",
    "<pre>",
    "</pre>",
    "<blockquote>",
    "<dt>",
    "<span>",
    "<details>",
    "x.",
    "x.",
    "<br>",
]


@given(st.lists(st.sampled_from(TAGS), max_size=40))
def test_any_nesting_keeps_all_sentences(tags: list[str]) -> None:
    nodes = read(document_fromstring("<html><body><p>x.</p>" + " ".join(tags) + "</body></html>"))
    found = blocks(nodes[0], True)
    assert plain(found).count("x.") == 1 + tags.count("x.")
    assert markdown(found).count("x.") == 1 + tags.count("x.")


@pytest.mark.parametrize(
    ("block", "marked"),
    [
        (Block("p", "~~~"), "\\~~~"),
        (Block("p", "## no heading"), "\\## no heading"),
        (Block("p", "---"), "\\---"),
        (Block("p", ">no quotation"), "\\>no quotation"),
        (Block("p", "1. no list"), "1\\. no list"),
        (Block("p", "shown as &lt;b&gt;"), "shown as \\&lt;b\\&gt;"),
        (Block("head", "Language C #", 0, 2), "## Language C \\#"),
    ],
)
def test_what_looks_like_markdown_is_text(block: Block, marked: str) -> None:
    assert markdown([block]) == marked


def test_a_list_in_an_item_without_text_is_no_code() -> None:
    blocks = written("<article><ul><li><ul><li>inner item of the list</li></ul></li><li>outer item</li></ul></article>")
    assert markdown(blocks).startswith("- inner item of the list")
