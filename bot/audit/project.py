"""The entry points of the audit: one Dockerfile with its context, or one nginx configuration. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.audit import dockerfile as dockerfile_rules
from bot.audit import nginx as nginx_rules
from bot.audit import suppress
from bot.audit.dockerfile import nginx_files
from bot.audit.dockerfile.view import Context, read
from bot.audit.nginx.read import PREFIX, Configuration, File
from bot.audit.nginx.read import read as read_nginx
from bot.errors import RefitError
from bot.model.finding import Audit, Finding, in_order
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.target import LINUX_AMD64


@dataclass(frozen=True, slots=True)
class Subject:
    """A Dockerfile to audit.

    Attributes:
        file: Its path in the project.
        data: Its bytes.
        context: What is known of its build context.
        folder: The context's folder in the project; empty for the project itself.
        args: The build arguments of the target.
        stage: The target's stage, or None for the last.
        platform: What is built for.
    """

    file: str
    data: bytes
    context: Context
    folder: str = ""
    args: Mapping[str, str] | None = None
    stage: str | None = None
    platform: Platform = LINUX_AMD64


def audit_dockerfile(subject: Subject, ended: Callable[[Reference], str]) -> Audit:
    """What the rules say about a Dockerfile and the nginx configuration that reaches its image.

    Args:
        subject: The Dockerfile.
        ended: Says when the support of an image ended; empty where it has not, or is not known.
    """
    try:
        seen = read(
            subject.file,
            subject.data,
            subject.context,
            args=subject.args,
            stage=subject.stage,
            platform=subject.platform,
        )
    except RefitError as error:
        return Audit(subjects=(subject.file,), problems=(Problem(subject.file, error.message, error.hint),))
    if seen is None:
        return Audit(problems=(Problem(subject.file, "it has no FROM", "Is it a Dockerfile?"),))
    found = list(dockerfile_rules.findings(seen, ended))
    files = nginx_files.configuration(seen, subject.folder)
    ignores = {subject.file: dict(suppress.in_dockerfile(subject.data))}
    if not files:
        return _audit(found, ignores, (subject.file,), ())
    configuration = read_nginx(files)
    found += nginx_rules.findings(configuration.root)
    return _audit(
        found, _with_nginx(ignores, files), (subject.file, *configuration.subjects), configuration.problems
    )


def audit_nginx(files: Mapping[str, File], main: str = f"{PREFIX}/nginx.conf") -> Audit:
    """What the rules say about an nginx configuration by itself.

    Args:
        files: Its files by the path they would have in an image.
        main: The path of the main file.
    """
    configuration: Configuration = read_nginx(files, main)
    found = list(nginx_rules.findings(configuration.root))
    return _audit(found, _with_nginx({}, files), configuration.subjects, configuration.problems)


def _with_nginx(
    ignores: Mapping[str, suppress.Ignores], files: Mapping[str, File]
) -> dict[str, suppress.Ignores]:
    found = {subject: dict(answers) for subject, answers in ignores.items()}
    for file in files.values():
        found.setdefault(file.subject, {}).update(suppress.in_nginx(file.data))
    return dict(found)


def _audit(
    found: list[Finding],
    ignores: Mapping[str, suppress.Ignores],
    subjects: tuple[str, ...],
    problems: tuple[Problem, ...],
) -> Audit:
    stay, answered = suppress.split(in_order(found), ignores)
    return Audit(tuple(stay), tuple(answered), (), tuple(sorted(set(subjects))), problems)


def together(audits: tuple[Audit, ...]) -> Audit:
    """Several audits as one."""
    ignored = {one.finding: one for audit in audits for one in audit.ignored}
    return Audit(
        in_order(finding for audit in audits for finding in audit.findings),
        tuple(ignored[finding] for finding in in_order(ignored)),
        in_order(finding for audit in audits for finding in audit.known),
        tuple(sorted({subject for audit in audits for subject in audit.subjects})),
        tuple(dict.fromkeys(problem for audit in audits for problem in audit.problems)),
        tuple(dict.fromkeys(note for audit in audits for note in audit.notes)),
    )
