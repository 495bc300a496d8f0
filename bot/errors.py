"""Every expected failure of Refit, in one tree that follows what the caller does next.

::

    RefitError
    ├── UsageError                 the person at the keyboard corrects the call        (exit 2)
    │   └── ConfigError            … or the configuration file
    ├── ServiceError               an outside service let us down; try again later     (exit 4)
    │   ├── RegistryError
    │   │   ├── RegistryUnreachable
    │   │   ├── RegistryRateLimited
    │   │   ├── RegistryLoginFailed
    │   │   ├── ImageNotFound      the tag or digest is gone
    │   │   └── RegistryAnswerInvalid
    │   ├── EngineError
    │   │   ├── EngineMissing
    │   │   └── BuildFailed
    │   ├── ScanError
    │   │   └── ScannerRefused     a version that must not run
    │   ├── ForgeError
    │   │   ├── ForgeUnavailable
    │   │   └── ForgeRefused
    │   │       └── BranchTaken    a person works on our branch: left alone
    │   ├── ChatError
    │   └── ProcessFailed
    ├── StoreError
    │   ├── LeaseHeld              another Refit drives this state folder
    │   └── NotHere                this machine lacks what the work needs: others may have it
    ├── EditError                  an edit would change more than it should
    └── OutputError                the result could not be written
"""

from __future__ import annotations

from typing import ClassVar


class RefitError(Exception):
    """An expected failure: what happened, and what a person can do about it.

    Args:
        message: What, where, and the value that was wrong; one sentence.
        hint: How to fix it; one sentence, or empty when nothing can be done.
    """

    exit_code: ClassVar[int] = 3
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        return self.message


class UsageError(RefitError):
    """The call cannot be carried out as it was made."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong; the message names file, key, value."""


class ServiceError(RefitError):
    """Something outside Refit failed; the same call may work later."""

    exit_code = 4


class RegistryError(ServiceError):
    """A registry did not give what was asked for."""


class RegistryUnreachable(RegistryError):
    """No connection, no answer in time, or a server error."""

    default_hint = "Check the network (HTTPS_PROXY too) and the registry's status; the next run tries again."


class RegistryRateLimited(RegistryError):
    """The registry asked us to slow down, and the wait exceeds what this run may wait."""

    default_hint = "Log in to the registry for a higher limit, or run again later."


class RegistryLoginFailed(RegistryError):
    """The registry refused the credentials, or asked for some where there are none."""

    default_hint = "Check the credentials of this registry; a private image needs them."


class ImageNotFound(RegistryError):
    """The registry answers, and has no such tag or digest."""

    default_hint = "The tag was deleted or never existed: choose another one."


class RegistryAnswerInvalid(RegistryError):
    """The answer breaks the specification, or its bytes do not match their digest."""


class EngineError(ServiceError):
    """The container engine failed."""


class EngineMissing(EngineError):
    """There is no container engine to build with."""

    default_hint = "Install Docker Engine, or set DOCKER_HOST; without one, evidence stays at level base."


class BuildFailed(EngineError):
    """An image did not build.

    Args:
        message: The failing step and its exit code.
        log: The last lines the failing step wrote.
        limit: What ended it: `seconds`, `memory` or `output`; empty where its own step failed.
    """

    def __init__(self, message: str, *, log: str = "", hint: str = "", limit: str = "") -> None:
        super().__init__(message, hint=hint)
        self.log = log
        self.limit = limit


class ScanError(ServiceError):
    """A scan did not finish; its result is unknown, never "no vulnerabilities"."""


class ScannerRefused(ScanError):
    """This scanner must not run: a known malicious version, or not the binary it says it is."""

    exit_code = 2


class ForgeError(ServiceError):
    """The forge did not do what was asked."""


class ForgeUnavailable(ForgeError):
    """No answer, a server error, or a rate limit; the same call may work later."""


class ForgeRefused(ForgeError):
    """The forge understood and said no: permissions, an archived project, invalid input."""

    exit_code = 3


class BranchTaken(ForgeRefused):
    """The branch holds work that is not ours, or somebody stands on it: it is left alone."""

    default_hint = "Merge or close the pull request; Refit does not write over what people pushed."


class ChatError(ServiceError):
    """A chat did not take a message."""


class ProcessFailed(ServiceError):
    """An outside program ended badly, ran out of time, or wrote too much.

    Args:
        message: The program and how it ended.
        output: The last part of what it wrote.
    """

    def __init__(self, message: str, *, output: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.output = output


class StoreError(RefitError):
    """The state folder or database cannot be used."""


class LeaseHeld(StoreError):
    """Another Refit process drives the cycle of this store right now.

    Args:
        message: Who, and where.
        who: The process, as `HOST process PID`; empty where it is not known.
    """

    default_hint = "Wait for it to end, or end it."

    def __init__(self, message: str, *, hint: str = "", who: str = "") -> None:
        super().__init__(message, hint=hint)
        self.who = who


class NotHere(StoreError):
    """This machine lacks what the work needs, now; of those that share the store, another may have it."""

    default_hint = "The work is given to others; this machine takes none until it can."


class NoWorker(StoreError):
    """Of the machines that share the store, none does what is needed; it is asked for again later."""

    default_hint = (
        "Start `refit worker --role prove` where an engine is, and `refit worker --role publish`, or let "
        "`refit serve` do it (`workers.serve`)."
    )


class EditError(RefitError):
    """An edit would change something other than the one reference; nothing was written."""


class OutputError(RefitError):
    """The result could not be written to standard output."""
