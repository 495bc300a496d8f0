"""Values of the model to JSON and back, losslessly, by their own annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from bot.model.evidence import Evidence
from bot.model.published import Published
from bot.model.receipt import Receipt
from bot.model.run import Plan, RunResult
from bot.model.vulnerability import Scan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended:
    """A result without its evidence, which is stored already: its keys, for each update."""

    result: RunResult
    evidence: tuple[tuple[str, ...], ...]


ENDED: TypeAdapter[Ended] = TypeAdapter(Ended)
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)
PUBLISHED: TypeAdapter[Published] = TypeAdapter(Published)
SCAN: TypeAdapter[Scan] = TypeAdapter(Scan)
RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)


def encode(adapter: TypeAdapter[T], value: T) -> str:
    """Write a value as JSON text."""
    return adapter.dump_json(value).decode()


def decode(adapter: TypeAdapter[T], text: str) -> T:
    """Read a value back; raises pydantic's ValidationError for text of another shape."""
    return adapter.validate_json(text)
