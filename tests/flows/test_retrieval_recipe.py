"""Recipes of training sets and benchmarks: what is wrong with one is said before any work."""

from pathlib import Path

import pytest
from corpora import tiny

from catalog.errors import ConfigError
from catalog.files import Corpus
from flows import retrieval_run
from flows.retrieval_plan import wanted
from flows.retrieval_recipe import load

HEAD = 'corpus = "corpus"\n'
BEIR = """\
[[benchmarks]]
name = "foreign"
builder = "beir"
params = {folder = "beir", query_language = "en", document_language = "en"}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(written(folder, text))
    assert str(folder / "sets.toml") in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["corpus: missing"]),
        ("corpus = ", ["not a TOML file"]),
        (HEAD + "bogus = 1\n", ["bogus: unknown key", "benchmarks, pairs"]),
        (HEAD + "[splits]\ntest = 0.9\nvalidation = 0.2\n", ["splits", "nothing is left"]),
        (HEAD + "[overlap]\njaccard = 2\n", ["overlap.jaccard = 2"]),
        (HEAD + '[[pairs]]\nname = "Crops"\n', ["pairs.0.name = 'Crops'"]),
        (HEAD + '[[pairs]]\nname = "../crops"\n', ["pairs.0.name = '../crops'"]),
        (HEAD + '[[pairs]]\nname = "crop"\n', ["pairs.0.builder", "`crop`", "crops, keywords-abstract"]),
        (HEAD + '[[pairs]]\nname = "clirudit"\n', ["pairs.0.builder", "training sets"]),
        (HEAD + '[[benchmarks]]\nname = "crops"\n', ["benchmarks.0.builder", "clirudit, downsample, lemur"]),
        (HEAD + '[[pairs]]\nname = "crops"\nparams = {chunks = 1}\n', ["pairs.0.params", "chunks: unknown key", "low"]),
        (HEAD + '[[pairs]]\nname = "crops"\nparams = {chunk = 0}\n', ["chunk = 0", "greater than or equal to 1"]),
        (HEAD + '[[pairs]]\nname = "crops"\nnegative = {}\n', ["pairs.0.negative: unknown key", "negatives"]),
        (HEAD + '[[pairs]]\nname = "crops"\n[[pairs]]\nname = "crops"\n', ["two sets", "crops"]),
        (HEAD + '[[benchmarks]]\nname = "lemur"\n[[benchmarks]]\nname = "lemur"\n', ["two sets", "lemur"]),
        (HEAD + '[[benchmarks]]\nname = "lemur"\n[[pairs]]\nname = "lemur"\n', ["two sets", "lemur"]),
        (HEAD + '[[pairs]]\nname = "crops"\nnegatives = {system = "b"}\n', ["pairs.0.negatives", "'b'", "run:<file>"]),
        (HEAD + '[[pairs]]\nname = "crops"\nnegatives = {system = "bm25:x"}\n', ["pairs.0.negatives", "analysers are"]),
        (HEAD + '[[pairs]]\nname = "crops"\nnegatives = {system = "run:no.trec"}\n', ["no.trec", "no such file"]),
        (
            HEAD + '[[pairs]]\nname = "crops"\n[pairs.negatives.params]\nteacher = "score:x"\n',
            ["pairs.0.negatives", "score:x", "cross-encoder"],
        ),
        (
            HEAD + '[[pairs]]\nname = "crops"\n[pairs.negatives.params]\nteacher_margin = 3\n',
            ["pairs.0.negatives", "teacher_margin"],
        ),
        (
            HEAD + '[[pairs]]\nname = "crops"\n[pairs.negatives.params]\nmargin = 3\n',
            ["pairs.0.negatives.params.margin: unknown key", "absolute_margin"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: list[str]) -> None:
    message = refusal(tmp_path, text)
    assert [part for part in named if part not in message] == []


def test_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such recipe"):
        load(tmp_path / "none.toml")


def test_paths_start_at_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    for name in ("scores.jsonl", "own.trec"):
        (tmp_path / name).write_text("")
    text = (
        HEAD + BEIR + '[[benchmarks]]\nname = "questions"\nparams = {file = "asked.json"}\n'
        '[[pairs]]\nname = "synthetic"\nparams = {responses = "answers.jsonl"}\n'
        'negatives = {system = "dense:model", params = {teacher = "scores:scores.jsonl"}}\n'
        '[[pairs]]\nname = "crops"\nnegatives = {system = "run:own.trec", params = {teacher = "dense:model"}}\n'
        '[[pairs]]\nname = "title-body"\nnegatives = {system = "dense:org/cached-name"}\n'
    )
    written(tmp_path, text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    recipe = load(Path("../sets.toml"))
    here = str(tmp_path.resolve())
    assert recipe.corpus == f"{here}/corpus"
    assert [spec.params for spec in recipe.benchmarks] == [
        {"folder": f"{here}/beir", "query_language": "en", "document_language": "en"},
        {"file": f"{here}/asked.json"},
    ]
    assert recipe.pairs[0].params == {"responses": f"{here}/answers.jsonl"}
    mined = [spec.negatives for spec in recipe.pairs]
    assert [found and found.system for found in mined] == [
        f"dense:{here}/model", f"run:{here}/own.trec", "dense:org/cached-name",
    ]  # fmt: skip
    assert [found and found.params.teacher for found in mined] == [
        f"scores:{here}/scores.jsonl", f"dense:{here}/model", None,
    ]  # fmt: skip


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no published corpus"):
        wanted(str(written(tmp_path, HEAD + '[[pairs]]\nname = "crops"\n')), "pairs")


def test_names_that_the_recipe_has_not(tmp_path: Path) -> None:
    tiny(tmp_path / "corpus")
    recipe = written(tmp_path, HEAD + '[[pairs]]\nname = "crops"\n')
    with pytest.raises(ConfigError, match=r"no pairs `crop`; there are: crops"):
        wanted(str(recipe), "pairs", ["crop"])


def test_a_recipe_that_asks_for_nothing_says_so(tmp_path: Path) -> None:
    tiny(tmp_path / "corpus")
    recipe = written(tmp_path, HEAD)
    with pytest.raises(ConfigError, match=r"no \[\[pairs\]\]"):
        retrieval_run.make(recipe, "pairs", None)
    with pytest.raises(ConfigError, match=r"no \[\[benchmarks\]\]"):
        retrieval_run.make(recipe, "benchmark", None)


def ids(recipe: Path) -> dict[str, str]:
    return {found.spec.name: found.id for kind in ("benchmark", "pairs") for found in wanted(str(recipe), kind)}


FILES = {
    "beir/corpus.jsonl": '{"_id": "1", "text": "one"}\n', "scores.jsonl": '{"query_id": "1"}\n',
    "own.trec": "q Q0 d 1 1.0 own\n", "model/config.json": "{}", "answers.jsonl": "{}\n",
}  # fmt: skip
WHOLE = (
    HEAD + BEIR + '[[pairs]]\nname = "crops"\nnegatives = {system = "run:own.trec"}\n'
    '[[pairs]]\nname = "title-body"\nparams = {most = 9}\n'
    'negatives = {system = "dense:model", params = {teacher = "scores:scores.jsonl"}}\n'
    '[[pairs]]\nname = "synthetic"\nparams = {responses = "answers.jsonl"}\n'
)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    corpus: Corpus = tiny(tmp_path / "corpus")
    assert corpus.database.is_file()
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return written(tmp_path, WHOLE)


@pytest.mark.parametrize(
    ("file", "others"),
    [
        ("beir/corpus.jsonl", {"foreign", "crops", "title-body", "synthetic"}),
        ("scores.jsonl", {"title-body"}),
        ("model/config.json", {"title-body"}),
        ("own.trec", {"crops"}),
        ("answers.jsonl", {"synthetic"}),
    ],
)
def test_what_is_in_a_file_decides_the_identity(whole: Path, file: str, others: set[str]) -> None:
    before = ids(whole)
    assert ids(whole) == before
    (whole.parent / file).write_text("something else\n")
    after = ids(whole)
    assert {name for name in before if after[name] != before[name]} == others


@pytest.mark.parametrize(
    ("old", "new", "others"),
    [
        ("most = 9", "most = 10", {"title-body"}),
        ("[[benchmarks]]", "[overlap]\nshare = 0.4\n[[benchmarks]]", {"crops", "title-body", "synthetic"}),
        ("[[benchmarks]]", "[splits]\nseed = 2\n[[benchmarks]]", {"foreign", "crops", "title-body", "synthetic"}),
        ('"beir", query', '"beir", licence = "CC0", query', {"foreign", "crops", "title-body", "synthetic"}),
    ],
)
def test_what_a_recipe_says_decides_the_identity(whole: Path, old: str, new: str, others: set[str]) -> None:
    before = ids(whole)
    whole.write_text(WHOLE.replace(old, new, 1))
    after = ids(whole)
    assert {name for name in before if after[name] != before[name]} == others
    whole.write_text(WHOLE)
    assert ids(whole) == before
