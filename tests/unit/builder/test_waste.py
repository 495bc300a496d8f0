"""Waste as dive counts it, and the bytes that packages own."""

from __future__ import annotations

import pytest

from bot.builder.packages import package_size
from bot.builder.waste import waste
from bot.model.evidence import PathSize
from tests.unit.builder.layers import layer


def test_the_example_of_dives_own_tests() -> None:
    """`TestEfficiency` in dive/filetree/efficiency_test.go: 15,000 of 20,000 bytes."""
    found = waste(
        [layer({"etc/nginx/nginx.conf": 2000, "etc/nginx/public": 3000}),
         layer({"etc/nginx/nginx.conf": 5000, "etc/athing": 10_000})]
    )  # fmt: skip
    assert found.efficiency == pytest.approx(0.75)
    assert (found.wasted, found.paths) == (7000, (PathSize("etc/nginx/nginx.conf", 7000),))


def test_a_removed_file_wastes_all_of_its_earlier_copy() -> None:
    found = waste([layer({"keep": 1000, "cache": 3000}), layer({".wh.cache": 0, "new": 1000})])
    assert found.efficiency == pytest.approx(2000 / 5000)
    assert found.wasted == 3000
    assert found.user_share == pytest.approx(3.0)


def test_a_removed_folder_is_charged_what_it_hid() -> None:
    found = waste(
        [layer({"var/": 0, "var/a": 1000, "var/b/c": 500}), layer({".wh.var": 0}), layer({"var": 10})]
    )
    assert found.wasted == 1500 + 10


def test_an_image_of_one_layer_wastes_nothing_and_has_no_share() -> None:
    found = waste([layer({"a": 1, "b": 2})])
    assert (found.efficiency, found.wasted, found.user_share, found.paths) == (1.0, 0, None, ())


@pytest.mark.parametrize("layers", [[], [{}], [{"empty": 0}, {"link": 0}]], ids=["none", "empty", "no bytes"])
def test_an_image_without_bytes_is_no_division_by_zero(layers: list[dict[str, int]]) -> None:
    found = waste([layer(files) for files in layers])
    assert (found.efficiency, found.user_share) == (1.0, None)


DPKG = "var/lib/dpkg/info/"
OWNED = {
    "dpkg": {f"{DPKG}a.list": b"/.\n/usr\n/usr/bin/a\n/usr/share/doc/a\n", "usr/bin/a": 700, "app": 9},
    "dpkg with a merged /usr": {f"{DPKG}a.list": b"/bin/a\n", "usr/bin/a": 700, "app": 9},
    "distroless": {"var/lib/dpkg/status.d/a.md5sums": b"0123  usr/bin/a\n", "usr/bin/a": 700},
    "apk": {"lib/apk/db/installed": b"P:a\nF:usr/bin\nR:a\nZ:Q1\n", "usr/bin/a": 700, "app": 9},
}


@pytest.mark.parametrize("files", OWNED.values(), ids=OWNED.keys())
def test_packages_own_the_files_that_are_there(files: dict[str, bytes | int]) -> None:
    assert package_size([layer(files)]) == 700


def test_what_a_later_layer_removed_is_nobodys() -> None:
    below = layer({f"{DPKG}a.list": b"/usr/bin/a\n/usr/bin/b\n", "usr/bin/a": 700, "usr/bin/b": 50})
    assert package_size([below, layer({"usr/bin/.wh.a": 0})]) == 50
    assert package_size([below, layer({"usr/.wh..wh..opq": 0})]) == 0
    assert package_size([below, layer({"var/lib/.wh.dpkg": 0})]) is None


def test_without_a_package_database_or_files_in_it_nothing_is_said() -> None:
    assert package_size([layer({"app": 100})]) is None
    assert package_size([layer({"lib/apk/db/installed": b"P:musl\nV:1.2.5-r8\n", "app": 100})]) is None
