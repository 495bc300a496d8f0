"""`refit observe` as a person calls it, on the real registry of the distribution project."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot import cli
from bot.report.schemas import FOLDER
from tests.integration.registry.distribution import distribution, push
from tests.integration.registry.images import image

ONE, TWO = image("1"), image("2")
SCHEMA = json.loads((FOLDER / "observe.schema.json").read_text(encoding="utf-8"))


@dataclass
class Care:
    """A project under care that names two images of a registry, and how `refit` is called there."""

    folder: Path
    address: str
    capture: pytest.CaptureFixture[str]

    def observe(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        code = cli.call(["observe", "--config", str(self.folder / "refit.yaml"), *words])
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.observe("--format", "json")[1])
        jsonschema.validate(document, SCHEMA)
        return document

    def dockerfile(self, text: str) -> None:
        """Commit a Dockerfile: what is not committed does not count."""
        shop = self.folder / "shop"
        (shop / "Dockerfile").write_text(text)
        git = ["git", "-C", str(shop), "-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run([*git, "add", "."], check=True, capture_output=True)
        subprocess.run([*git, "commit", "-m", "x"], check=True, capture_output=True)


@pytest.fixture
def care(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Care]:
    (tmp_path / "shop").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "shop")], check=True)
    (tmp_path / "refit.yaml").write_text(
        "state: ./state\nprojects: [{name: shop, forge: local, path: ./shop}]\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    with distribution(tmp_path) as address:
        push(address, "app", "1", ONE)
        push(address, "lib", "1", ONE)
        made = Care(tmp_path, address, capsys)
        made.dockerfile(f"FROM {address}/lib:1 AS lib\nFROM {address}/app:1@{ONE.index.digest}\nFROM lib\n")
        yield made


def test_each_tag_is_asked_about_once_and_the_first_time_stays(care: Care) -> None:
    first = care.document()
    push(care.address, "app", "1", TWO)
    second = care.document()

    names = [f"{care.address}/app:1", f"{care.address}/lib:1"]
    assert [one["reference"] for one in first["sightings"]] == names
    assert [one["change"] for one in first["sightings"]] == ["new", "new"]
    assert (first["asked"], first["requests"], first["failed"]) == (2, {"HEAD": 2, "GET": 0}, [])
    assert [(one["change"], one["digest"]) for one in second["sightings"]] == [
        ("moved", TWO.index.digest),
        ("same", ONE.index.digest),
    ]
    assert second["sightings"][1]["first_seen"] == first["sightings"][1]["first_seen"]


def test_a_person_reads_a_table_and_one_line_that_sums_it_up(care: Care) -> None:
    code, out, _ = care.observe()

    assert code == 0
    assert out.splitlines()[0].split() == ["IMAGE", "DIGEST", "FIRST", "SEEN"]
    assert ONE.index.digest[7:19] in out
    assert re.search(r" 20\d\d-\d\d-\d\d \d\d:\d\d UTC ", out)
    assert out.splitlines()[-1] == "2 images observed · 2 new · 2 HEAD"


def test_what_cannot_be_asked_is_named_beside_what_was_seen(care: Care) -> None:
    care.dockerfile(f"FROM {care.address}/app:1\nFROM {care.address}/gone:1\n")

    code, out, err = care.observe()

    assert (code, out.splitlines()[-1]) == (3, "1 image observed · 1 new · 1 failed · 2 HEAD, 1 GET")
    assert f"failed: {care.address}/gone:1: {care.address} has no gone:1" in err


def test_where_no_registry_answers_nothing_could_be_decided(care: Care) -> None:
    care.dockerfile("FROM 127.0.0.1:9/app:1\n")

    code, out, err = care.observe()

    assert (code, out.strip()) == (4, "0 images observed · 1 failed")
    assert "cannot connect to 127.0.0.1:9" in err
