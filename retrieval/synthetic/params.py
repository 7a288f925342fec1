"""Parameters of synthetic queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retrieval.builder import Params
from retrieval.chunks import Chunking

Style = Literal["swim-ir", "xqg"]


class Exemplar(BaseModel):
    """An example that the model is shown first."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    passage: str
    summary: str = ""
    question: str
    language: str
    """BCP 47, of the question."""


class SyntheticParams(Params):
    """What is asked about, in which languages, and of whom."""

    style: Style = "swim-ir"
    """`swim-ir`: a summary first, then one question. `xqg`: several questions at once, without a summary."""
    languages: tuple[str, ...] | None = None
    """Languages of the queries; null: that of the passage."""
    queries: int | None = Field(default=None, ge=1, le=100)
    """Queries a passage and language; null: 1, and 5 in style xqg."""
    chunking: Chunking = Chunking(most=256)
    shortest: int = Field(default=100, ge=1)
    """Characters of the shortest passage that is asked about."""
    rates: dict[str, float] = Field(default={})
    """Threshold of each passage language, 0 to 1, see `sampling.thresholds`; all of a language without one."""
    sample: int | None = Field(default=None, ge=1)
    """In place of rates: about so many passages of each language; a first pass counts them and sets the rates."""
    seed: int = Field(default=1, ge=0, lt=1 << 63)
    exemplars: tuple[Exemplar, ...] = ()
    """Those in the language that is asked for are shown."""
    longest: int = Field(default=300, ge=1)
    """Characters of the longest query."""
    question: bool = True
    """Whether a query has to be a question."""
    responses: Path | None = None
    """File of responses, JSON Lines; what an endpoint answers is added to it."""
    endpoint: str | None = None
    """Base URL of an OpenAI-compatible API, such as http://localhost:8000/v1. Null: nothing is asked; without
    responses, queries are made without a model."""
    model: str = ""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable with the API key; the key is written nowhere."""
    temperature: float = Field(default=0.7, ge=0)
    max_tokens: int = Field(default=512, ge=1)
    timeout_s: float = Field(default=60, gt=0)
    """Seconds that one answer may take in all."""
    attempts: int = Field(default=5, ge=1)
    """Times that a request is sent when the endpoint is busy or fails."""
    in_flight: int = Field(default=8, ge=1)
    """Requests under way at a time."""

    @model_validator(mode="after")
    def _one_way_to_sample(self) -> SyntheticParams:
        if self.sample is not None and self.rates:
            raise ValueError("sample or rates, not both")
        return self

    def identity(self) -> dict[str, Any]:
        """As of any builder; of a model that is asked, not how, nor what it has answered so far."""
        how = {"key_variable", "timeout_s", "attempts", "in_flight"} | ({"responses"} if self.endpoint else set())
        return {name: value for name, value in super().identity().items() if name not in how}

    @property
    def count(self) -> int:
        """Queries a passage and language."""
        return self.queries or (5 if self.style == "xqg" else 1)
