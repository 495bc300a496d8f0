"""Values of the model to JSON and back, losslessly, by their own annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from bot.model.run import RunResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended:
    """A result without its evidence, which is stored already: its keys, for each update."""

    result: RunResult
    evidence: tuple[tuple[str, ...], ...]


# Made for the first value of a kind: all of them take a tenth of a second, and many commands read none.
_adapters: Final[dict[type[Any], TypeAdapter[Any]]] = {}


def encode(value: object) -> str:
    """Write a value as JSON text."""
    return _adapter(type(value)).dump_json(value).decode()


def decode(kind: type[T], text: str) -> T:
    """Read a value back; raises pydantic's ValidationError for text of another shape."""
    value: T = _adapter(kind).validate_json(text)
    return value


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
