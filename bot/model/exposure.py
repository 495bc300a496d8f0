"""What a scan finds beside vulnerabilities, and what it was told to leave out."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that lies in an image; where it is, and never what it is.

    Attributes:
        rule: The scanner's rule: `github-pat`.
        title: What the rule finds; text from outside.
        severity: The rule's.
        path: File in the image; empty for the image's own config (ENV, history).
        line: 1-based, in that file.
        diff_id: Layer that brings it; empty for the image config.
    """

    rule: str
    title: str
    severity: Severity
    path: str = ""
    line: int = 0
    diff_id: str = ""


@dataclass(frozen=True, slots=True)
class Misconfiguration:
    """A check of the image's config that failed.

    Attributes:
        id: The check: `DS-0002`.
        title: What it wants; text from outside.
        severity: The check's.
        message: What is wrong here; text from outside.
        resolution: What to do; text from outside.
    """

    id: str
    title: str
    severity: Severity
    message: str = ""
    resolution: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that the operator's ignore file or a VEX document hid.

    Attributes:
        id: The vulnerability, secret rule or check.
        package: The package it is in; empty for what is in none.
        status: Why: `ignored`, or VEX's word: `not_affected`, `fixed`, `under_investigation`.
        source: The document that says so; empty where it is not known.
        reason: Its own words; text from outside.
    """

    id: str
    package: str
    status: str = "ignored"
    source: str = ""
    reason: str = ""
