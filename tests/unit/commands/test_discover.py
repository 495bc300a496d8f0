"""`refit discover` on any folder: what names an image, and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from bot.report import schemas
from tests.unit.commands.conftest import Refit

Write = Callable[[str, str], Path]
MANY = 4_000
BYTES_PER_FILE = 2_000  # its path, and little else; the uses of one file take more when they are kept


def places(refit: Refit, *paths: str) -> list[str]:
    answer = refit("discover", "--format", "json", *paths)
    assert answer.code == 0, answer.err
    return [f"{use['file']}:{use['line']} {use['reference']}" for use in answer.document["uses"]]


def test_every_place_is_listed_with_its_line(refit: Refit, write: Write) -> None:
    write(
        "Dockerfile", "ARG V=12\nFROM debian:${V} AS build\nCOPY --from=busybox:1.37 /bin/sh /\nFROM build\n"
    )

    answer = refit("discover")

    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()] == [
        ["PLACE", "KIND", "IMAGE", "NOTE"],
        ["Dockerfile:1", "from", "debian:12", "stage", "build"],
        ["Dockerfile:3", "copy-from", "busybox:1.37", "stage", "build"],
        ["Dockerfile:4", "from", "build", "a", "stage", "of", "this", "file,", "not", "an", "image"],
        ["3", "uses", "in", "1", "file"],
    ]
    assert answer.err == ""


def test_json_is_one_document_that_is_valid_against_its_schema(refit: Refit, write: Write) -> None:
    write("Dockerfile", "FROM debian:12@sha256:" + "a" * 64 + "\nFROM scratch\n")
    write("compose.yaml", "services: {db: {image: 'postgres:16'}}\n")

    answer = refit("discover", "--format", "json")

    jsonschema.validate(answer.document, schemas.schemas()["discover"])
    first, _, database = answer.document["uses"]
    assert (first["registry"], first["repository"], first["tag"]) == ("docker.io", "library/debian", "12")
    assert (database["kind"], database["file"]) == ("compose", "compose.yaml")


def test_an_empty_folder_has_no_uses(refit: Refit) -> None:
    assert refit("discover").out == "0 uses in 0 files\n"
    assert places(refit) == []


def test_gitignored_and_vendored_files_are_left_out_with_and_without_git(refit: Refit, write: Write) -> None:
    write(".gitignore", "build/\n*.dev\n")
    for path in ("Dockerfile", "Dockerfile.dev", "build/Dockerfile", "node_modules/a/Dockerfile"):
        write(path, "FROM debian:12\n")
    write("services/.gitignore", "/old/\n")
    write("services/old/Dockerfile", "FROM debian:12\n")
    without = places(refit)

    subprocess.run(["git", "init", "-q", "."], check=True)

    assert without == ["Dockerfile:1 debian:12"]
    assert places(refit) == without


def test_a_named_file_is_read_whatever_its_name(refit: Refit, write: Write) -> None:
    write("images/backend.txt", "FROM debian:12\n")

    assert places(refit, "images/backend.txt") == ["images/backend.txt:1 debian:12"]


def test_several_paths_are_listed_as_they_were_named(refit: Refit, write: Write) -> None:
    write("a/Dockerfile", "FROM debian:12\n")
    write("b/sub/Dockerfile", "FROM nginx:1.27\n")
    write("c.dockerfile", "FROM node:22\n")

    assert places(refit, "a", "./b/", "c.dockerfile") == [
        "a/Dockerfile:1 debian:12",
        "b/sub/Dockerfile:1 nginx:1.27",
        "c.dockerfile:1 node:22",
    ]


def unreadable(name: str) -> None:
    """A Dockerfile that even root cannot read, in one of several ways."""
    file = Path("Dockerfile")
    if name == "pipe":
        os.mkfifo(file)
    elif name == "too large":
        with file.open("wb") as handle:
            handle.truncate(11 * 1024**2)
    else:
        target = {"leads out": Path("/etc/passwd"), "leads nowhere": Path("gone"), "circle": file}[name]
        file.symlink_to(target)


PROBLEMS = {
    "leads out": "is a link that leads out of",
    "leads nowhere": "No such file or directory",
    "circle": "its links go in a circle",
    "pipe": "is no plain file",
    "too large": "has more than 10485760 bytes",
}


@pytest.mark.parametrize(("how", "told"), PROBLEMS.items(), ids=PROBLEMS.keys())
def test_a_file_that_cannot_be_read_is_told_and_the_others_are_listed(
    refit: Refit, write: Write, how: str, told: str
) -> None:
    unreadable(how)
    write("other/Dockerfile", "FROM debian:12\n")

    answer = refit("discover", "--format", "json")

    assert answer.code == 3
    assert [use["file"] for use in answer.document["uses"]] == ["other/Dockerfile"]
    assert answer.err.startswith("failed: ")
    assert told in answer.err


def test_a_folder_inside_a_repository_is_read_as_git_sees_it(refit: Refit, write: Write) -> None:
    write(".git/info/exclude", "scratch/\n")
    write(".gitignore", "out/\n/web/local/\n!/web/kept/out/\n")
    for path in ("web", "web/out", "web/local", "web/deep/local", "web/scratch", "web/kept/out"):
        write(f"{path}/Dockerfile", "FROM debian:12\n")

    assert places(refit, "web") == [
        "Dockerfile:1 debian:12",
        "deep/local/Dockerfile:1 debian:12",
        "kept/out/Dockerfile:1 debian:12",
    ]
    assert places(refit, "web/out") == ["Dockerfile:1 debian:12"]


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("> /dev/full", 3, "error: the result cannot be written: No space left on device\n"),
        (">&-", 3, "error: standard output is closed\nhint:  Send it to a file, or to /dev/null.\n"),
        ("| true", 0, ""),
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_result_that_cannot_be_written_is_said(
    tmp_path: Path, form: str, where: str, code: int, said: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:12\n")
    program = Path(sys.executable).with_name("refit")
    line = f"set -o pipefail; {program} discover {tmp_path} --format {form} {where}"

    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)

    assert (done.returncode, done.stderr.decode()) == (code, said)


def test_a_file_name_that_is_no_utf8_is_escaped(refit: Refit) -> None:
    folder = os.fsencode("b") + b"\xff"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/Dockerfile")).write_bytes(b"FROM debian:12\n")

    answer = refit("discover", "--format", "json")

    assert json.loads(answer.out)["uses"][0]["file"] == "b\udcff/Dockerfile"
    assert answer.out.isascii()


@pytest.mark.parametrize("output", ["json", "table"])
def test_the_memory_of_discover_does_not_grow_with_the_files(tmp_path: Path, output: str) -> None:
    few, many = MANY // 10, MANY
    for number in range(many):
        folder = tmp_path / ("few" if number < few else "many") / f"service{number}"
        folder.mkdir(parents=True)
        text = f"ARG V=1.{number}\nFROM node:$V AS build\nFROM nginx:1.27\nCOPY --from=build /a /b\n"
        (folder / "Dockerfile").write_text(text)

    small, listed = listing(tmp_path / "few", output, tmp_path)
    large, all_listed = listing(tmp_path, output, tmp_path)

    assert all_listed > 8 * listed
    assert (large - small) / (many - few) < BYTES_PER_FILE


def listing(folder: Path, output: str, scratch: Path) -> tuple[int, int]:
    """The bytes of memory that a real process takes to list a folder, and how many lines it writes."""
    written = scratch / "listing"
    with written.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "discover", "--format", output, str(folder)], stdout=out
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss * 1024, written.read_bytes().count(b"\n")


def test_long_names_are_folded_and_push_nothing_out_of_the_table(refit: Refit, write: Write) -> None:
    image = "registry.example.com:5000/a-team/with-quite-a-long-name/debian:bookworm-slim"
    folder = "services/a-service-with-a-name-that-somebody-invented/build"
    write(f"{folder}/Dockerfile", f"FROM {image}@sha256:{'a' * 64} AS runtime\n")

    out = refit("discover").out

    assert max(map(len, out.splitlines())) <= 100
    columns = [[line[start:end].strip() for line in out.splitlines()[1:-1]] for start, end in spans(out)]
    place, kind, shown, note = ("".join(column) for column in columns)
    assert place == f"{folder}/Dockerfile:1"
    assert (kind, note) == ("from", "stage runtime")
    assert shown == f"{image}@aaaaaaaaaaaa"


def spans(table: str) -> list[tuple[int, int]]:
    """Where the columns of a table begin and end, by its header."""
    header = table.splitlines()[0]
    starts = [header.index(name) for name in ("PLACE", "KIND", "IMAGE", "NOTE")]
    return list(zip(starts, [*starts[1:], 200], strict=True))


def test_the_dotenv_beside_a_compose_file_is_read_for_a_folder_and_for_a_file(
    refit: Refit, write: Write
) -> None:
    write(".env", "REGISTRY=mirror.test\n")
    write("compose.yaml", "services: {db: {image: '${REGISTRY}/postgres:16'}}\n")

    assert places(refit) == ["compose.yaml:1 mirror.test/postgres:16"]
    assert places(refit, "compose.yaml") == ["compose.yaml:1 mirror.test/postgres:16"]
