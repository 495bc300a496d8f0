"""Git against hostile repositories, and the local forge where people stand in its way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import BranchTaken, ForgeError, ForgeRefused
from bot.forge.git import Git, git_directory
from bot.forge.local import LocalForge
from bot.forge.mirror import Remote, fetch
from bot.model import marker
from bot.model.run import PublicationState, PullRequest
from bot.model.target import Project


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


class Shell:
    """A person with a checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self("init", "-q", "-b", "main")
        self.commit({"Dockerfile": b"FROM debian:12\n", "app/run.sh": b"#!/bin/sh\n"})

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
        env = {f"GIT_{name}": "ann@example.org" for name in names}
        env |= {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "HOME": "/nonexistent"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=env, check=True, capture_output=True, input=stdin
        )
        return done.stdout.decode(errors="replace").strip()

    def commit(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(content)
        self("add", "-A")
        self("commit", "-qm", "Change")

    def tree(self, *entries: tuple[str, str, str, str]) -> None:
        """Put a tree of (mode, type, content, name) on main that no `git add` would make."""
        lines = []
        for mode, kind, content, name in entries:
            oid = self("hash-object", "-w", "--stdin", stdin=content.encode()) if kind == "blob" else content
            raw = int(mode, 8)
            lines.append(b"%o %s\0" % (raw, name.encode()) + bytes.fromhex(oid))
        raw_tree = b"".join(lines)
        tree = self("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw_tree)
        commit = self("commit-tree", tree, "-m", "hostile")
        self("update-ref", "refs/heads/main", commit)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "shop")


@pytest.fixture
def forge(tmp_path: Path) -> LocalForge:
    return LocalForge(tmp_path / "state", StoppedClock())


def project(shell: Shell, name: str = "shop") -> Project:
    return Project(name, str(shell.folder))


def wanted(
    forge: LocalForge, shell: Shell, digest: str = "sha256:1", path: str = "Dockerfile"
) -> PullRequest:
    checkout = forge.checkout(project(shell))
    slot = marker.slot("shop", "debian:12", [path])
    return PullRequest(
        slot=slot,
        digest=digest,
        branch=marker.branch(slot),
        base=checkout.branch,
        base_commit=checkout.commit,
        title="Bump",
        body="text",
        message="Bump",
        files={path: f"FROM debian:12@{digest}\n".encode()},
    )


@contextmanager
def nothing_ran(folder: Path) -> Iterator[str]:
    """A command that leaves a trace, and the check that it did not run."""
    trace = folder / "trace"
    yield f"touch {trace}"
    assert not trace.exists()


def test_nothing_that_a_repository_configures_is_run(shell: Shell, forge: LocalForge, tmp_path: Path) -> None:
    shell.commit({".gitattributes": b"* filter=evil diff=evil\n"})
    with nothing_ran(tmp_path) as command:
        names = ("core.fsmonitor", "core.sshCommand", "core.pager", "gpg.program", "credential.helper")
        for name in (*names, "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv"):
            shell("config", name, command)
        shell("config", "log.showSignature", "true")
        for hook in (
            "reference-transaction",
            "post-checkout",
            "pre-commit",
            "post-commit",
            "post-index-change",
        ):
            script = shell.folder / ".git/hooks" / hook
            script.parent.mkdir(exist_ok=True)
            script.write_text(f"#!/bin/sh\n{command}\n")
            script.chmod(0o755)
        (tmp_path / "trace").unlink(missing_ok=True)
        published = forge.publish(project(shell), wanted(forge, shell), None)
        forge.checkout(project(shell)).export(tmp_path / "context")
        forge.close(project(shell), published, "done")


def test_work_tree_index_and_head_are_untouched(shell: Shell, forge: LocalForge) -> None:
    (shell.folder / "Dockerfile").write_text("FROM scratch\n")
    (shell.folder / "staged").write_text("x")
    shell("add", "staged")
    index = (shell.folder / ".git/index").read_bytes()
    forge.publish(project(shell), wanted(forge, shell), None)
    assert (shell.folder / ".git/index").read_bytes() == index
    assert (shell.folder / "Dockerfile").read_text() == "FROM scratch\n"
    assert shell("symbolic-ref", "HEAD") == "refs/heads/main"


ESCAPES = {
    "above": [("100644", "blob", "x", "..")],
    "git folder": [("100644", "blob", "x", ".GIT")],
    "through a link": [("120000", "blob", "/tmp", "a"), ("100644", "blob", "x", "a/refit-escaped")],
    "a link through a link": [("120000", "blob", "/tmp", "a"), ("120000", "blob", "x", "a/refit-escaped")],
    "slash": [("100644", "blob", "x", "/tmp/refit-escaped")],
    "twice": [("100644", "blob", "x", "a"), ("100644", "blob", "y", "a")],
}


@pytest.mark.parametrize("entries", ESCAPES.values(), ids=ESCAPES)
def test_a_commit_made_to_escape_writes_nothing_outside(
    shell: Shell, forge: LocalForge, tmp_path: Path, entries: list[tuple[str, str, str, str]]
) -> None:
    shell.tree(*entries)
    (tmp_path / "deep").mkdir()
    with pytest.raises(ForgeError):
        forge.checkout(project(shell)).export(tmp_path / "deep/context")
    assert not os.path.lexists("/tmp/refit-escaped")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) in ([], ["context"])


