"""How the lab comes up and goes down."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.process import run
from deploy.lab import Lab, LabError
from deploy.lab.daemon import Daemon
from deploy.lab.users import Users

pytestmark = pytest.mark.lab


def test_a_second_user_joins_the_lab_that_is_up_and_leaves_it_up(lab: Lab) -> None:
    code = (
        f"from deploy.lab import Lab; from pathlib import Path; Lab.start(Path({str(lab.folder)!r})).stop()"
    )
    run([sys.executable, "-c", code], timeout=600, cwd=Path(__file__).parents[3])
    assert lab.digest("library/node", "18") == lab.stale["library/node:18"]
    assert Daemon("dockerd", lab.folder).pid is not None


def test_a_pid_file_that_a_killed_run_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "gone.pid").write_text("1 12345678901")
    (tmp_path / "garbage.pid").write_text("not a number")
    assert Daemon("gone", tmp_path).pid is None
    assert Daemon("garbage", tmp_path).pid is None


def test_a_user_that_died_without_a_word_counts_no_longer(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("12345678901")
    assert Users(tmp_path).others() == []


def test_a_program_that_does_not_start_says_the_last_line_of_its_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no port left')"]
    with pytest.raises(LabError, match=r"probe did not start: no port left .*probe\.log"):
        Daemon("probe", tmp_path).start(argv, ready=lambda: False, timeout=120)
