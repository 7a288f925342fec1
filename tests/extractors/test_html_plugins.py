import pytest
from lxml.html import document_fromstring

from extractors.html_plugins import machine_translation


@pytest.mark.parametrize(
    ("body", "plugin"),
    [
        ('<div id="google_translate_element"></div>', None),
        ('<script src="//translate.google.com/translate_a/element.js?cb=x"></script>', None),
        ('<script src="/wp-content/plugins/gtranslate/js/float.js"></script>', "gtranslate"),
        ('<link rel="stylesheet" href="/wp-content/plugins/TranslatePress-multilingual/a.css">', "translatepress"),
        ('<link rel="preload" as="style" href="/wp-content/plugins/weglot/a.css">', "weglot"),
        ('<link rel="canonical" href="https://example.org/weglot-review">', None),
        ('<link rel="dns-prefetch" href="//cdn.weglot.com">', None),
        ('<div id="wp-translate"></div>', "wp-translate"),
        ('<script src="/wp-content/plugins/qtranslate-x/q.js"></script>', "qtranslate-x"),
        ('<script src="https://cdn.weglot.com/weglot.min.js"></script>', "weglot"),
        ('<div id="translate"></div><script src="/translations.js"></script>', None),
        ("<script>var gtranslate = 1</script><p>weglot</p>", None),
    ],
)
def test_marks(body: str, plugin: str | None) -> None:
    assert machine_translation(document_fromstring(f"<html><body>{body}</body></html>")) == plugin
