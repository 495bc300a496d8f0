"""`refit compare`: two images side by side, or a pull request's proof once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.app import Needs, machine_platform, open_parts
from bot.builder import measure_saved
from bot.commands.interrupt import interruptible
from bot.commands.options import ConfigOption, QuietOption, config_or_defaults, errors_console, load_config
from bot.commands.output import colored, width, write, write_json
from bot.cycle.compare_images import Archive, InEngine, Published, Source, Subject, compare_images
from bot.cycle.parts import Parts
from bot.cycle.repeat import repeat
from bot.cycle.rescan import target_named
from bot.cycle.workspace import workspace
from bot.errors import UsageError
from bot.model.compared import ImageComparison
from bot.model.reference import Reference
from bot.progress import TerminalProgress
from bot.report import compare as compared
from bot.report.compare_document import document
from bot.report.wording import count
from bot.saved import for_scanner, is_saved_image, open_saved
from bot.settings import Settings

_IN_ENGINE = "engine:"


@dataclass(frozen=True, slots=True)
class _Build:
    """How a Dockerfile is built, as the command line says."""

    context: Path | None
    args: tuple[str, ...]
    stage: str | None

    def source(self, name: str, dockerfile: Path) -> Source:
        return Source(name, dockerfile, self.context or dockerfile.parent, self.pairs(), self.stage)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        parted = [word.partition("=") for word in self.args]
        wrong = [key for key, mark, _ in parted if not (key and mark)]
        if wrong:
            raise UsageError(f"--build-arg takes NAME=VALUE, not {wrong[0]!r}")
        return tuple((key, value) for key, _, value in parted)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A saved image that is still to be read."""

    name: str
    path: Path


class Output(StrEnum):
    """How the comparison is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


ImagesArgument = Annotated[list[str], typer.Argument(metavar="A B", hidden=True)]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="COMMIT",
        help="Repeat a proof, on two digests of a target's base: --at COMMIT TARGET DIGEST DIGEST.",
    ),
]
ContextOption = Annotated[
    Path | None,
    typer.Option("--context", metavar="DIR", help="Build context. [default: the Dockerfile's folder]"),
]
ArgOption = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="NAME=VALUE", help="Build argument; may be given several times."),
]
StageOption = Annotated[
    str | None, typer.Option("--stage", metavar="NAME", help="Stage to build. [default: the last]")
]
OutputOption = Annotated[Output, typer.Option("--format", help="A table for people, Markdown, or JSON.")]


def compare(  # noqa: PLR0913 - the options of a command line
    images: ImagesArgument,
    *,
    at: AtOption = None,
    context: ContextOption = None,
    build_arg: ArgOption = None,
    stage: StageOption = None,
    output: OutputOption = Output.TABLE,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> int:
    """Compare two images side by side: size, build time, layers, packages, vulnerabilities.

    Each is an image in a registry (debian:12), a Dockerfile or a folder with one, a saved image
    (docker save, or an OCI layout), or engine:NAME for an image that the engine has.
    """
    expected = "A B" if at is None else "TARGET DIGEST DIGEST"
    if len(images) != len(expected.split()):
        raise UsageError(
            f"compare takes {expected}, not {count(len(images), 'argument')}",
            hint="For example: refit compare debian:11 debian:12; `refit compare --help` tells more.",
        )
    settings = config_or_defaults(config) if at is None else load_config(config)
    with interruptible(), TerminalProgress(errors_console(), quiet=quiet) as progress:
        if at is None:
            build = _Build(context, tuple(build_arg or ()), stage)
            result = _compared(settings, progress, images, build)
        else:
            with open_parts(settings, progress, Needs(drive=False)) as parts:
                result = _repeated(parts, images, at)
    _show(result, output)
    return 0


def _show(result: ImageComparison, output: Output) -> None:
    match output:
        case Output.JSON:
            write_json(document(result))
        case Output.MARKDOWN:
            write(compared.markdown(result))
        case Output.TABLE:
            write(compared.render(result, width=width(), color=colored()))


def _compared(
    settings: Settings, progress: TerminalProgress, images: Sequence[str], build: _Build
) -> ImageComparison:
    before, after = (_subject(text, build) for text in images)
    engine = any(isinstance(one, Source | InEngine) for one in (before, after))
    with (
        open_parts(settings, progress, Needs(drive=False, engine=engine)) as parts,
        workspace(parts, "archives") as room,
    ):
        return compare_images(
            parts, _read(before, room.folder / "before"), _read(after, room.folder / "after")
        )


def _subject(text: str, build: _Build) -> Subject | _Saved:
    """What a word of the command line means: a file that is there comes first.

    Raises:
        UsageError: It is neither a file nor an image.
    """
    path = Path(text)
    if path.exists():
        return _file(text, path, build)
    if text.startswith(_IN_ENGINE):
        return InEngine(text, text.removeprefix(_IN_ENGINE))
    try:
        return Published(text, Reference.parse(text))
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no file here, and no image: {error}",
            hint="Name an image (debian:12), a Dockerfile, a saved image, or engine:NAME.",
        ) from error


def _file(text: str, path: Path, build: _Build) -> Subject | _Saved:
    if is_saved_image(path):
        return _Saved(text, path.resolve())
    dockerfile = path / "Dockerfile" if path.is_dir() else path
    if not dockerfile.is_file():
        raise UsageError(f"{text} holds neither a Dockerfile nor an image", hint="Name the file itself.")
    return build.source(text, dockerfile.resolve())


def _read(subject: Subject | _Saved, scratch: Path) -> Subject:
    if not isinstance(subject, _Saved):
        return subject
    scratch.mkdir()
    with open_saved(subject.path, machine_platform()) as image:
        found = measure_saved(image, scratch)
    return Archive(subject.name, for_scanner(subject.path, scratch), found)


def _repeated(parts: Parts, words: Sequence[str], commit: str) -> ImageComparison:
    name, old, new = words
    target = target_named(parts, name)
    if target is None:
        raise UsageError(f"there is no target {name!r}", hint="Name a target of the configuration.")
    return repeat(parts, target, commit, old, new)
