"""What an audit reads of images: archives that were saved, images of the engine, targets that are built."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from bot.app import ANSWERS, Needs, machine_platform
from bot.audit.image import audit_image
from bot.audit.image.read import read
from bot.commands.opened import opened
from bot.cycle.building import build
from bot.cycle.image_findings import remember
from bot.cycle.parts import Parts
from bot.cycle.workspace import inside, workspace
from bot.errors import EngineMissing, RefitError
from bot.model.exposure import Secret
from bot.model.finding import Audit
from bot.model.run import Problem
from bot.model.target import Target
from bot.ports import Builder, BuildRequest, ScanRequest
from bot.saved import for_scanner
from bot.settings import Settings


def audit_archive(path: Path, settings: Settings, *, quiet: bool) -> Audit:
    """Audit a saved image."""
    with opened(settings, ANSWERS, quiet=quiet) as parts, workspace(parts, "audit") as room:
        return _audited(path.resolve(), path.name, parts, room.folder)


def audit_in_engine(name: str, settings: Settings, *, quiet: bool) -> Audit:
    """Audit an image that the engine has."""
    with opened(settings, Needs(drive=False), quiet=quiet) as parts, workspace(parts, "audit") as room:
        if parts.builder is None:
            raise EngineMissing(
                f"{name} is no file, folder or target, and there is no engine: {parts.no_builder}"
            )
        file = room.folder / "image.tar"
        parts.progress.step(f"save {name}")
        parts.builder.save(name, file)
        return _audited(file, name, parts, room.folder)


def audit_built(target: Target, settings: Settings, *, quiet: bool) -> Audit:
    """Build a target from its checkout, and audit the image; without an engine that is said, and no more."""
    with opened(settings, Needs(drive=False), quiet=quiet) as parts:
        if parts.builder is None or not target.build:
            why = parts.no_builder or "the configuration says `build: false`"
            return Audit(notes=(f"the image of {target.name} was not looked into: {why}",))
        try:
            audit = _built(target, parts, parts.builder)
        except RefitError as error:
            return Audit(problems=(Problem(target.name, error.message, error.hint),))
        remember(target, audit.findings, parts)
        return audit


def _built(target: Target, parts: Parts, builder: Builder) -> Audit:
    project = next(one for one in parts.projects if one.name == target.project)
    checkout = parts.forge(project).checkout(project)
    with workspace(parts, "audit") as room:
        checkout.export(room.folder / "context")
        parts.progress.step(f"build {target.name}")
        request = BuildRequest(
            context=inside(room.folder / "context", target.context),
            dockerfile=inside(room.folder / "context", target.dockerfile),
            name=room.name,
            args=target.args,
            stage=target.stage,
            seconds=parts.policy.build_seconds,
            scratch=room.folder,
            secrets=parts.policy.secrets.get(target.project, {}),
        )
        built = build(parts, request)
        file = room.folder / "image.tar"
        builder.save(built.image, file)
        return _audited(file, f"{target.name} (built from {checkout.commit[:12]})", parts, room.folder)


def _audited(file: Path, name: str, parts: Parts, scratch: Path) -> Audit:
    parts.progress.step(f"look into {name}")
    image = read(file, name, machine_platform())
    parts.progress.step(f"look for secrets in {name}")
    secrets, note = _secrets(for_scanner(file, scratch), name, parts)
    audit = audit_image(replace(image, secrets=secrets))
    return replace(audit, notes=(note,)) if note else audit


def _secrets(file: Path, name: str, parts: Parts) -> tuple[tuple[Secret, ...] | None, str]:
    """What Trivy finds, else why it did not look: a scan that failed is never clean."""
    digest = hashlib.sha256(str(file).encode()).hexdigest()
    request = ScanRequest(
        name,
        remote=False,
        digest=f"sha256:{digest}",
        platform=machine_platform(),
        exposure=True,
        archive=file,
    )
    try:
        return parts.scanner.scan(request).secrets or (), ""
    except RefitError as error:
        return None, f"no scanner looked for secrets in {name}: {error.message}"
