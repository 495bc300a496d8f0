"""Outside programs are bounded in time and output, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.errors import ProcessFailed
from bot.process import environment, run

ROOT = Path(__file__).parents[2]
KILLED = """\
from bot.process import run
def told(pid): print(pid, flush=True)
run(["sh", "-c", "echo $$ >&2; exec sleep 60"], timeout=120, tied=True, on_line=told)
"""


def test_output_and_exit_code_come_back() -> None:
    finished = run(["sh", "-c", "echo out; echo err >&2"], timeout=120)

    assert (finished.code, finished.stdout, finished.stderr) == (0, b"out\n", b"err\n")


def test_a_tool_that_fills_the_error_pipe_does_not_hang() -> None:
    finished = run(["sh", "-c", "head -c 300000 /dev/zero >&2; echo done"], timeout=120)

    assert finished.stdout == b"done\n"
    assert len(finished.stderr) == 300_000


def test_a_tool_past_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"

    with pytest.raises(ProcessFailed, match="did not end within"):
        run(["sh", "-c", f"sleep 60 & echo $! > {child}; wait"], timeout=3)

    assert not _alive(int(child.read_text()))


def test_a_tool_is_ended_when_there_is_a_reason_and_the_reason_is_told(tmp_path: Path) -> None:
    child = tmp_path / "child"

    with pytest.raises(ProcessFailed, match="was ended: the disk is full"):
        run(
            ["sh", "-c", f"sleep 60 & echo $! > {child}; wait"],
            timeout=120,
            until=lambda: "the disk is full" if child.exists() and child.read_text() else "",
        )

    assert not _alive(int(child.read_text()))
    assert run(["sleep", "0.1"], timeout=120, until=lambda: "").code == 0
    with pytest.raises(ProcessFailed, match="did not end within"):
        run(["sleep", "60"], timeout=0.2, until=lambda: "")


def test_two_hundred_tools_later_no_process_thread_or_file_is_left() -> None:
    def left() -> tuple[int, int, int]:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return len(children), threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    run(["true"], timeout=120)
    before = left()
    for number in range(200):
        run(["sh", "-c", f"exit {number % 2}"], timeout=120, check=False, until=lambda: "")

    assert left() <= before


def test_children_left_behind_are_ended(tmp_path: Path) -> None:
    child = tmp_path / "child"

    run(["sh", "-c", f"sleep 60 & echo $! > {child}"], timeout=120)

    assert not _alive(int(child.read_text()))


def test_a_tied_tool_ends_with_a_process_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as ours:
        assert ours.stdout is not None
        tool = int(ours.stdout.readline())
        ours.kill()

    assert not _alive(tool)


def test_a_tied_tool_that_is_missing_says_so_itself() -> None:
    with pytest.raises(ProcessFailed, match="cannot start no-such-tool"):
        run(["no-such-tool"], timeout=120, tied=True)
    with pytest.raises(ProcessFailed, match="sh ended with exit code 3"):
        run(["sh", "-c", "exit 3"], timeout=120, tied=True)


def test_endless_output_is_cut_with_an_error() -> None:
    with pytest.raises(ProcessFailed, match="wrote more than 100000 bytes"):
        run(["yes"], timeout=120, limit=100_000)


def test_input_that_nobody_reads_is_no_error() -> None:
    assert run(["true"], timeout=120, stdin=b"x" * 10**7).code == 0


def test_a_failure_carries_the_last_line_and_the_output() -> None:
    with pytest.raises(ProcessFailed, match="sh ended with exit code 3: second") as caught:
        run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"], timeout=120)

    assert caught.value.output == "first\nsecond"


def test_a_missing_program_says_how_to_get_it() -> None:
    with pytest.raises(ProcessFailed, match="cannot start no-such-tool") as caught:
        run(["no-such-tool"], timeout=120)

    assert caught.value.hint == "Install no-such-tool, or put it on PATH."


def test_nothing_of_our_environment_is_passed_on_but_what_finds_programs() -> None:
    os.environ["REFIT_TEST_SECRET"] = "do not pass on"  # removed below
    try:
        finished = run(["env"], timeout=120, env=environment(EXTRA="1"))
    finally:
        del os.environ["REFIT_TEST_SECRET"]

    assert "do not pass on" not in finished.text
    assert "EXTRA=1" in finished.text


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "no_proxy", "all_proxy"])
def test_a_proxy_is_passed_on_under_whatever_name_it_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")

    assert f"{name}=http://proxy.example:3128" in run(["env"], timeout=120).text


def test_lines_of_standard_error_are_shown_as_they_come() -> None:
    lines: list[str] = []

    run(["sh", "-c", "echo one >&2; echo two >&2"], timeout=120, on_line=lines.append)

    assert lines == ["one", "two"]


def test_a_child_that_left_the_group_and_holds_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    left = f"setsid sh -c 'touch {tmp_path}/left; exec sleep 60' &"

    finished = run(["sh", "-c", f"{left} until [ -e {tmp_path}/left ]; do :; done; echo $!"], timeout=120)

    child = int(finished.stdout)
    assert _runs(child), "it was waited for, as ssh's shared connections would be"
    os.kill(child, signal.SIGKILL)


def test_a_line_that_is_longer_than_a_pipe_holds_is_one_line() -> None:
    lines: list[str] = []

    run(["sh", "-c", "printf '%070000d\\n#1 DONE\\nlast' 0 >&2"], timeout=120, on_line=lines.append)

    assert [len(lines[0]), *lines[1:]] == [65536, "#1 DONE", "last"]


def _alive(pid: int) -> bool:
    """A killed process is gone when the kernel comes to it, which a busy machine takes its time for."""
    for _ in range(1200):
        if not _runs(pid):
            return False
        time.sleep(0.05)
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in ("Z", "X")
    except FileNotFoundError:
        return False


def test_programs_start_again_for_who_ties_up_the_ends_of_what_was_interrupted() -> None:
    program = "from bot import process\nprocess.end_all()\ntry: process.run(['true'], timeout=9)\n"
    program += "except KeyboardInterrupt: print('none starts')\nprocess.go_on()\n"
    program += "print(process.run(['echo', 'on'], timeout=9).text)"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split("\n")[:2] == ["none starts", "on"]
