"""The real Trivy at its limits: memory, disk, size, and many scans (R17, R18, R19)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot import process
from bot.errors import ScanError
from bot.scanner import TrivyScanner
from tests.integration.scanner.bench import Bench

pytestmark = pytest.mark.lab

BIG = 5 * 1024**3
ALLOWED = 1024**3


def left_over(bench: Bench) -> list[Path]:
    """What scans left in their slots beside the caches that are kept."""
    slots = bench.settings.folder / "slots"
    return [path for path in slots.iterdir() if path.is_dir() and not path.name.isdigit()]


@pytest.mark.parametrize("memory", [40 * 10**6, 60 * 10**6, 100 * 10**6])
def test_a_scan_that_needs_more_memory_than_allowed_fails_and_says_so(bench: Bench, memory: int) -> None:
    small = replace(bench, settings=replace(bench.settings, memory=memory))
    with pytest.raises(ScanError, match=r"needs more memory than scanner\.memory allows") as raised:
        small.remote(bench.stale)
    assert "scanner.memory" in raised.value.hint
    assert left_over(bench) == []


@pytest.fixture
def tiny(bench: Bench, tmp_path: Path) -> Iterator[Bench]:
    """A bench whose folder is a disk of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    process.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], timeout=30)
    try:
        yield replace(bench, settings=replace(bench.settings, folder=disk))
    finally:
        process.run(["umount", "--lazy", disk], timeout=30)


def test_a_scan_on_a_full_disk_fails_and_says_so_and_leaves_no_file(tiny: Bench) -> None:
    (tiny.settings.folder / "full").write_bytes(bytes(3 * 10**5))
    with pytest.raises(ScanError, match="the disk is full") as raised:
        tiny.scan(tiny.image(f"FROM {tiny.stale}", "RUN mkdir /made"))
    assert "state folder" in raised.value.hint
    assert left_over(tiny) == []


def test_scans_of_several_processes_at_once_wait_for_no_lock_and_take_each_a_place_of_its_own(
    bench: Bench,
) -> None:
    """R19: scanners that know nothing of each other share one folder, as the processes of a machine do."""
    scanners = [replace(bench) for _ in range(8)]
    subjects = [bench.stale, bench.fresh] * 4

    with ThreadPoolExecutor(8) as pool:
        scans = list(pool.map(Bench.remote, scanners, subjects))

    assert [scan.subject for scan in scans] == subjects
    assert all(scan == scans[number % 2] for number, scan in enumerate(scans))
    assert left_over(bench) == []
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(Bench.remote, scanners, subjects)) == scans
    assert len(list((bench.settings.folder / "slots").glob("[0-9]"))) <= 8


@pytest.mark.long
def test_an_image_of_five_gigabytes_is_scanned_within_a_gigabyte_of_memory(bench: Bench) -> None:
    image = bench.image(
        f"FROM {bench.stale}",
        "RUN for i in 1 2 3 4 5; do truncate -s 1G /big-$i; done",
        "RUN mkdir /many && cd /many && seq 20000 | xargs touch",
    )
    one = replace(bench, settings=replace(bench.settings, memory=ALLOWED))
    scan = one.scan(image, keep=True, exposure=True)
    base = bench.remote(bench.stale)
    assert scan.size is not None
    assert scan.size > BIG
    assert scan.packages == base.packages
    assert scan.vulnerabilities == base.vulnerabilities
    assert left_over(bench) == []


@pytest.mark.long
def test_a_hundred_scans_leave_no_process_and_no_file(bench: Bench) -> None:
    scanner = bench.scanner
    sbom_scans = TrivyScanner(bench.settings, artifacts=bench.artifacts)
    first = bench.remote(bench.stale, keep=True)
    sbom = bench.artifacts.get(first.artifacts[0].digest)
    before = sorted(path.name for path in (bench.settings.folder / "slots").iterdir())
    for _ in range(100):
        assert sbom_scans.scan_sbom("debian", sbom).packages == first.packages
    assert sorted(path.name for path in (bench.settings.folder / "slots").iterdir()) == before
    assert children() == []
    assert scanner.identity() == sbom_scans.identity()


def children() -> list[str]:
    """Programs that this process started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if rest.split()[1] == str(Path("/proc/self").resolve().name) and "trivy" in name:
            found.append(name)
    return found
