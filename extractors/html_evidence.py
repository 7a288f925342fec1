"""What the names that authors give to parts of a page say about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

ARTICLE, ARTICLE_TAG, STORY, CONTENT, MAIN = (1 << i for i in range(5))
"""Marks of an element that holds the main text, the surest first."""
JUNK, HIDDEN, TEASER, CAPTION, COMMENTS, NEXT_PAGE = (1 << i for i in range(5, 11))

_NAME_LENGTH = 200
_ROOT_TAGS = {"article", "div", "main", "section"}
_JUNK_TAGS = {"div", "p", "section", "span", "ul", "ol", "dl", "li", "dd", "dt"}
_COMMENT_TAGS = {"div", "section", "details", "ul", "ol"}
_NEXT_PAGE_TAGS = {"div", "section"}

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Names are compared in lower case with hyphens: `articleBody`, `article_body` and `article-body` are one."""

_ARTICLE = re.compile(
    r"\b(?:article|art|entry|post)-{0,2}(?:content|body)\b|\barticle-{0,2}text\b|\bpost-?(?:text|entry)\b"
    r"|\barticle--container\b|\b(?:text|page)-content\b|\bbody-text\b|^(?:post|entry)$"
)
_STORY = re.compile(
    r"full-?text|\bstory-?(?:body|content)\b|\b(?:theme|blog|section|single)-content\b|\bsingle-post\b|\bfield-body"
    r"|\bmain-column\b|\btext-column\b|^article |^(?:article|story|text|cell|post-?area|art-post-?content)$"
)
_CONTENT = re.compile(r"\bcontent-{0,2}(?:main|body)|\bmain-content|page-content|^content$")

_JUNK = re.compile(
    r"\bshar(?:e|es|ed|er|ing)(?:-|\b)|\bsoci(?:al|able)|\bviral|newsletter|syndication|cookie|consent|permission"
    r"|sidebar|banner|bread-?crumb|button|author|byline|footer|\b(?:sub|post-|site-|main-|top-|page-)?nav(?!y)"
    r"|navigation|menu|related|outbrain|taboola|criteo|\bads?\b|advert|\bpaid-?content|widget|embed|tags\b|\btag-?list"
    r"|popular|\bmore-on|-stories\b|\bnext-|message-container|\bmodal-content|attachment|timestamp"
    r"|\buser-(?:info|profile)|\boverlay|\bslide|\bviewport|\bblurred|\bobfuscated|premium"
)
_JUNK_CLASS = re.compile(r"\boptions|\bexpand|meta(?:\b|-|data|s\b)|bar(?:\b|s\b)|rating|-icon")
_HIDDEN = re.compile(
    r"(?:^| )(?:hidden|hide|(?:visually|is)-hidden|sr-only)(?: |$)|(?:^| )hide-|-hide-|no-?print"
    r"|\bnot-?loaded|\bno-?comments|\bcomments-title|^reply-|-reply-"
    r"|(?:^| |-)message(?: |$|-)|akismet|\bsuggest-links|\breader-comments"
)
_COMMENTS = re.compile(r"^comment(?!ary)|^(?:disqus|dsq)|\b(?:article|post)-comments")
_NEXT_PAGE = re.compile(r"infinite-?scroll|post-add-(?:box|wrap)")


def marks(tag: str, attributes: Mapping[str, str]) -> int:
    """The flags (an or of the constants above) that an element's tag and attributes earn it."""
    get = attributes.get
    found = _named(tag, get("id", "")[:_NAME_LENGTH], get("class", "")[:_NAME_LENGTH])
    if role := get("role"):
        if "avigation" in role and tag in _JUNK_TAGS:
            found |= JUNK
        elif role == "article":
            found |= STORY
        elif role.startswith("main"):
            found |= MAIN
    if get("itemprop") == "articleBody":
        found |= ARTICLE
    style = get("style")
    if (
        get("aria-hidden") == "true"
        or get("hidden") is not None
        or (style and ("hidden" in style or "display:none" in style or "display: none" in style))
    ):
        found |= HIDDEN
    return found


def bare(tag: str) -> int:
    """The flags of an element without attributes."""
    return ARTICLE_TAG if tag == "article" else MAIN if tag == "main" else 0


@lru_cache(maxsize=1 << 14)
def _named(tag: str, identity: str, classes: str) -> int:
    names = [_plain(identity), _plain(classes)]
    found = 0
    if tag in _ROOT_TAGS:
        found |= _root(tag, names)
    if tag in _JUNK_TAGS:
        if any(map(_JUNK.search, names)) or _JUNK_CLASS.search(names[1]):
            found |= JUNK
        found |= TEASER * any("teaser" in name for name in names)
        found |= CAPTION * any("caption" in name for name in names)
    if any(map(_HIDDEN.search, names)):
        found |= HIDDEN
    if tag in _COMMENT_TAGS and any(map(_COMMENTS.search, names)):
        found |= COMMENTS
    if tag in _NEXT_PAGE_TAGS and any(map(_NEXT_PAGE.search, names)):
        found |= NEXT_PAGE
    return found


def _plain(name: str) -> str:
    if not name.islower():
        name = _CAMEL.sub("-", name).lower()
    return name.replace("_", "-")


def _root(tag: str, names: list[str]) -> int:
    found = bare(tag) | MAIN * any(name.startswith("main") for name in names)
    found |= STORY * names[0].startswith("primary")
    for mark, pattern in ((ARTICLE, _ARTICLE), (STORY, _STORY), (CONTENT, _CONTENT)):
        if any(map(pattern.search, names)):
            found |= mark
    return found
