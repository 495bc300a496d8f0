"""What work leaves behind: nothing, whether it ends well, badly or is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.monthly import run_cycle
from bot.cycle.workspace import cut_off, inside, sweep, workspace
from bot.errors import EngineError
from bot.ports import BuildRequest
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


def finish(shop: House, image: str) -> None:
    """The engine ends a build whose client is gone: the image is there."""
    assert shop.builder is not None
    dockerfile = shop.work.parent / "Dockerfile"
    dockerfile.write_text("FROM debian\n")
    shop.builder.build(BuildRequest(dockerfile.parent, dockerfile, image))


def has(shop: House, image: str) -> bool:
    assert shop.builder is not None
    try:
        shop.builder.measure(image)
    except EngineError:
        return False
    return True


def test_at_the_end_of_work_its_folder_and_its_images_are_gone(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    with workspace(shop.parts(), "proof") as room:
        (room.folder / "file").touch()
    assert list(shop.work.iterdir()) == []
    assert removed(shop) == [room.name]


def test_they_are_gone_where_the_work_fails_too(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    with pytest.raises(EngineError), workspace(shop.parts(), "proof") as room:
        raise EngineError("the build cannot be read")
    assert not room.folder.exists()
    assert removed(shop) == [room.name]


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)

    sweep(shop.parts())

    assert removed(shop) == [name]
    assert not (shop.work / name).exists()


def test_what_the_engine_finishes_after_that_is_removed_too(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)
    sweep(shop.parts())

    finish(shop, f"{name}-before")
    shop.clock.moment += timedelta(hours=2)
    sweep(shop.parts())

    assert not has(shop, f"{name}-before")


def test_it_is_looked_for_at_the_end_of_a_cycle_too(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)

    run_cycle(shop.parts(), told=lambda _: finish(shop, f"{name}-before"))

    assert not has(shop, f"{name}-before")


def test_a_name_is_forgotten_when_nothing_of_it_can_come_any_more(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)
    sweep(shop.parts())
    assert any(file.name.startswith(name) for file in shop.work.iterdir())

    shop.clock.moment += timedelta(hours=2)
    sweep(shop.parts())

    assert list(shop.work.iterdir()) == []


@pytest.mark.parametrize(
    "ended", [EngineError("the disk is full"), KeyboardInterrupt()], ids=["failed", "stopped"]
)
def test_what_the_engine_finishes_after_work_was_cut_off_is_removed(
    tmp_path: Path, ended: BaseException
) -> None:
    shop = house(tmp_path, {})
    with pytest.raises(type(ended)), workspace(shop.parts(), "proof") as room:
        raise ended
    finish(shop, f"{room.name}-after")

    with workspace(shop.parts(), "proof"):
        assert not has(shop, f"{room.name}-after")


def test_a_build_that_was_cut_off_costs_the_other_side_nothing(tmp_path: Path) -> None:
    """Others sweep while the other side is still scanned and started."""
    shop = house(tmp_path, {})
    with workspace(shop.parts(), "proof") as room:
        finish(shop, f"{room.name}-after")
        cut_off(shop.parts(), room.name)
        shop.clock.moment += timedelta(hours=2)
        sweep(shop.parts())
        assert has(shop, f"{room.name}-after")


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


def test_where_no_engine_answers_at_all_the_next_sweep_that_has_one_clears(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    name = died(shop, tmp_path)
    working, shop.builder = shop.builder, None
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
