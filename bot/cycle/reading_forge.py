"""Many machines: a forge that this one only reads. What is to be written, one that publishes writes.

Each call that would write becomes a job, and waits for its receipt. All of them look before they write, so
a job that is done twice changes nothing the second time. So a machine that drives needs no token that writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter

from bot.cycle.crew import WRITE, Crew
from bot.errors import ForgeRefused, ForgeUnavailable, ServiceError
from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.receipt import Receipt
from bot.model.run import Issue, Publication, PullRequest
from bot.model.target import Project
from bot.model.writing import Attest, Close, Say, ShowIssue, Writing
from bot.ports import Checkout, Forge, Task

# A task is a small JSON value: this is where it is written and read.
_JSON: Final[Mapping[str, TypeAdapter[Writing]]] = MappingProxyType(
    {kind.__name__: TypeAdapter(kind) for kind in (ShowIssue, Close, Attest, Say)}
)


@dataclass(frozen=True, slots=True)
class ReadingForge:
    """The `Forge` port: reads by itself, and has others write.

    Attributes:
        forge: What it reads.
        crew: Hands out the jobs.
        life: Names this use of the forge: what failed in another one is tried again in this.
    """

    forge: Forge
    crew: Crew
    life: str

    def checkout(self, project: Project, commit: str | None = None) -> Checkout:
        """See `Forge.checkout`."""
        return self.forge.checkout(project, commit)

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        """See `Forge.find`."""
        return self.forge.find(project, slot, branch)

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        """See `Forge.find_issue`."""
        return self.forge.find_issue(project, slot)

    def open_pulls(self, project: Project) -> tuple[OpenPull, ...]:
        """See `Forge.open_pulls`."""
        return self.forge.open_pulls(project)

    def proposal(self, project: Project, pull: OpenPull, paths: Sequence[str]) -> Proposal:
        """See `Forge.proposal`."""
        return self.forge.proposal(project, pull, paths)

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        """A pull request has a job of its own (`Crew.publish`): who writes it composes it from its proof."""
        del existing
        raise ForgeRefused(f"{wanted.title!r} in {project.name} is not this machine's to write")

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        """See `Forge.publish_issue`."""
        return _publication(self._have(project, ShowIssue(wanted, existing)))

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        """See `Forge.close`."""
        return _publication(self._have(project, Close(publication, comment)))

    def attest(self, project: Project, check: Check) -> bool:
        """See `Forge.attest`."""
        return self._have(project, Attest(check)).whole

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        """See `Forge.say`."""
        self._have(project, Say(url, key, text))

    def _have(self, project: Project, writing: Writing) -> Receipt:
        """Have it written, and wait until it is.

        Raises:
            ForgeError: The forge did not take it.
        """
        kind = type(writing).__name__
        text = _JSON[kind].dump_json(writing).decode()
        digest = hashlib.sha256(f"{kind} {text}".encode(errors="surrogatepass")).hexdigest()[:16]
        key = f"{WRITE} {self.life} {project.name} {digest}"
        value = {"project": project.name, "kind": kind, "writing": text, "key": key}
        receipt = self.crew.receipt(Task(WRITE, value), key)
        if receipt.error:
            raise (ForgeRefused if receipt.refused else ForgeUnavailable)(receipt.error, hint=receipt.hint)
        return receipt


def write(forge: Forge, project: Project, value: Mapping[str, str]) -> Receipt:
    """Do what a job of a `ReadingForge` asks for.

    Raises:
        ForgeError: The forge did not take it, or it is not ours to close.
    """
    key, writing = value["key"], _JSON[value["kind"]].validate_json(value["writing"])
    match writing:
        case ShowIssue():
            shown = forge.publish_issue(project, writing.wanted, writing.existing)
            return Receipt(key, publication=shown)
        case Close():
            _check_ours(forge, project, writing.publication)
            return Receipt(key, publication=forge.close(project, writing.publication, writing.comment))
        case Attest():
            return Receipt(key, whole=forge.attest(project, writing.check))
        case Say():
            forge.say(project, writing.url, writing.key, writing.text)
            return Receipt(key)


def _check_ours(forge: Forge, project: Project, publication: Publication) -> None:
    """Whoever can write to the store can ask; what is not ours, as the forge sees it, is not closed."""
    found = (
        forge.find(project, publication.slot, publication.branch)
        if publication.branch
        else forge.find_issue(project, publication.slot)
    )
    if found is None or found.url != publication.url:
        raise ForgeRefused(f"{publication.url} is not ours to close")


def _publication(receipt: Receipt) -> Publication:
    if receipt.publication is None:
        raise ServiceError(f"the job {receipt.key!r} left no publication")
    return receipt.publication
