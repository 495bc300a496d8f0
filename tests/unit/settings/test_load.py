"""A configuration is read, or refused with file, line, key, value and the way out."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.model.update import UpdateKind
from bot.settings import Secret, Settings, load

EXAMPLE = Path(__file__).parents[3] / "config" / "bot.example.yaml"


def test_the_example_is_valid_and_shows_every_key() -> None:
    settings = load(EXAMPLE)

    assert settings.rules[0].minimum_age == timedelta(days=14)
    assert settings.rules[0].ignore is not None
    assert settings.rules[0].ignore.until == date(2027, 2, 1)
    assert settings.rules[1].allow is UpdateKind.MINOR
    assert settings.projects[0].targets[0].budget == 200_000_000
    assert settings.projects[0].targets[0].health.companions == ("postgres:16",)


def test_every_key_of_the_models_is_explained_in_the_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")

    missing = [name for name in _keys(Settings.model_json_schema(by_alias=True)) if f"{name}:" not in text]

    assert missing == []


def _keys(schema: dict[str, object]) -> list[str]:
    found: list[str] = []
    for name, value in schema.items():
        if name == "properties" and isinstance(value, dict):
            found += value
        if isinstance(value, dict):
            found += _keys(value)
    return found


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text("projects: [{name: shop, forge: local, path: ../shop}]\nscanner: {ignore_file: ig}\n")

    settings = load(file)

    assert settings.projects[0].path == tmp_path / "../shop"
    assert settings.scanner.ignore_file == tmp_path / "ig"


WRONG = {
    "unknown key": ("projectss: []", "1: projectss: there is no such key; did you mean `projects`?"),
    "unknown nested key": (
        "projects:\n  - name: a/b\n    targts: []",
        "3: projects.0.targts: there is no such key; did you mean `targets`?",
    ),
    "size": (
        "projects:\n  - name: a/b\n    targets:\n      - name: x\n        budget: 20 apples",
        "5: projects.0.targets.0.budget: a size is a number and a unit, for example 200 MB (the value is",
    ),
    "duration": (
        "rules:\n  - minimum_age: soon",
        "2: rules.0.minimum_age: a duration is a number and a unit, for example 3 days or 90 s (the value",
    ),
    "level": ("rules:\n  - allow: all", "2: rules.0.allow: Input should be 'pin', 'digest'"),
    "zone": ("timezone: Mars/Base", "1: timezone: no such time zone: 'Mars/Base'"),
    "cron": ("schedule:\n  monthly: often", "2: schedule.monthly: not a cron expression"),
    "platform": (
        "projects:\n  - name: a/b\n    targets: [{name: x, platforms: [amd64]}]",
        "a platform is os/architecture[/variant], not 'amd64'",
    ),
    "reference": (
        "projects:\n  - name: a/b\n    targets: [{name: x, image: 'Bad Image'}]",
        "an image reference has no spaces: 'Bad Image'",
    ),
    "literal secret": ("github:\n  token: ghp_abc", "2: github.token: a secret is never written here"),
    "two places for a secret": ("github:\n  token: {env: A, file: B}", "give exactly one of env and file"),
    "local without path": ("projects: [{name: shop, forge: local}]", "needs `path`"),
    "github without owner": (
        "projects: [{name: shop}]",
        "named owner/name, not 'shop'; one on this machine has `forge: local` and `path`",
    ),
    "twice the same project": ("projects: [{name: a/b}, {name: a/b}]", "two projects share the name 'a/b'"),
    "twice the same in another case": ("projects: [{name: a/b}, {name: A/b}]", "share the name 'A/b'"),
    "twice the same target": (
        "projects: [{name: a/b, targets: [{name: x}, {name: x}]}]",
        "two targets share the name 'x'",
    ),
    "not YAML": ("a: [", ":1: not YAML"),
    "a list": ("- a", "1: (the file): keys with values belong here"),
    "a word for a section": ("github: yes", "1: github: keys with values belong here"),
    "tab": ("a:\n\t- b", "not YAML"),
    "mirror": ("registries: [{host: docker.io, mirrors: [mirror]}]", "a mirror is a URL"),
    "half a login": ("registries: [{host: docker.io, username: x}]", "username and password go together"),
    "glob": ("projects: [{name: a/b, exclude: ['!']}]", "no glob with the syntax of .gitignore"),
    "endless duration": ("rules: [{minimum_age: .inf}]", "a duration is at most 100 years"),
    "endless size": (f"builder: {{memory: {'9' * 400} GB}}", "a size is a number and a unit"),
    "half an app": ("github: {app_id: 1}", "app_id and app_key go together"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_named_with_its_place_and_way_out(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert message in caught.value.message
    assert str(file) in caught.value.message


def test_every_mistake_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text("timezone: Mars/Base\nprojectss: []\n")

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert len(caught.value.message.splitlines()) == 2


@pytest.mark.parametrize("secret", ["ghp_very_secret", "48151623", "4815.1623"])
def test_a_literal_secret_is_never_echoed(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text(f"github:\n  token: {secret}\n")

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert secret not in caught.value.message
    assert "name its place" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "store: mysql://refit:hunter2@db.example.com/refit",
        "store: postgresql://refit:hunter2@db.example.com",
        "store: postgresql://db.example.com/refit?user=refit&password=hunter2",
        "registries: [{host: docker.io, mirrors: ['https://me:hunter2@mirror.example.com']}]",
        "matrix: {homeserver: 'ftp://me:hunter2@matrix.example.com'}",
        "artifacts: {location: 's3://made-up-id:hunter2@bucket/refit'}",
    ],
)
def test_a_password_in_a_url_is_never_echoed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert "hunter2" not in caught.value.message


def test_a_secret_ends_before_the_line_end_that_editors_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_bytes(b"s3cret\r\n")
    monkeypatch.setenv("REFIT_TEST_TOKEN", "s3cret\n")

    assert Secret(file=tmp_path / "token").read("token") == "s3cret"
    assert Secret(env="REFIT_TEST_TOKEN").read("token") == "s3cret"


def test_a_secret_that_is_no_text_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="is not UTF-8"):
        Secret(file=tmp_path / "token").read("token")


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nothing.yaml")

    assert "refit init" in caught.value.hint
