"""The JSON documents keep their keys, agree with their schemas, and never call the unknown 0."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from bot.model.checked import Checked
from bot.model.update import Current, Decision, Skipped, Update, Waiting
from bot.report import schemas, wire
from tests.unit.report import cases, samples


def valid(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """A document after JSON and back, checked against its committed schema."""
    read: dict[str, Any] = json.loads(json.dumps(document))
    schema = json.loads((schemas.FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(read)
    return read


def updates(*names: str) -> list[dict[str, Any]]:
    document = valid("run", wire.run(cases.result(*(cases.CASES[name]() for name in names))))
    found: list[dict[str, Any]] = document["updates"]
    return found


@pytest.mark.parametrize("name", schemas.texts())
def test_a_committed_schema_is_up_to_date(name: str) -> None:
    committed = (schemas.FOLDER / name).read_text(encoding="utf-8")
    assert committed == schemas.texts()[name], "run: python -m bot.report.schemas"


def test_discover_has_the_promised_keys() -> None:
    first, stage = valid("discover", wire.discover([samples.use(), cases.STAGE]))["uses"]
    assert first == {
        "file": "backend/Dockerfile",
        "line": 21,
        "kind": "from",
        "stage": "1",
        "reference": f"debian:bookworm-slim@{samples.OLD}",
        "registry": "docker.io",
        "repository": "library/debian",
        "tag": "bookworm-slim",
        "digest": samples.OLD,
        "platform": None,
        "skipped": None,
    }
    assert stage["skipped"] == "FROM builder (a stage)"
    assert stage["registry"] is None


def test_check_gives_each_use_its_outcome_and_null_reason_only_to_current() -> None:
    use = samples.use()
    outcomes = (Current(), samples.UPDATE, Waiting("too young", samples.UPDATE.to), Skipped("no"))
    checked = valid("check", wire.check(Checked(tuple(Decision(use, outcome) for outcome in outcomes))))[
        "uses"
    ]
    assert [one["outcome"] for one in checked] == ["current", "update", "waiting", "skipped"]
    assert [one["to"] for one in checked] == [None, str(samples.UPDATE.to), str(samples.UPDATE.to), None]
    assert [one["reason"] is None for one in checked] == [True, False, False, False]
    assert isinstance(outcomes[1], Update)


def test_run_has_the_promised_keys_in_bytes_and_seconds() -> None:
    document = valid("run", wire.run(cases.result()))
    assert list(document) == [
        *("cycle", "attempt", "updates", "current", "waiting", "abandoned", "skipped", "failed", "requests"),
        *("quota", "issues", "published"),
    ]
    (update,) = document["updates"]
    assert {key: update[key] for key in ("target", "file", "line", "level", "verdict", "reasons")} == {
        "target": "backend",
        "file": "backend/Dockerfile",
        "line": 21,
        "level": "health",
        "verdict": "pass",
        "reasons": [],
    }
    assert update["from"].endswith(samples.OLD)
    assert update["to"].endswith(samples.NEW)
    assert update["size"] == {
        "before": 181_200_000,
        "after": 180_900_000,
        "baseline": 178_000_000,
        "budget": 200_000_000,
    }
    assert update["build"] == {"before": 41.3, "after": 39.8}
    assert update["health"]["before"] == update["health"]["after"] == "healthy"
    assert update["publication"] == {"kind": "pull-request", "url": samples.PULL.url}


def test_run_counts_vulnerabilities_by_severity_with_their_causes() -> None:
    found = updates("pass")[0]["vulnerabilities"]
    assert found["before"] == {"CRITICAL": 3, "HIGH": 11, "MEDIUM": 16, "LOW": 11, "UNKNOWN": 0}
    assert found["after"] == {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 11, "LOW": 9, "UNKNOWN": 0}
    assert len(found["fixed"]) == 22
    assert {"id", "package", "severity", "cause"} <= found["fixed"][0].keys()
    assert [f["cause"] for f in found["fixed"]].count("rebuild") == 3
    assert len(found["remaining"]) == 19


def test_every_outcome_that_is_no_update_is_listed_with_its_reason() -> None:
    document = wire.run(cases.result())
    assert document["current"] == 2
    assert [len(document[key]) for key in ("waiting", "abandoned", "skipped", "failed")] == [1, 1, 1, 2]
    assert document["failed"][1] == {
        "target": "worker",
        "error": "the context folder is missing: worker/",
        "hint": "Correct `context:`.",
    }
    assert document["requests"] == {"HEAD": 3, "GET": 2}


def test_unknown_counts_are_null() -> None:
    found = updates("unsupported distribution")[0]["vulnerabilities"]
    assert found["before"] is None
    assert found["after"] is None


def test_a_side_that_was_not_measured_is_null() -> None:
    gone, pin = updates("before gone", "pin")
    assert gone["size"]["before"] is None
    assert gone["vulnerabilities"]["before"] is None
    assert pin["health"] == {"before": None, "after": "healthy", "seconds": {"before": None, "after": 2.0}}


def test_other_platforms_are_listed_beside_the_first() -> None:
    (update,) = updates("two platforms")
    assert update["platform"] == "linux/amd64"
    assert [(one["platform"], one["level"]) for one in update["other_platforms"]] == [("linux/arm64", "base")]
