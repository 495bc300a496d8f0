"""Audit a case of the corpus as the command does, with no file and no network."""

from __future__ import annotations

from bot.audit.dockerfile.view import Context
from bot.audit.nginx.read import PREFIX, File
from bot.audit.project import Subject, audit_dockerfile, audit_nginx
from bot.model.finding import Audit
from bot.model.reference import Reference
from bot.updates.distributions import State
from bot.updates.releases import base_of
from tests.unit.audit.corpus import TODAY, Case, Found


def ended(reference: Reference) -> str:
    release = base_of(reference)
    return "its support has ended" if release and release.state(TODAY) is State.ENDED else ""


def dockerfile(case: Case) -> Found:
    """What is found in a case of Dockerfiles."""
    files = case.files
    subject = Subject(case.main, files[case.main], Context(frozenset(files), files))
    return found(audit_dockerfile(subject, ended))


def nginx(case: Case) -> Found:
    """What is found in a case of nginx configurations."""
    return found(audit_nginx({f"{PREFIX}/{path}": File(path, data) for path, data in case.files.items()}))


def found(audit: Audit) -> Found:
    assert audit.problems == ()
    return Found((one.subject, one.rule, one.line) for one in audit.findings)
