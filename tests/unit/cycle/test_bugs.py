"""A bug that one image or project reaches is told as a failure of that one, and the others go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.cycle.monthly import run_cycle
from bot.errors import RegistryUnreachable
from bot.model.manifest import Head
from bot.model.narrowing import Narrowing
from bot.model.reference import Reference
from bot.model.target import Project
from bot.model.update import Failed
from tests.fakes.registry import FakeRegistry
from tests.unit.cycle.house import house, moved


class Tripped(FakeRegistry):
    """A registry that raises at some references."""

    def __init__(self, trips: dict[str, Exception]) -> None:
        super().__init__()
        self.trips = trips

    async def head(self, reference: Reference) -> Head:
        if (error := self.trips.get(str(reference))) is not None:
            raise error
        return await super().head(reference)


def wishes(data: bytes) -> Narrowing:
    if b"odd" in data:
        raise OverflowError("date value out of range")
    return Narrowing()


def test_one_image_that_trips_a_bug_fails_and_the_other_is_updated(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    odd = UnicodeEncodeError("ascii", "\N{LATIN SMALL LETTER E WITH ACUTE}", 0, 1, "ordinal not in range")
    made.registry = Tripped({"acme/odd:1": odd})
    old, _ = moved(made)
    made.forge.files["acme/shop"] = {
        "a/Dockerfile": f"FROM debian:bookworm-slim@{old}\n".encode(),
        "b/Dockerfile": b"FROM acme/odd:1\n",
    }
    result = made.run().result

    assert [one.planned.use.file for one in result.updates] == ["a/Dockerfile"]
    (failed,) = [one.outcome for one in result.decided if isinstance(one.outcome, Failed)]
    assert "a bug in Refit: UnicodeEncodeError" in failed.error
    assert "report" in failed.hint
    assert not failed.unanswered


def test_one_project_that_trips_a_bug_fails_and_the_other_is_updated(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    old, _ = moved(made)
    dockerfile = f"FROM debian:bookworm-slim@{old}\n".encode()
    made.projects = (Project("acme/odd"), Project("acme/shop"))
    made.forge.files["acme/odd"] = {"Dockerfile": dockerfile, ".github/refit.yaml": b"odd"}
    made.forge.files["acme/shop"] = {"Dockerfile": dockerfile}
    result = run_cycle(replace(made.parts(), read_wishes=wishes)).result

    assert [one.planned.project.name for one in result.updates] == ["acme/shop"]
    (problem,) = result.problems
    assert problem.subject == "acme/odd"
    assert "a bug in Refit: OverflowError" in problem.error


def test_a_precise_name_that_could_not_be_asked_for_is_asked_for_again(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:bookworm-slim\n"})
    precise = "debian:bookworm-20261101-slim"
    made.registry = tripped = Tripped({precise: RegistryUnreachable("no answer")})
    for name in ("debian:bookworm-slim", precise):
        tripped.push(name)

    (first,) = made.run(dry_run=True).result.updates
    tripped.trips.clear()
    (second,) = made.run(dry_run=True).result.updates

    assert first.planned.update.name is None
    assert second.planned.update.name == "bookworm-20261101-slim"
