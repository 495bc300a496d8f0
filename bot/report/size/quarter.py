"""Calendar quarters in a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A calendar quarter in a time zone; `number` is 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def previous(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def next(self) -> Quarter:
        """The quarter after."""
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    def start(self, zone: tzinfo) -> datetime:
        """Its first moment in a zone."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=zone)

    def end(self, zone: tzinfo) -> datetime:
        """The first moment after it."""
        return self.next.start(zone)


def quarter_of(moment: datetime, zone: tzinfo) -> Quarter:
    """The quarter a moment lies in, by the calendar of a zone."""
    local = moment.astimezone(zone)
    return Quarter(local.year, (local.month + 2) // 3)


def parse_quarter(text: str) -> Quarter:
    """Read `2026Q3`.

    Raises:
        ValueError: It is written otherwise.
    """
    year, mark, number = text.strip().upper().partition("Q")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and mark and number in set("1234")):
        raise ValueError(f"a quarter is written 2026Q3, not {text[:20]!r}")
    return Quarter(int(year), int(number))
