"""Hostile input: large, nested, endless, or leading out of its folder; bounded, and never a crash."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.dockerfile.shell import MAX_COMMANDS, commands
from bot.audit.dockerfile.view import Context
from bot.audit.image import elf
from bot.audit.image.read import read
from bot.audit.nginx.read import MAX_FILE, PREFIX, File
from bot.audit.project import Subject, audit_dockerfile, audit_nginx
from bot.commands.audit_files import audit_file, audit_folder
from bot.errors import EngineError
from bot.model.finding import Audit
from bot.model.target import LINUX_AMD64
from bot.saved.layer import Limits
from tests.unit.audit.auditing import ended
from tests.unit.audit.saved import Made, layer, save


def dockerfile(data: bytes) -> Audit:
    return audit_dockerfile(Subject("Dockerfile", data, Context()), ended)


def nginx(**files: str) -> Audit:
    return audit_nginx(
        {f"{PREFIX}/{name.replace('_', '.')}": File(name, text.encode()) for name, text in files.items()}
    )


LARGE = {
    "one instruction": b"FROM scratch\nRUN " + b"a" * 10_000_000,
    "one instruction of operators": b"FROM scratch\nRUN " + b"&&;|" * 2_500_000,
    "one instruction of quotes": b"FROM scratch\nRUN " + b"\"'" * 5_000_000,
    "a word of brackets": b"FROM scratch\nRUN pip install " + b"[" * 5_000_000,
    "continued lines": b"FROM scratch\nRUN true \\\n" + b" && true \\\n" * 900_000,
    "a heredoc": b"FROM scratch\nRUN <<EOF\n" + b"cargo build\n" * 800_000 + b"EOF\n",
    "many variables in many scripts": b"FROM scratch\nENV "
    + b" ".join(b"V%d=%d" % (n, n) for n in range(2000))
    + b"\n"
    + b"RUN A=1 true; B=2; true; export C=3; true; true\nCOPY $V1 $V2 $V3 /x\n" * 2000,
    "words of a COPY": b"FROM scratch\nCOPY " + b"a " * 5_000_000 + b"/\n",
    "words of an ENV": b"FROM scratch\nENV " + b"A=$B " * 2_000_000,
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE.keys())
def test_a_dockerfile_of_ten_megabytes_is_judged(data: bytes) -> None:
    assert dockerfile(data).subjects == ("Dockerfile",)


def test_a_dockerfile_of_a_million_instructions_is_refused_in_words() -> None:
    audit = dockerfile(b"FROM scratch\n" + b"RUN a\n" * 1_000_000)

    (problem,) = audit.problems
    assert problem.error == "it has more than 5000 instructions"


@given(st.binary(max_size=400))
def test_any_bytes_are_judged_as_a_dockerfile(data: bytes) -> None:
    audit = dockerfile(b"FROM debian:12\n" + data)

    assert audit.subjects == ("Dockerfile",)
    assert all(0 <= finding.line <= data.count(b"\n") + 2 for finding in audit.findings)
    assert all(problem.hint for problem in audit.problems)


@given(st.text(alphabet="{};#\"'\\ \n$abif", max_size=200))
def test_any_text_is_judged_as_an_nginx_configuration(text: str) -> None:
    audit = nginx(nginx_conf=text)

    assert all(0 <= finding.line <= text.count("\n") + 1 for finding in audit.findings)
    assert all(problem.hint for problem in audit.problems)


@given(st.text(alphabet="ab\"'\\$&|;()<>{}= \n", max_size=200))
def test_any_script_gives_commands_with_names(script: str) -> None:
    found = commands(script, {"a": "b"})

    assert len(found) <= MAX_COMMANDS
    assert all(command.words for command in found)


@given(st.binary(max_size=300))
def test_any_bytes_after_the_magic_number_are_no_crash(data: bytes) -> None:
    assert elf.strippable(io.BytesIO(elf.MAGIC + data)) >= 0


def test_an_nginx_configuration_that_includes_itself_ends() -> None:
    audit = nginx(
        nginx_conf="http { include a.conf; }",
        a_conf="include b.conf; server { root /x; }",
        b_conf="include a.conf;",
    )

    assert audit.problems == ()
    assert "RF201" in {finding.rule for finding in audit.findings}


def test_includes_that_double_are_cut_off() -> None:
    files = {f"c{n}_conf": f"include c{n + 1}.conf; include c{n + 1}.conf; " * 4 for n in range(9)}

    audit = nginx(nginx_conf="http { include c0.conf; }", **files, c9_conf="server { root /x; }")

    assert audit.subjects


def test_deep_blocks_are_a_problem_in_words() -> None:
    (problem,) = nginx(nginx_conf="http { " + "a { " * 100_000).problems

    assert "cannot be read" in problem.error


def test_a_large_nginx_configuration_is_not_read_and_that_is_said() -> None:
    (problem,) = nginx(nginx_conf="#" * (MAX_FILE + 1)).problems

    assert problem.error == f"this nginx configuration is not read: it has more than {MAX_FILE} bytes"


def test_an_include_outside_of_the_files_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "secret.conf"
    outside.write_text("server_tokens on;")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "nginx.conf").write_text(
        f"http {{ include {outside}; include ../secret.conf; server {{ root /x; }} }}"
    )

    audit = audit_folder(inside, (), ended)

    assert {finding.subject for finding in audit.findings} <= {"nginx.conf"}
    assert "secret.conf" not in " ".join(audit.subjects)


def test_a_link_out_of_the_context_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.conf"
    outside.write_text("http { server { root /x; server_tokens on; } }")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "nginx.conf").symlink_to(outside)
    (folder / "Dockerfile").write_text("FROM nginx:1.29-alpine\nCOPY nginx.conf /etc/nginx/nginx.conf\n")

    audit = audit_folder(folder, (), ended)

    assert audit.subjects == ("Dockerfile",)


def test_a_dockerfile_that_is_a_link_out_or_a_pipe_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    (folder / "Dockerfile").symlink_to(tmp_path / "Dockerfile")
    os.mkfifo(folder / "b.Dockerfile")

    audit = audit_folder(folder, (), ended)

    assert {problem.subject for problem in audit.problems} == {"Dockerfile", "b.Dockerfile"}


def test_a_file_larger_than_ten_megabytes_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"FROM scratch\n" + b"#" * 11_000_000)

    (problem,) = audit_file(file, ended).problems

    assert "more than" in problem.error


def test_a_tar_bomb_ends_in_an_error_and_little_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(layer({"zeros": b"\0" * 50_000_000}), 9)
    file = save(tmp_path / "image.tar", [bomb])
    assert file.stat().st_size < 200_000

    tracemalloc.start()
    with pytest.raises(EngineError, match="unpack to more than 10,000,000 bytes"):
        read(file, "bomb", LINUX_AMD64, limits=Limits(unpacked=10_000_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20_000_000


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_name_of_a_hundred_megabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 100_000_000
    bomb = gzip.compress(header.tobuf() + b"\0" * 100_000_000)
    file = save(tmp_path / "image.tar", [bomb])

    tracemalloc.start()
    with pytest.raises(EngineError, match="100,000,000 bytes of names"):
        read(file, "bomb", LINUX_AMD64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20_000_000


def test_a_layer_of_very_many_files_ends_in_an_error(tmp_path: Path) -> None:
    file = save(tmp_path / "image.tar", [{f"f{n}": b"" for n in range(600)}])

    with pytest.raises(EngineError, match="more than 500 files"):
        read(file, "many", LINUX_AMD64, limits=Limits(entries=500))


def test_paths_and_links_of_a_layer_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    made: dict[str, Made | bytes] = {
        "../../outside": b"x",
        f"{outside}": b"x",
        "app/link": Made(kind=tarfile.SYMTYPE, link=str(outside)),
        "app/hard": Made(kind=tarfile.LNKTYPE, link="../../../etc/passwd"),
    }

    image = read(save(tmp_path / "image.tar", [made]), "links", LINUX_AMD64)

    assert not outside.exists()
    assert all(".." not in path and not path.startswith("/") for path in image.live)
