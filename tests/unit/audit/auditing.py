"""Audit a case of the corpus as the command does, with no file and no network."""

from __future__ import annotations

from bot.audit import dockerfile as dockerfile_rules
from bot.audit import nginx as nginx_rules
from bot.audit import suppress
from bot.audit.dockerfile.view import Context, read
from bot.audit.nginx.read import PREFIX, File
from bot.audit.nginx.read import read as read_nginx
from bot.updates.distributions import State
from bot.updates.releases import base_of
from tests.unit.audit.corpus import TODAY, Case, Found


def dockerfile(case: Case) -> Found:
    """What is found in a case of Dockerfiles."""
    files = case.files
    seen = read(case.main, files[case.main], Context(frozenset(files), files))
    assert seen is not None
    ended = {
        str(use.reference): "ended"
        for use in seen.uses
        if use.reference and (release := base_of(use.reference)) and release.state(TODAY) is State.ENDED
    }
    found = dockerfile_rules.findings(seen, ended)
    stay, _ = suppress.split(found, {case.main: suppress.in_dockerfile(files[case.main])})
    return Found((one.subject, one.rule, one.line) for one in stay)


def nginx(case: Case) -> Found:
    """What is found in a case of nginx configurations."""
    files = {f"{PREFIX}/{path}": File(path, data) for path, data in case.files.items()}
    configuration = read_nginx(files)
    assert configuration.problems == ()
    ignores = {file.subject: suppress.in_nginx(file.data) for file in files.values()}
    stay, _ = suppress.split(nginx_rules.findings(configuration.root), ignores)
    return Found((one.subject, one.rule, one.line) for one in stay)
