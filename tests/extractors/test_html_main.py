import sys
from typing import Any

import pytest
from lxml.html import document_fromstring

from extractors.html_blocks import plain
from extractors.html_evidence import ARTICLE, ARTICLE_TAG, CAPTION, COMMENTS, CONTENT, HIDDEN, JUNK, MAIN, STORY, marks
from extractors.html_main import main

PROSE = [
    "The quay was built of stone from the hills, and it was rebuilt twice after the great floods of that century.",
    "Ships from the north brought timber and tar, and took back salt, cloth and the wine of the upper valley.",
    "When the railway came, the harbour lost most of its trade within ten years, and the crane was sold for scrap.",
    "What remains of it is a wall, two rusty rings and the house of the harbour master, which is now a library.",
]
MENU = "<div class=x><ul>" + "".join(f"<li><a href=/{i}>Section {i}</a></li>" for i in range(12)) + "</ul></div>"
TEASERS = "".join(f"<div><a href=/{i}>Something else happened in town number {i}</a></div>" for i in range(12))


def text(body: str) -> str:
    return plain(main(document_fromstring(f"<html><body>{body}</body></html>")).blocks)


def paragraphs(tag: str = "p") -> str:
    return "".join(f"<{tag}>{sentence}</{tag}>" for sentence in PROSE)


ALL = "\n".join(PROSE)


@pytest.mark.parametrize(
    "body",
    [
        f"{MENU}<div class=post-content>{paragraphs()}</div>{TEASERS}",
        f"{MENU}<div id=x>{paragraphs()}</div>{TEASERS}",
        f"{MENU}<div id=x>{paragraphs('div')}</div>{TEASERS}",
        f"{MENU}<div id=x>{'<br><br>'.join(PROSE)}</div>{TEASERS}",
        f"<table><tr><td>{MENU}</td><td>{'<br>'.join(PROSE)}</td><td>{TEASERS}</td></tr></table>",
        f"<table><tr><td>{MENU}</td><td><table><tr><td>{paragraphs()}</td></tr></table></td></tr></table>",
        f"<form action=/all>{MENU}<div>{paragraphs()}</div>{TEASERS}</form>",
        f"<nav>{MENU}<div>{paragraphs()}</div></nav>",
        f"<div class=sidebar>{MENU}<div>{paragraphs()}</div></div>",
        f"<article><div class=share>Share this</div>{paragraphs()}</article><article>{TEASERS}</article>",
        f"<div class=entry-content>{paragraphs()}<div class=comments-title>3 replies</div></div>"
        f"<div id=comments><p>{PROSE[0]} I said so.</p></div>",
        f"<div>{paragraphs()}</div><div class=footer><p>All rights reserved by the port authority.</p></div>",
        f"<article>{paragraphs()}<div class=image-caption>The old crane in about 1900, by an unknown.</div></article>",
    ],
    ids=["named", "paragraphs", "divs", "breaks", "columns", "nested tables", "form", "unclosed menu", "misnamed",
         "articles", "comments", "footer", "caption"],
)  # fmt: skip
def test_main_text(body: str) -> None:
    assert text(body) == ALL


def test_standfirst_between_heading_and_text() -> None:
    lead = "Once the largest port of the river, it has been asleep for more than a hundred years."
    body = f"{MENU}<h1>Quay</h1><div>5 May</div><div>{lead}</div>{TEASERS}<div>{paragraphs()}</div>"
    assert text(body) == f"Quay\n{lead}\n{ALL}"


def test_a_small_element_with_a_good_name_is_not_the_main_text() -> None:
    assert text(f"<div class=post-body><p>Hello.</p><p>Hi.</p></div>{TEASERS}<div>{paragraphs()}</div>") == ALL


def test_posts_of_a_forum_are_no_comments() -> None:
    post = f"<div class=comment><p>{PROSE[0]}</p><p>{PROSE[1]}</p></div><div class=comment><p>{PROSE[2]}</p></div>"
    script = '<script type="application/ld+json">{"@type": "DiscussionForumPosting"}</script>'
    assert text(script + post) == "\n".join(PROSE[:3])
    assert text(f"<div>{paragraphs()}</div>{post}") == ALL


def test_the_next_article_on_an_endless_page_is_another() -> None:
    more = f"<div class=infinite-scroll><h2>Next</h2>{paragraphs().replace('harbour', 'airport')}</div>"
    assert text(f"<div>{paragraphs()}</div>{more}") == ALL
    whole = f"<div class=infinite-scroll><h1>This</h1>{paragraphs()}</div>"
    assert text(whole).endswith(ALL)


def test_no_main_text() -> None:
    assert text("") == ""
    assert text("<script>var text = 'This is no text.'</script><svg><text>Nor is this.</text></svg>") == ""


def test_a_page_of_links_is_its_links() -> None:
    assert text(MENU).split("\n") == [f"Section {i}" for i in range(12)]


@pytest.mark.parametrize(
    ("tag", "attributes", "expected"),
    [
        ("div", {"class": "articleBody"}, ARTICLE),
        ("div", {"class": "article__body"}, ARTICLE),
        ("section", {"itemprop": "articleBody"}, ARTICLE),
        ("article", {"class": "x"}, ARTICLE_TAG),
        ("div", {"class": "story-content"}, STORY),
        ("div", {"id": "content"}, CONTENT),
        ("div", {"role": "main"}, MAIN),
        ("span", {"class": "article-body"}, 0),
        ("div", {"class": "navbar top"}, JUNK),
        ("ul", {"id": "mainMenu"}, JUNK),
        ("div", {"role": "navigation"}, JUNK),
        ("article", {"class": "x sidebar"}, ARTICLE_TAG),
        ("div", {"class": "google-ads"}, JUNK),
        ("div", {"class": "shadow roads"}, 0),
        ("div", {"class": "barcelona"}, 0),
        ("dt", {"id": "django.middleware.XFrameOptionsMiddleware"}, 0),
        ("p", {"style": "color:red;display:none"}, HIDDEN),
        ("p", {"hidden": ""}, HIDDEN),
        ("div", {"class": "field--label-hidden"}, 0),
        ("div", {"class": "wp-caption"}, CAPTION),
        ("div", {"id": "comments"}, COMMENTS),
        ("div", {"id": "commentary"}, 0),
    ],
)
def test_marks(tag: str, attributes: dict[str, str], expected: int) -> None:
    assert marks(tag, attributes) == expected
    assert marks(tag, dict.fromkeys(attributes, "x" * 10_000)) >= 0


@pytest.mark.parametrize(
    "body",
    ["<div class=share>x</div>", "<a href=x>link</a> ", "<li><a href=x>link</a>", "<td>cell", "<tr><td>cell<td>b",
     "<h1>x</h1>", "<ul><li>x", "<p><a>x</a>", "<div><p>x</p></div>"],
)  # fmt: skip
def test_work_grows_with_the_page_and_no_faster(body: str) -> None:
    few, many = (_lines_run(f"<html><body>{body * n}</body></html>") for n in (100, 800))
    assert many < 12 * few


def _lines_run(page: str) -> int:
    """Lines of Python that finding the main text executes."""
    tree, count = document_fromstring(page), 0

    def trace(frame: object, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        main(tree)
    finally:
        sys.settrace(before)
    return count
