"""What the tests of recognition run in a sandbox's child."""

from contextlib import closing

from extractors import ocr
from extractors.record import Extract, Record


def first_page(record: Record, languages: list[str], deadline_s: float = 60) -> Extract:
    """Text of the first page of a PDF."""
    import pypdfium2

    with closing(pypdfium2.PdfDocument(record.payload)) as document:
        reader = ocr.Reader(languages, deadline_s)
        found = reader.read(document[0])
    return Extract(text=found.text if found else "", error=reader.problem)
