"""Logins of the configuration, for the docker command: beside the user's own, gone with the build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.builder.client import BuilderSettings

_FILE: Final = "config.json"


def logged_in(settings: BuilderSettings, folder: Path) -> dict[str, str]:
    """The environment of a build that pulls with the settings' logins; all else of Docker's is the user's.

    Args:
        settings: The logins, and where the user's own configuration is.
        folder: For a configuration that holds both; the caller removes it.
    """
    env = settings.environment()
    if not settings.logins:
        return env
    own, made = Path(env.get("DOCKER_CONFIG") or Path(env["HOME"], ".docker")), folder / "docker"
    made.mkdir(mode=0o700)
    for entry in own.iterdir() if own.is_dir() else ():
        if entry.name != _FILE:  # plug-ins, contexts
            (made / entry.name).symlink_to(entry.resolve())
    (made / _FILE).write_text(json.dumps(_with(settings.logins, own / _FILE)), encoding="utf-8")
    return env | {"DOCKER_CONFIG": str(made)}


def _with(logins: Mapping[str, Mapping[str, str]], file: Path) -> dict[str, Any]:
    """The user's configuration with these logins; a helper without a name keeps Docker from its store."""
    config = _read(file)
    config["auths"] = {**_inner(config, "auths"), **{name: dict(login) for name, login in logins.items()}}
    config["credHelpers"] = {**_inner(config, "credHelpers"), **dict.fromkeys(logins, "")}
    return config


def _read(file: Path) -> dict[str, Any]:
    """What the file holds; nothing where it is none, of which the docker command complains itself."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _inner(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}
