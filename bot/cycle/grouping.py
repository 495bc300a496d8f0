"""Grouping: which updates share one pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.dockerfile.verify import spans
from bot.model import marker
from bot.model.run import Planned
from bot.model.target import Project
from bot.model.update import Grouping
from bot.updates.rules import Rule, rule_for

_ALL: Final = "all images"


@dataclass(frozen=True, slots=True)
class Group:
    """Updates that share one pull request.

    Attributes:
        project: Where.
        image: What moves, in words that stay the same: the image without its digest, `all images`, or
            `images of app/Dockerfile`.
        members: One for each image, target or file.
        by: What brought them together.
    """

    project: Project
    image: str
    members: tuple[Planned, ...]
    by: Grouping = Grouping.IMAGE

    @property
    def slot(self) -> str:
        """Project, image and files; what belongs to a whole project keeps its slot whatever files move."""
        files = [] if self.by is Grouping.PROJECT else [planned.use.file for planned in self.members]
        return marker.slot(self.project.name, self.image, files)

    @property
    def branch(self) -> str:
        """The branch named after the slot."""
        names = sorted({planned.subject for planned in self.members}) if self.by is Grouping.IMAGE else []
        return marker.branch(self.slot, self.image, *names[:3])

    @property
    def proposal(self) -> str:
        """What is proposed: with the slot, it decides what is new."""
        return marker.proposal(str(planned.update.to) for planned in self.members)


def whole_project(project: Project) -> str:
    """The slot of all images of a project."""
    return marker.slot(project.name, _ALL, [])


def whole_file(project: Project, file: str) -> str:
    """The slot of all images of a file."""
    return marker.slot(project.name, _images_of(file), [file])


def _images_of(file: str) -> str:
    return f"images of {file}"


def grouped(updates: Sequence[Planned], rules: Sequence[Rule] = ()) -> tuple[Group, ...]:
    """Put updates together by the rule of each, in the order they were planned.

    By default one image in one project is a group. Uses that share an `ARG` change together, or the
    change of one would move the others unasked: they are one group whatever the rules say.
    """
    groups: dict[int, list[Planned]] = {}
    known: dict[tuple[str | int, ...], int] = {}
    for number, planned in enumerate(updates):
        handles = (_key(planned, rules), *_shareable(planned))
        own = sorted({known[handle] for handle in handles if handle in known}) or [number]
        members = [one for first in own for one in groups.pop(first, [])]
        groups[own[0]] = [*members, planned]
        known.update(dict.fromkeys(handles, own[0]))
        if len(own) > 1:
            known.update({handle: own[0] for handle, first in known.items() if first in own})
    return tuple(_group(members, rules) for _, members in sorted(groups.items()))


def _key(planned: Planned, rules: Sequence[Rule]) -> tuple[str, ...]:
    project = planned.project.name
    by = rule_for(rules, project, planned.use).group
    match by:
        case Grouping.PROJECT:
            return (by, project, _ALL)
        case Grouping.FILE:
            return (by, project, _images_of(planned.use.file))
        case Grouping.IMAGE:
            return (by, project, image_of(planned), str(planned.update.to))


def _shareable(planned: Planned) -> Iterator[tuple[str | int, ...]]:
    """The bytes that an edit of this update changes, which a use of another one may be made of too."""
    for use in planned.uses:
        for span in spans(use):
            yield (planned.project.name, use.file, *span)


def _group(members: Sequence[Planned], rules: Sequence[Rule]) -> Group:
    by, _, image, *_ = _key(members[0], rules)
    return Group(members[0].project, image, tuple(members), Grouping(by))


def image_of(planned: Planned) -> str:
    """The image that moves, without its digest: `debian:bookworm-slim`."""
    reference = planned.use.reference
    if reference is None:
        return planned.use.text
    return f"{reference.name}:{reference.effective_tag}" if reference.effective_tag else reference.name