def test_links_executables_and_odd_names_arrive_as_committed(
    shell: Shell, forge: LocalForge, tmp_path: Path
) -> None:
    (shell.folder / "app/run.sh").chmod(0o755)
    (shell.folder / "link").symlink_to("/etc/hostname")
    shell.commit({"a b\n-c": b"1", "ünï": b"2"})
    checkout = forge.checkout(project(shell))
    checkout.export(tmp_path / "context")
    context = tmp_path / "context"
    assert (context / "link").readlink() == Path("/etc/hostname")
    assert os.access(context / "app/run.sh", os.X_OK)
    assert not os.access(context / "Dockerfile", os.X_OK)
    assert {"a b\n-c", "ünï"} < set(checkout.paths())
    assert "link" not in checkout.paths()
    with pytest.raises(ForgeRefused):
        checkout.read("link")


def test_a_crash_between_branch_and_record_is_made_good(
    shell: Shell, forge: LocalForge, tmp_path: Path
) -> None:
    change = wanted(forge, shell)
    published = forge.publish(project(shell), change, None)
    for record in (tmp_path / "state").rglob("*.json"):
        record.unlink()
    assert forge.find(project(shell), change.slot, change.branch) is None
    again = forge.publish(project(shell), change, None)
    assert (again.url, again.state) == (published.url, PublicationState.OPEN)
    assert shell("rev-list", "--count", f"main..{change.branch}") == "1"


def test_a_branch_that_somebody_made_is_not_overwritten(shell: Shell, forge: LocalForge) -> None:
    change = wanted(forge, shell)
    shell("branch", change.branch)
    with pytest.raises(BranchTaken):
        forge.publish(project(shell), change, None)


def test_a_branch_that_is_checked_out_does_not_move(shell: Shell, forge: LocalForge) -> None:
    first = forge.publish(project(shell), wanted(forge, shell), None)
    shell("switch", "-q", first.branch)
    with pytest.raises(BranchTaken, match="checked out"):
        forge.publish(project(shell), wanted(forge, shell, "sha256:2"), first)


def test_while_somebody_looks_at_our_branch_the_base_stays_the_base(shell: Shell, forge: LocalForge) -> None:
    published = forge.publish(project(shell), wanted(forge, shell), None)
    shell("switch", "-q", published.branch)
    assert forge.checkout(project(shell)).branch == "main"
    assert forge.checkout(project(shell)).read("Dockerfile") == b"FROM debian:12\n"


@pytest.mark.parametrize("name", ["../../escape", "/etc/shop", "a/b", "..", ""])
def test_a_project_name_cannot_lead_out_of_the_state_folder(
    shell: Shell, forge: LocalForge, tmp_path: Path, name: str
) -> None:
    published = forge.publish(project(shell, name), wanted(forge, shell), None)
    assert Path(published.url).resolve().is_relative_to(tmp_path / "state/pull-requests")
    assert forge.find(project(shell, name), published.slot, "") == published


def test_a_linked_work_tree_and_a_bare_repository_are_read_too(shell: Shell, tmp_path: Path) -> None:
    shell("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    shell("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    main = shell("rev-parse", "main")
    assert Git(git_directory(tmp_path / "side")).commit("refs/heads/side") == main
    assert Git(git_directory(tmp_path / "bare")).commit("refs/heads/main") == main


def test_a_folder_inside_a_checkout_says_what_to_configure(shell: Shell, forge: LocalForge) -> None:
    with pytest.raises(ForgeRefused) as caught:
        forge.checkout(Project("shop", str(shell.folder / "app")))
    assert str(shell.folder) in caught.value.hint
    assert "folder to app" in caught.value.hint


def test_a_base_branch_that_is_not_there_names_those_that_are(shell: Shell, forge: LocalForge) -> None:
    with pytest.raises(ForgeRefused) as caught:
        forge.checkout(Project("shop", str(shell.folder), base="trunk"))
    assert "trunk" in str(caught.value)
    assert "main" in caught.value.hint


@pytest.mark.parametrize("url", ["file:///etc", "ext::sh -c id", "ssh://host/x", "/etc", "--upload-pack=id"])
def test_only_http_is_fetched_from(tmp_path: Path, url: str) -> None:
    with pytest.raises(ForgeRefused):
        fetch(Remote(url, "secret"), tmp_path / "mirror.git", "refs/heads/main")


def test_a_remote_does_not_show_its_token() -> None:
    assert "secret" not in f"{Remote('http://host/x', 'secret')!r} {Remote('http://host/x', 'secret')}"
