from __future__ import annotations

import pytest

from bot.dockerfile.files import ignored, is_compose, is_dockerfile, select


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile",
        "a/b/Dockerfile",
        "Dockerfile.prod",
        "app.Dockerfile",
        "app.dockerfile",
        "dockerfile",
        "Containerfile",
        "Containerfile.dev",
        "Containerfile-x",
        "a/Dockerfile.d/Dockerfile",
    ],
)
def test_a_dockerfile_is_known_by_its_name(path: str) -> None:
    assert is_dockerfile(path)


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfiles",
        "MyDockerfile",
        "Dockerfile.prod.dockerignore",
        ".dockerfile.swp",
        "dockerfile/README.md",
        "docker-compose.yml",
        "Dockerfile~",
        "containers.txt",
        ".dockerignore",
    ],
)
def test_another_file_is_no_dockerfile(path: str) -> None:
    assert not is_dockerfile(path)


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("compose.yaml", True),
        ("compose.yml", True),
        ("docker-compose.yml", True),
        ("deploy/docker-compose.prod.yaml", True),
        ("compose.override.yml", True),
        ("docker-compose-dev.yml", True),
        ("composer.yml", False),
        ("compose.json", False),
        ("my-compose.yml", False),
    ],
)
def test_a_compose_file_is_known_by_its_name(path: str, known: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_compose(path) is known


def test_vendored_excluded_and_ignored_files_are_left_out() -> None:
    paths = [
        "z/Dockerfile",
        "Dockerfile",
        "compose.yaml",
        "README.md",
        "web/node_modules/x/Dockerfile",
        "vendor/x/Dockerfile",
        "third_party/x/Dockerfile",
        ".git/Dockerfile",
        "examples/Dockerfile",
        "examples/kept/Dockerfile",
        "build/Dockerfile",
    ]

    found = select(paths, exclude=["examples/*", "!examples/kept"], gitignore=b"# mine\n/build/\n")

    assert found == ("Dockerfile", "compose.yaml", "examples/kept/Dockerfile", "z/Dockerfile")


@pytest.mark.parametrize(
    ("path", "files", "left_out"),
    [
        ("a/Dockerfile", {"": b"a/\n"}, True),
        ("a/Dockerfile", {"a": b"Dockerfile\n"}, True),
        ("a/Dockerfile", {"b": b"Dockerfile\n"}, False),
        ("a/Dockerfile", {"": b"Dockerfile\n", "a": b"!Dockerfile\n"}, False),
        ("a/b/Dockerfile", {"": b"a/\n", "a": b"!b/\n"}, True),
        ("a/b/Dockerfile", {"": b"/b/\n"}, False),
        ("a/b/Dockerfile", {"a": b"/b/\n"}, True),
        ("a/Dockerfile", {}, False),
    ],
)
def test_nested_gitignore_files_are_read_as_git_reads_them(
    path: str,
    files: dict[str, bytes],
    left_out: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert ignored(path, files) is left_out
