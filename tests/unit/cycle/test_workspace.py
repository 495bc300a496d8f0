"""What work leaves behind: nothing, whether it ends well, badly or is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cycle.workspace import inside, sweep, workspace
from bot.errors import EngineError
from tests.fakes.builder import FakeBuilder
from tests.unit.cycle.house import House, house

ROOT = Path(__file__).parents[3]
DIES = """\
import sys, os
from pathlib import Path
from tests.unit.cycle.house import house
from bot.cycle.workspace import workspace
with workspace(house(Path(sys.argv[1]), {}).parts(), "proof") as room:
    (room.folder / "big").write_text("x")
    print(room.name, flush=True)
    os._exit(9)
"""


def died(shop: House, folder: Path) -> str:
    """Name of the work of a process that was killed in the middle of it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", DIES, str(folder)], env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 9, ended.stderr
    name = ended.stdout.strip()
    assert (shop.work / name / "big").exists()
    return name


def removed(shop: House) -> list[str]:
    assert shop.builder is not None
    return shop.builder.removed


def test_at_the_end_of_work_its_folder_and_its_images_are_gone(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    with workspace(shop.parts(), "proof") as room:
        (room.folder / "file").touch()
    assert list(shop.work.iterdir()) == []
    assert removed(shop) == [room.name]


def test_they_are_gone_where_the_work_fails_too(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    with pytest.raises(EngineError), workspace(shop.parts(), "proof"):
        raise EngineError("the build cannot be read")
    assert list(shop.work.iterdir()) == []
    assert len(removed(shop)) == 1


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)

    sweep(shop.parts())

    assert removed(shop) == [name]
    assert list(shop.work.iterdir()) == []


def test_work_that_goes_on_is_left_alone_by_a_sweep(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    with workspace(shop.parts(), "rescan") as room:
        (room.folder / "file").touch()
        sweep(shop.parts())
        assert removed(shop) == []
        assert (room.folder / "file").exists()


def test_two_state_folders_on_one_engine_stay_out_of_each_others_way(tmp_path: Path) -> None:
    mine, other = house(tmp_path / "a", {}), house(tmp_path / "b", {})
    with workspace(other.parts(), "proof") as theirs, workspace(mine.parts(), "proof") as ours:
        assert not theirs.name.startswith(ours.name)
        sweep(mine.parts())
    assert removed(mine) == [ours.name]


def test_an_engine_that_is_gone_keeps_the_rest_for_the_next_sweep(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)
    working = shop.builder
    shop.builder = _Gone()
    sweep(shop.parts())

    shop.builder = working
    sweep(shop.parts())

    assert removed(shop) == [name]


class _Gone(FakeBuilder):
    def remove(self, prefix: str) -> None:
        raise EngineError(f"the engine could not remove {prefix}")


@pytest.mark.parametrize("path", ["out", "out/deeper", "../elsewhere", "/etc", "in/../../elsewhere"])
def test_a_build_context_that_leads_out_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "context"
    (root / "in").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / "out").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(EngineError, match="leads out of the project"):
        inside(root, path)


def test_a_build_context_inside_the_project_is_taken_as_it_is_named(tmp_path: Path) -> None:
    root = tmp_path / "context"
    (root / "v2").mkdir(parents=True)
    (root / "current").symlink_to("v2")

    assert inside(root, ".") == root
    assert inside(root, "current") == root / "current"
