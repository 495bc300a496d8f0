"""Image contents: each rule with what it finds, what it leaves alone, and what is disguised."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.audit.image import RULES, audit_image
from bot.audit.image.read import read
from bot.errors import EngineError
from bot.model.exposure import Secret
from bot.model.finding import Finding
from bot.model.severity import Severity
from bot.model.target import LINUX_AMD64
from tests.unit.audit.saved import FOLDER, Layer, Made, save

MB = 1_000_000
STATUS = b"Package: %s\nStatus: install ok installed\nInstalled-Size: 2048\nVersion: 1\n\n"
REMOVED = (STATUS % b"gcc-12").replace(b"install ok", b"deinstall ok").replace(b"installed", b"config-files")


@pytest.fixture
def audit(tmp_path: Path) -> Any:
    def audited(*layers: Layer, **config: Any) -> dict[str, list[Finding]]:
        image = read(
            save(tmp_path / "image.tar", ({}, *layers), **config), "shop:1", LINUX_AMD64, base_layers=1
        )
        found: dict[str, list[Finding]] = {}
        for finding in audit_image(replace(image, secrets=())).findings:
            found.setdefault(finding.rule, []).append(finding)
        return found

    return audited


CASES: Sequence[tuple[str, str, Layer, bool]] = (
    ("RF301", "a map beside its script", {"srv/app.js.map": b"m" * 500}, True),
    ("RF301", "a map of geography", {"srv/world.map": b"m" * 500}, False),
    ("RF301", "a map inside node_modules", {"app/node_modules/x/x.js.map": b"m"}, False),
    ("RF301", "a map of a style sheet", {"srv/assets/a.1f2e.css.map": b"m"}, True),
    ("RF304", "a compiler by dpkg", {"var/lib/dpkg/status": STATUS % b"gcc-12" + STATUS % b"bash"}, True),
    (
        "RF304",
        "a library alone",
        {"var/lib/dpkg/status": STATUS % b"libpq5" + STATUS % b"gcc-12-base"},
        False,
    ),
    (
        "RF304",
        "a compiler by apk",
        {"lib/apk/db/installed": b"P:musl-dev\nI:900000\n\nP:bash\n"},
        True,
    ),
    (
        "RF304",
        "a compiler that was removed",
        {"var/lib/dpkg/status": REMOVED},
        False,
    ),
    ("RF305", "lists of apt", {"var/lib/apt/lists/deb_main_Packages": b"x" * 200_000}, True),
    ("RF305", "a lock file of apt", {"var/lib/apt/lists/lock": b""}, False),
    ("RF305", "downloads of pip in a user's home", {"home/app/.cache/pip/http/a": b"x" * 200_000}, True),
    ("RF306", "the same file twice", {"a/big": b"x" * MB, "b/big": b"x" * MB}, True),
    ("RF306", "a hard link", {"a/big": b"x" * MB, "b/big": Made(kind=b"1", link="a/big")}, False),
    ("RF306", "files of one size", {"a/big": b"x" * MB, "b/big": b"y" * MB}, False),
    ("RF308", "a file for everybody", {"app/run.sh": Made(b"#!/bin/sh", 0o777)}, True),
    ("RF308", "a folder with the sticky bit", {"tmp": replace(FOLDER, mode=0o1777)}, False),
    (
        "RF308",
        "a link",
        {"app/run": Made(kind=b"2", link="/bin/sh", mode=0o777)},
        False,
    ),
    ("RF308", "a folder without the sticky bit", {"data": replace(FOLDER, mode=0o777)}, True),
    ("RF309", "sudo", {"usr/bin/sudo": Made(b"x", 0o4755)}, True),
    ("RF309", "su, which every base has", {"usr/bin/su": Made(b"x", 0o4755)}, False),
    ("RF309", "a program that takes its group", {"opt/tool": Made(b"x", 0o2755)}, True),
    ("RF309", "a folder that hands its group on", {"srv/shared": Made(mode=0o2755, kind=b"5")}, False),
    ("RF313", "a repository", {"app/.git/HEAD": b"ref", "app/.git/config": b"c"}, True),
    ("RF313", "a file about git", {"app/.gitignore": b"x", "app/.github/a.yml": b"y"}, False),
    ("RF313", "a repository of a submodule", {"app/vendor/lib/.git/HEAD": b"ref"}, True),
)


@pytest.mark.parametrize(("rule", "name", "files", "expected"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_a_file_is_found_where_it_should_not_be(
    audit: Any,
    rule: str,
    name: str,
    files: Layer,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert (rule in audit(files)) is expected, name


def test_dev_dependencies_are_those_of_package_json_that_lie_beside_it(audit: Any) -> None:
    manifest = json.dumps(
        {"dependencies": {"express": "5"}, "devDependencies": {"vitest": "3", "express": "5"}}
    )
    modules = "app/node_modules"
    files = {
        "app/package.json": manifest.encode(),
        f"{modules}/express/package.json": b"{}",
        f"{modules}/vitest/package.json": b"{}",
        f"{modules}/vitest/big.js": b"x" * 5000,
    }

    (finding,) = audit(files)["RF303"]

    assert finding.message == "/app/node_modules/ holds vitest"
    assert finding.saves == 5002
    assert "RF303" not in audit({key: files[key] for key in list(files)[:2]})
    # What lies in node_modules has a package.json of its own, which is nobody's wish list here.
    assert "RF303" not in audit(
        {f"{modules}/x/package.json": manifest.encode(), f"{modules}/x/{modules}/vitest/package.json": b"{}"}
    )


def test_what_a_later_layer_replaces_or_removes_is_counted(audit: Any) -> None:
    big = {"app/big": b"x" * 2 * MB, "app/other/big": b"y" * MB}

    replaced = audit(big, {"app/big": b"small"})["RF307"][0]
    removed = audit(big, {"app/.wh.big": b"", "app/other/.wh..wh..opq": b""})["RF307"][0]

    assert replaced.saves == 2 * MB
    assert removed.saves == 3 * MB
    assert "RF307" not in audit(big, {"app/new": b"z"})
    assert "RF307" not in audit(big, {"app": FOLDER})


def test_what_is_hidden_is_not_found_by_other_rules(audit: Any) -> None:
    assert "RF301" not in audit({"srv/app.js.map": b"m"}, {"srv/.wh.app.js.map": b""})
    assert "RF301" not in audit({"srv/app.js.map": b"m"}, {".wh.srv": b""})
    assert "RF304" not in audit(
        {"var/lib/dpkg/status": STATUS % b"gcc"}, {"var/lib/dpkg/status": STATUS % b"bash"}
    )


@pytest.mark.parametrize(
    ("user", "expected"),
    [("", True), ("0", True), ("00", True), ("root:root", True), ("10001", False), ("app", False)],
)
def test_the_running_user_is_judged_by_the_config(audit: Any, user: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ("RF311" in audit(User=user)) is expected


@pytest.mark.parametrize(
    ("port", "user", "expected"),
    [
        ("22/tcp", "1", True),
        ("8080/tcp", "1", False),
        ("80/tcp", "1", True),
        ("80/tcp", "", False),
        ("9229/tcp", "", True),
    ],
)
def test_ports_are_judged_by_what_is_behind_them(audit: Any, port: str, user: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ("RF312" in audit(User=user, ExposedPorts={port: {}})) is expected


def test_a_secret_is_named_by_its_place_and_never_shown(tmp_path: Path) -> None:
    image = read(save(tmp_path / "image.tar", [{}]), "shop:1", LINUX_AMD64)
    secret = Secret("aws-access-key-id", "AWS Access Key ID", Severity.CRITICAL, "app/.env", 3)

    found = audit_image(replace(image, secrets=(secret,)))

    messages = [one.message for one in found.findings if one.rule == "RF310"]
    assert messages == ["AWS Access Key ID in /app/.env, line 3"]
    assert audit_image(replace(image, secrets=())).notes == ()
    assert "no scanner looked for secrets" in audit_image(image).notes[0]


@pytest.fixture(scope="module")
def binary() -> Path:
    """A library with its symbols, as its wheel ships it."""
    module = importlib.util.find_spec("sqlalchemy.engine._result_cy")
    assert module is not None
    assert module.origin is not None
    return Path(module.origin)


def test_what_stripping_saves_is_what_strip_takes_off(audit: Any, tmp_path: Path, binary: Path) -> None:
    stripped = tmp_path / "stripped"
    shutil.copy(binary, stripped)
    subprocess.run(["strip", "--strip-all", stripped], check=True)

    (finding,) = audit({"usr/local/lib/a.so": binary.read_bytes()})["RF302"]

    assert finding.saves is not None
    assert finding.saves == pytest.approx(binary.stat().st_size - stripped.stat().st_size, rel=0.02)
    assert "RF302" not in audit({"usr/local/lib/a.so": stripped.read_bytes()})
    assert "RF302" not in audit({"usr/local/lib/a.so": binary.read_bytes()[:100_000]})


def test_the_binaries_of_the_base_are_not_ours_to_strip(tmp_path: Path, binary: Path) -> None:
    history: list[dict[str, Any]] = [
        {"created_by": "COPY rootfs /"},
        {"created_by": "COPY node /usr/local/bin/node"},
        {"created_by": 'CMD ["node"]', "empty_layer": True},
        {"created_by": "COPY app /app"},
        {"created_by": "USER 1", "empty_layer": True},
        {"created_by": 'CMD ["node", "app"]', "empty_layer": True},
    ]
    layers: list[Layer] = [{}, {"usr/local/bin/node": binary.read_bytes()}, {"app/main.js": b"x"}]

    image = read(save(tmp_path / "image.tar", layers, history=history), "shop:1", LINUX_AMD64)

    assert image.base_layers == 2
    assert [one.rule for one in audit_image(image).findings] == []


def test_packed_layers_are_read_too(tmp_path: Path) -> None:
    image = read(
        save(tmp_path / "image.tar", [{}, {"srv/app.js.map": b"m"}], packed=True), "shop:1", LINUX_AMD64
    )

    assert "srv/app.js.map" in image.live


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b" + b"\0" * 600, b"\0" * 10_240])
def test_what_is_no_image_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "image.tar"
    file.write_bytes(content)

    with pytest.raises(EngineError, match="cannot be read as a saved image"):
        read(file, "shop:1", LINUX_AMD64)


def test_every_rule_has_a_case_here() -> None:
    by_hand = {"RF302", "RF303", "RF307", "RF310", "RF311", "RF312"}

    assert {rule.id for rule in RULES} == {case[0] for case in CASES} | by_hand
