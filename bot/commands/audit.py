"""`refit audit`: the guide's rules on files and images. No registry, no configuration needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from bot import __version__
from bot.audit import baseline as known_findings
from bot.audit import catalog
from bot.audit.project import together
from bot.clock import SystemClock
from bot.commands.audit_files import audit_file, audit_folder
from bot.commands.audit_image import audit_archive, audit_built, audit_in_engine
from bot.commands.options import ConfigOption, QuietOption, config_or_defaults
from bot.commands.output import colored, width, write, write_json
from bot.commands.problems import show_problems
from bot.convert import project
from bot.cycle.audit import ended_by
from bot.errors import UsageError
from bot.model.finding import Audit, Finding, RuleSeverity
from bot.model.reference import Reference
from bot.model.target import Target
from bot.report import audit as shown
from bot.report.audit_document import document
from bot.report.audit_sarif import sarif
from bot.saved import is_saved_image
from bot.settings import Settings

_LARGEST_BASELINE: Final = 64 * 1024 * 1024


class AuditFormat(StrEnum):
    """How the findings are written."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"


SubjectsArgument = Annotated[list[str] | None, typer.Argument(metavar="PATH|TARGET|IMAGE", hidden=True)]
AuditFormatOption = Annotated[
    AuditFormat, typer.Option("--format", help="Write for people, or as JSON, SARIF 2.1.0 or Markdown.")
]
FailOnOption = Annotated[
    RuleSeverity | None,
    typer.Option(
        "--fail-on",
        metavar="LEVEL",
        help="Exit with 1 at a finding of this level or worse: error, warning, note.",
    ),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="Leave out the findings that this file holds."),
]
WriteBaselineOption = Annotated[
    Path | None,
    typer.Option("--write-baseline", metavar="FILE", help="Write the findings there are now into this file."),
]
ExplainOption = Annotated[
    str | None,
    typer.Option(
        "--explain", metavar="RULE", help="Tell what a rule wants, why, and how to fix it; `all` lists them."
    ),
]


def audit(  # noqa: PLR0913 - the options of a command line
    subjects: SubjectsArgument = None,
    *,
    output: AuditFormatOption = AuditFormat.TABLE,
    fail_on: FailOnOption = None,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
    explain: ExplainOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> int:
    """Judge Dockerfiles, nginx configurations and images by the rules of the optimisation guide.

    PATH is a folder, a Dockerfile, an nginx configuration or a saved image (docker save, or an OCI layout);
    by default this folder. TARGET is named as in the configuration, and built where there is an engine; IMAGE
    is one that the engine has. `# refit: ignore=RF110 reason` answers a finding.
    """
    if explain is not None:
        write(_explained(explain))
        return 0
    settings = config_or_defaults(config)
    made = together(tuple(_audit(one, settings, quiet=quiet) for one in subjects or ["."]))
    if write_baseline is not None:
        write_baseline.write_text(known_findings.text(made.findings), encoding="utf-8")
    if baseline is not None:
        made = known_findings.without(made, known_findings.known(_read(baseline), str(baseline)))
    _show(made, output)
    failed = show_problems(made.problems)
    return failed or (1 if _fails(made.findings, fail_on) else 0)


def _explained(identifier: str) -> str:
    if identifier.lower() == "all":
        return shown.listing(catalog.RULES, catalog.NOT_CHECKABLE, width=width(), color=colored())
    return shown.explanation(catalog.rule(identifier), width=width(), color=colored())


def _audit(subject: str, settings: Settings, *, quiet: bool) -> Audit:
    path = Path(subject)
    if is_saved_image(path):
        return audit_archive(path, settings, quiet=quiet)
    if path.is_dir():
        return _placed(
            audit_folder(path, _targets_in(path, settings), ended_by(SystemClock().now().date())),
            "" if subject == "." else subject,
        )
    if path.is_file():
        return _placed(
            audit_file(path, ended_by(SystemClock().now().date())),
            "" if path.parent == Path() else path.parent.as_posix(),
        )
    target = _target(subject, settings)
    if target is None:
        return audit_in_engine(_image(subject), settings, quiet=quiet)
    files = audit_folder(target[1], (target[0],), ended_by(SystemClock().now().date()), only=True)
    return together((files, audit_built(target[0], settings, quiet=quiet)))


def _placed(audit: Audit, prefix: str) -> Audit:
    """Paths as they are seen from here."""
    if not prefix:
        return audit

    def move(finding: Finding) -> Finding:
        return replace(finding, subject=f"{prefix.rstrip('/')}/{finding.subject}")

    return replace(
        audit,
        findings=tuple(move(one) for one in audit.findings),
        ignored=tuple(replace(one, finding=move(one.finding)) for one in audit.ignored),
        subjects=tuple(f"{prefix.rstrip('/')}/{one}" for one in audit.subjects),
        problems=tuple(replace(one, subject=f"{prefix.rstrip('/')}/{one.subject}") for one in audit.problems),
    )


def _targets_in(path: Path, settings: Settings) -> tuple[Target, ...]:
    """What the configuration says of the targets of a folder, if it is under care."""
    for one in settings.projects:
        found = project(one)
        if found.location and Path(found.location).resolve() == path.resolve():
            return found.targets
    return ()


def _target(name: str, settings: Settings) -> tuple[Target, Path] | None:
    """A target of a local project, with the folder of the project; None where the configuration has none."""
    for one in settings.projects:
        found = project(one)
        for target in found.targets:
            if name in {target.name, f"{found.name}#{target.name}"} and found.location:
                return target, Path(found.location)
    return None


def _image(name: str) -> str:
    """The name of an image, or what to do where it is none."""
    try:
        Reference.parse(name)
    except ValueError as error:
        raise UsageError(
            f"there is no file, folder or target {name!r}, and it is no image: {error}",
            hint="Name a folder, a file, a target of a local project, or an image of the engine.",
        ) from error
    return name


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as handle:
            return handle.read(_LARGEST_BASELINE)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"cannot read the baseline {file}: {why}", hint="Write one with --write-baseline FILE."
        ) from error


def _show(made: Audit, output: AuditFormat) -> None:
    match output:
        case AuditFormat.JSON:
            write_json(document(made))
        case AuditFormat.SARIF:
            write(json.dumps(sarif(made, catalog.RULES, __version__), indent=2))
        case AuditFormat.MARKDOWN:
            write(shown.markdown(made))
        case AuditFormat.TABLE:
            write(shown.terminal(made, width=width(), color=colored()))


def _fails(findings: Sequence[Finding], level: RuleSeverity | None) -> bool:
    return level is not None and any(one.severity.order <= level.order for one in findings)
