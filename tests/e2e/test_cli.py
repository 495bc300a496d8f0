"""The command line as a process: signals, pipes, terminals, and what is left behind."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.call import environment, refit_process
from tests.e2e.world import World

MANY = 3000
SLOW = "FROM {base}\nRUN sleep 6\nCMD sleep 600\n"


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bot.cli", *words]


def dockerfiles(folder: Path, number: int) -> None:
    for one in range(number):
        (folder / f"{one}.dockerfile").write_text("FROM debian:12\n")


def on_terminal(folder: Path, *words: str, **more: str) -> tuple[int, str]:
    """Exit code and everything that a terminal of 100 columns was sent."""
    ours, theirs = pty.openpty()
    env = environment({"HOME": str(folder), "TERM": "xterm-256color", "COLUMNS": "100"} | more)
    with subprocess.Popen(
        command(*words), cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as child:
        os.close(theirs)
        sent = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux's way to say that nobody holds the terminal any more
                break
            if not piece:
                break
            sent += piece
        os.close(ours)
        return child.wait(), sent.decode()


def test_a_terminal_gets_colour_and_a_pipe_does_not(tmp_path: Path) -> None:
    dockerfiles(tmp_path, 1)

    code, shown = on_terminal(tmp_path, "discover")
    piped = refit_process("discover", folder=tmp_path, env={"HOME": str(tmp_path)})

    assert code == piped.code == 0
    assert "\x1b[" in shown
    assert "\x1b" not in piped.out + piped.err


def test_no_color_is_obeyed_on_a_terminal(tmp_path: Path) -> None:
    dockerfiles(tmp_path, 1)

    for words in (("chekc",), ("discover",), ("doctor",)):
        _, shown = on_terminal(tmp_path, *words, NO_COLOR="1", DOCKER_HOST="unix:///nowhere.sock")
        assert re.findall(r"\x1b\[[0-9;]*3[0-7]m", shown) == []


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    dockerfiles(tmp_path, MANY)
    env = environment({"HOME": str(tmp_path)})

    with subprocess.Popen(
        command("discover", "--format", "json"),
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        first = child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()

    assert first == b"{\n"
    assert (child.returncode, said) == (0, b"")


def test_a_terminal_that_knows_only_ascii_gets_escapes(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PYTHONIOENCODING": "ascii", "DOCKER_HOST": "unix:///nowhere.sock"}

    ended = refit_process("doctor", folder=tmp_path, env=env)

    assert ended.code == 0, ended.err
    assert "\\u2713 git" in ended.out


def running(folder: Path) -> list[str]:
    """The command lines of processes that work in a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_run_ends_at_once_leaves_nothing_running_and_is_gone_on_with(
    world: World, number: signal.Signals
) -> None:
    base = world.base()
    path = world.project({"Dockerfile": SLOW.format(base=base.pinned)})
    base.move()
    temporary, work = world.folder / "tmp", world.state / "work"
    temporary.mkdir()
    env = world.environment(TMPDIR=str(temporary))
    log = world.folder / "stderr"

    with (
        log.open("wb") as errors,
        subprocess.Popen(
            world.command("run", "--format", "json"),
            cwd=world.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as child,
    ):
        wait_until_building(child, log, work)
        child.send_signal(number)
        out, _ = child.communicate(timeout=15)

    assert child.returncode == 130
    assert out == b""
    assert log.read_text().splitlines()[-1] == "interrupted"
    assert running(work) == running(temporary) == []
    assert [*world.leftovers(), *temporary.iterdir()] == []
    assert world.branches(path) == []
    assert world.run().document["attempt"] == 1
    assert len(world.branches(path)) == 1


def wait_until_building(child: subprocess.Popen[bytes], log: Path, work: Path) -> None:
    """Wait until the builds run; fails with what was said where the run ends before."""
    for _ in range(600):
        if child.poll() is not None:
            pytest.fail(log.read_text())
        if "build before and after" in log.read_text() and any("docker" in one for one in running(work)):
            return
        time.sleep(0.1)
    pytest.fail("nothing was built within a minute")
