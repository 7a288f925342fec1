"""The demo: make the inputs, build a corpus of them, ask it three questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from flows import demo, terminal
from flows.run import run

RECIPE = """\
# The recipe of `florilege demo`.
name = "demo"
output = "corpus"

[[sources]]
name = "web"
kind = "warc"
path = "inputs/web"

[[sources]]
name = "acts"
kind = "eurlex"
path = "inputs/acts"

[[sources]]
name = "articles"
kind = "erudit"
path = "inputs/articles"

[extract]
deadline_s = 5                    # one page of the demo hangs the parser

[engine]
workers = 2
shard_mb = 0.25                   # small, so that the small inputs keep two workers busy
"""

QUESTIONS = {
    "How many words of each language are in the corpus, and where do they come from?": """
        SELECT language, source, count(*) AS documents, sum(words)::BIGINT AS words, round(avg(quality), 2) AS quality
        FROM corpus GROUP BY ALL ORDER BY words DESC LIMIT 12""",
    "Which PDF lost the most against the official HTML of the same act?": """
        SELECT celex, declared_language AS language, round(lcs, 3) AS lcs, round(order_recall, 3) AS order_recall,
               coalesce(v.reason, 'kept') AS verdict
        FROM documents JOIN signals USING (id) JOIN verdicts v USING (id)
        WHERE source = 'acts' AND format = 'pdf' AND lcs IS NOT NULL ORDER BY lcs LIMIT 5""",
    "What did the web archive lose, and why?": """
        SELECT stage, reason, count(*) AS records, min(url) AS example
        FROM rejects WHERE source = 'web' GROUP BY ALL ORDER BY records DESC, stage, reason LIMIT 12""",
}

NEXT = """
Where to look next (after `. .venv/bin/activate`, where florilege was installed as its README says):
  florilege funnel --corpus {corpus}
  florilege sql --corpus {corpus} "SELECT id, language, title FROM corpus LIMIT 10"
  florilege show ID --corpus {corpus}
  florilege export {export} --corpus {corpus}
  florilege fidelity --corpus {corpus} --output {folder}/fidelity.html
  docs/questions.md has ten more questions; {recipe} is a recipe to copy for your own archives.
"""


def tour(folder: Path) -> dict[str, Any]:
    """Build the demo below `folder` and print what there is to see; returns the run, as `flows.run.run` does."""
    recipe, inputs = folder / "recipe.toml", folder / "inputs"
    ours = recipe.is_file() and recipe.read_text(encoding="utf-8", errors="replace") == RECIPE
    if folder.exists() and any(folder.iterdir()) and not ours:
        raise ConfigError(f"{folder} is not empty and holds no demo: give a folder that does not exist yet")
    inputs.mkdir(parents=True, exist_ok=True)
    made = demo.make(inputs)
    recipe.write_text(RECIPE, encoding="utf-8")
    print(
        f"Made {made['files']} files in {inputs}: {made['pages']} web pages, {made['acts']} acts and "
        f"{made['articles']} articles, all written for this demo."
    )
    done = run(recipe)
    terminal.outcome(done)
    for question, sql in QUESTIONS.items():
        print(f"\n{question}")
        terminal.query(folder / "corpus", None, sql)
    corpus = folder / "corpus"
    print(NEXT.format(folder=folder, corpus=corpus, recipe=recipe, export=folder / "export"))
    return done
