import pytest

from extractors import dispatch, html, markup
from extractors.record import Extract, Record


def record(payload: bytes, **fields: object) -> Record:
    return Record("source", "path", payload=payload, **fields)  # type: ignore[arg-type]


PAGE = b"<html lang='fr'><body><h1>T</h1><p>" + b"Une phrase du texte, assez longue. " * 9 + b"</p></body></html>"


def test_html() -> None:
    found = dispatch.extract(record(PAGE, format="html"))
    assert found.text.startswith("Une phrase")
    assert found.extractor == html.extract(PAGE).extractor


def test_official_journal_pages_have_their_own_extractor() -> None:
    found = dispatch.extract(record(PAGE, format="html", meta={"celex": "32016R0679", "language": "fr"}))
    assert "Une phrase" in found.text
    assert found.extractor != html.extract(PAGE).extractor


def test_xml_by_its_root() -> None:
    erudit = (
        b"<article lang='fr' typeart='article'><admin/><liminaire><grtitre><titre>Titre</titre></grtitre></liminaire>"
        b"<corps><section1><para><alinea>Alinea du corps.</alinea></para></section1></corps></article>"
    )
    found = dispatch.extract(record(erudit, format="xml"))
    assert "Alinea du corps." in found.text
    assert found.title == "Titre"
    jats = b"<article><front/><body><p>Body of it.</p></body></article>"
    assert "Body of it." in dispatch.extract(record(jats, format="xml")).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("prefix", ["", "er:"])
def test_erudit_is_known_by_its_tree(encoding: str, prefix: str) -> None:
    bound = " xmlns:er='http://www.erudit.org/xsd/article'" if prefix else ""
    source = (
        f"<!--{'x' * 9000}--><article{bound} lang='fr'><!--{'y' * 9000}--><admin/><liminaire><grtitre><titre>Titre"
        "</titre></grtitre><resume lang='en'><alinea>Not in French.</alinea></resume></liminaire>"
        "<corps><para><alinea>Alinea du corps.</alinea></para></corps></article>"
    )
    for name in ("article", "admin", "liminaire", "grtitre", "titre", "resume", "corps", "para", "alinea"):
        source = source.replace(f"<{name}", f"<{prefix}{name}").replace(f"</{name}>", f"</{prefix}{name}>")
    found = dispatch.extract(record(source.encode(encoding), format="xml"))
    assert (found.error, found.text) == (None, "Titre\nAlinea du corps.")


def test_jats_with_administrative_words_is_no_erudit() -> None:
    jats = b"<article><front><administration/></front><body><p>Body of it.</p></body></article>"
    found = dispatch.extract(record(jats, format="xml"))
    assert (found.error, found.text) == (None, "Body of it.")


def test_broken_article_is_an_error() -> None:
    found = dispatch.extract(record(b"<article>" + b"<a>" * 5000, format="xml"))
    assert found.error
    assert found.text == ""


def test_reference_gives_what_a_reader_of_the_page_sees() -> None:
    def text(payload: bytes, path: str) -> Extract:
        return dispatch.extract(Record("s", path, payload=payload, kind="reference"))

    forms = {"json": "As it is.", "conversion": "as it is"}
    assert text(b"As  it is.\n", "a.TXT") == Extract(text="As  it is.\n", meta=forms)
    forms = {"json": "One two", "conversion": "one two"}
    assert text(b"<a><p>One</p><p>two</p></a>", "a.xml") == Extract(text="One\ntwo", meta=forms)
    assert text(b"<a>" * 5000, "a.xml").error == dispatch.extract(record(b"<a>" * 5000, format="xml")).error


def test_failure_of_a_reference_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(payload: bytes, name: str) -> str:
        raise RuntimeError("why")

    monkeypatch.setattr(markup, "reference_text", fail)
    found = dispatch.extract(Record("s", "a.xml", payload=b"<a/>", kind="reference"))
    assert found.error == "reference extraction failed: RuntimeError: why"


def test_plain_text() -> None:
    found = dispatch.extract(record("Cafe\u0301  \r\n\r\n  d\xe9j\xe0\0\n".encode(), format="txt"))
    assert found == Extract(text="Café\n  déjà", extractor="text", meta={"encoding": "utf-8"})


def test_broken_pdf_is_an_error() -> None:
    found = dispatch.extract(record(b"%PDF-1.7 and nothing else", format="pdf"))
    assert found.error
    assert found.text == ""


def test_unknown_format_names_the_choices() -> None:
    assert dispatch.extract(record(b"x")).error == "no extractor for format None: html, pdf, xml or txt"


def test_failure_of_an_extractor_is_an_error_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **named: object) -> Extract:
        raise RuntimeError("x" * 1000)

    monkeypatch.setattr(html, "extract", fail)
    error = dispatch.extract(record(PAGE, format="html")).error
    assert error == "html extraction failed: RuntimeError: " + "x" * 286


def test_lack_of_memory_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **named: object) -> Extract:
        raise MemoryError

    monkeypatch.setattr(html, "extract", fail)
    with pytest.raises(MemoryError):
        dispatch.extract(record(PAGE, format="html"))
