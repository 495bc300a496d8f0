"""How an audit is shown: each form says the same, keeps its shape, and quotes what comes from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif

from bot.audit import catalog
from bot.audit.dockerfile import RULES as DOCKERFILE_RULES
from bot.audit.nginx import RULES as NGINX_RULES
from bot.model.finding import Audit, AuditRule, Finding, Ignored, RuleSeverity
from bot.model.run import Problem
from bot.report import audit as shown
from bot.report.audit_document import document
from bot.report.audit_sarif import sarif
from tests.unit.audit.corpus import DOCKERFILES, NGINX
from tests.unit.report import gfm, hostile

SCHEMA = Path(__file__).parents[3] / "config" / "schemas" / "audit.schema.json"


def finding(rule: str = "RF110", line: int = 3, message: str = "no USER", **more: Any) -> Finding:
    return Finding(
        rule, RuleSeverity.ERROR, more.pop("subject", "app/Dockerfile"), line, message, "Add one.", **more
    )


AUDIT = Audit(
    (
        finding(saves=12_300_000),
        Finding("DL3008", RuleSeverity.WARNING, "app/Dockerfile", 5, "Pin versions", "", "RUN apt-get"),
        Finding("RF301", RuleSeverity.NOTE, "shop:1", 0, "2 source maps", "Delete them."),
    ),
    (Ignored(finding(line=9), "it opens raw sockets"),),
    (finding(line=11),),
    ("app/Dockerfile", "shop:1"),
    (Problem("b/Dockerfile", "it has no FROM", "Is it a Dockerfile?"),),
    ("hadolint is not installed",),
)


def test_the_document_keeps_its_schema() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(document(AUDIT))
    jsonschema.Draft202012Validator(schema).validate(document(Audit()))


def extras(model: Any) -> Iterator[str]:
    """Every property that the shapes of SARIF do not know."""
    if isinstance(model, BaseModel):
        yield from model.model_extra or ()
        for name in type(model).model_fields:
            if name != "properties":
                yield from extras(getattr(model, name))
    elif isinstance(model, list):
        for one in model:
            yield from extras(one)


def test_the_sarif_has_the_shapes_of_version_2_1_0() -> None:
    made = sarif(AUDIT, catalog.RULES, "1.0.0")

    read = Sarif.model_validate(made)

    # These are in the specification (3.14.27, 3.27.23, 3.20.21), and not in the library.
    assert set(extras(read)) <= {"columnKind", "suppressions", "toolExecutionNotifications"}
    (run,) = made["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [
        one["ruleId"] for one in run["results"]
    ]
    assert {one["level"] for one in run["results"]} <= {"error", "warning", "note"}
    assert len({one["id"] for one in rules}) == len(rules)


def test_what_is_answered_is_suppressed_in_the_sarif_with_its_reason() -> None:
    results = sarif(AUDIT, catalog.RULES, "1")["runs"][0]["results"]

    assert [one.get("suppressions", [{}])[0].get("kind") for one in results] == [
        None,
        None,
        None,
        "inSource",
        "external",
    ]
    assert results[3]["suppressions"][0]["justification"] == "it opens raw sockets"


def test_a_path_is_a_uri_and_an_image_is_no_file_in_the_sarif() -> None:
    made = Audit((finding(subject="my app/Docker#file"), finding("RF311", 0, subject="shop:1")))

    places = [one["locations"][0] for one in sarif(made, catalog.RULES, "1")["runs"][0]["results"]]

    assert places[0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20app/Docker%23file"
    assert places[1]["logicalLocations"][0]["fullyQualifiedName"] == "shop:1"


def test_the_terminal_groups_by_file_and_counts() -> None:
    text = shown.terminal(AUDIT, width=80, color=False)

    assert text.splitlines()[:3] == [
        "app/Dockerfile",
        "    3 ✗ RF110  no USER",
        "             → Add one.  saves 12.3 MB",
    ]
    assert "1 error, 1 warning, 1 note in 2 files or images; at least 12.3 MB to save." in text
    assert "Not shown: 1 finding in the baseline, 1 finding answered by a comment." in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_command_in_a_finding_is_code_in_the_markdown() -> None:
    text = shown.markdown(Audit((finding(message="`npm ci` comes after line 3"),)))
    assert "| `npm ci` comes after line 3 |" in text


def test_text_from_outside_does_nothing_in_the_markdown() -> None:
    bodies = [
        shown.markdown(Audit((finding(message=text, subject=text),), problems=(Problem(text, text),)))
        for text in hostile.ALL
    ]

    for text, page in zip(hostile.ALL, gfm.each_to_html(bodies), strict=True):
        outside = re.sub(r"<code>.*?</code>", "", page).replace("<strong>1 error in 0 files or images.", "")
        assert not re.search(r"<(?:a|img|script|b|svg|h1|input|em|strong)[ >]", outside), text
        assert not re.search(r"@\w|^/\w", outside, re.MULTILINE), text


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_from_outside_stays_on_its_line_in_the_terminal(text: str) -> None:
    made = Audit((finding(message=text, subject=text),))

    assert "\x1b" not in shown.terminal(made, width=100, color=False)


@pytest.mark.parametrize("rule", catalog.RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_says_all_about_itself(rule: AuditRule) -> None:
    assert all((rule.name, rule.section, rule.what, rule.why, rule.fix, rule.bad, rule.good))
    text = shown.explanation(rule, width=80, color=False)
    assert rule.id in text
    assert all(line.strip() in text for line in rule.bad.splitlines())


@pytest.mark.parametrize("rule", [*DOCKERFILE_RULES, *NGINX_RULES], ids=lambda rule: rule.id)
def test_every_rule_has_true_and_false_cases_in_the_corpus(rule: AuditRule) -> None:
    cases = DOCKERFILES if rule in DOCKERFILE_RULES else NGINX
    with_it = [case for case in cases if any(found == rule.id for _, found, _ in case.expected)]

    assert len(with_it) >= 2
    assert len(cases) - len(with_it) >= 2


def test_ids_are_of_their_kind_and_none_is_there_twice() -> None:
    every = [*catalog.RULES]

    assert len(every) == len(set(every)) == 44
    assert all(one[:3] in {"RF1", "RF2", "RF3"} for one in every)
