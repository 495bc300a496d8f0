"""Fetch GitHub's OpenAPI description from npm and trim it to the operations that this server has.

    python -m tests.github_server.fetch_openapi

The pinned package is packed by the machine's own npm, checked against the hash below, and kept in
`openapi/` of the lab's folder (`$REFIT_LAB_DIR`, else `.lab` of the repository), never in git. Of its
variants `api.github.com.json` is taken: OpenAPI 3.0, where null is spelled `nullable`; that becomes JSON
Schema here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.github_server import endpoints
from tests.github_server.routing import OPERATIONS

PACKAGE = "@octokit/openapi"
VERSION = "23.0.2"
INTEGRITY = "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
_MEMBER = "package/generated/api.github.com.json"
_TIMEOUT_SECONDS = 300.0
_ROOT = Path(__file__).resolve().parents[2]
assert endpoints.__all__  # importing the package fills the table of operations


class FetchError(Exception):
    """The description could not be had; the message says why and what to do."""


def cache_folder() -> Path:
    """Where the description is kept between runs."""
    return Path(os.environ.get("REFIT_LAB_DIR") or _ROOT / ".lab") / "openapi"


def ensure(folder: Path | None = None) -> Path:
    """The trimmed description, fetched and trimmed where it is not there yet.

    Args:
        folder: The cache; default `cache_folder()`.

    Returns:
        A JSON file with `paths` and `components`.

    Raises:
        FetchError: npm failed, or what it brought is not the pinned package.
    """
    cache = folder or cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{VERSION}-{_fingerprint()}.json"
    with FileLock(cache / "lock"):
        if not target.exists():
            full = cache / f"{VERSION}-full.json"
            if not full.exists():
                _replace(full, _download())
            _replace(target, json.dumps(trim(json.loads(full.read_bytes()))).encode())
    return target


def trim(description: dict[str, Any]) -> dict[str, Any]:
    """This server's operations and the components that they reach, with `nullable` made plain."""
    paths: dict[str, Any] = {}
    for row in OPERATIONS:
        described = description["paths"].get(row.template, {})
        if row.method.lower() in described:
            whole = described[row.method.lower()]
            kept = {key: whole[key] for key in ("requestBody", "responses", "parameters") if key in whole}
            paths.setdefault(row.template, {})[row.method.lower()] = _plain(kept)
    components: dict[str, Any] = {}
    _collect(paths, description["components"], components)
    return {"paths": paths, "components": components}


def _collect(value: Any, source: dict[str, Any], found: dict[str, Any]) -> None:
    """Copy every component that `value` refers to, and what those refer to."""
    waiting = [value]
    while waiting:
        for kind, name in _references(waiting.pop()):
            if name not in found.setdefault(kind, {}):
                found[kind][name] = _plain(source[kind][name])
                waiting.append(found[kind][name])


def _references(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [pair for item in value for pair in _references(item)]
    if not isinstance(value, dict):
        return []
    reference = value.get("$ref")
    if isinstance(reference, str):
        kind, name = reference.removeprefix("#/components/").split("/")
        return [(kind, name)]
    return [pair for item in value.values() for pair in _references(item)]


def _plain(value: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema, and without the examples and prose that nothing here reads."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    idle = {"nullable", "example", "examples", "description", "externalDocs", "x-github"}
    # A property may be called `description`: there the value is a schema, not a text.
    kept = {key: _plain(item) for key, item in value.items() if key not in idle or _is_property(key, item)}
    if isinstance(kept.get("oneOf"), list):
        # Branches overlap (a plain error also fits the one for a broken rule); "any of these" is meant.
        kept["anyOf"] = kept.pop("oneOf")
    if value.get("nullable") is True:
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def _is_property(key: str, item: Any) -> bool:
    return isinstance(item, dict) and key in {"description", "nullable", "example"}


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{PACKAGE}@{VERSION}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False, cwd=folder
            )
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise FetchError(f"npm pack {PACKAGE}@{VERSION}: {error}. Install Node.js with npm.") from error
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(packed) != 1:
            raise FetchError(f"npm pack {PACKAGE}@{VERSION} failed: {done.stderr.strip()}")
        verify(packed[0])
        return _member(packed[0])


def verify(archive: Path, integrity: str = INTEGRITY) -> None:
    """Check an archive against a `sha512-…` integrity string.

    Raises:
        FetchError: it is another archive.
    """
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != integrity:
        raise FetchError(f"{archive.name} has sha512-{digest}, and {integrity} is pinned")


def _member(archive: Path) -> bytes:
    with tarfile.open(archive) as tar:
        content = tar.extractfile(_MEMBER)
        if content is None:
            raise FetchError(f"{archive.name} has no {_MEMBER}")
        return content.read()


def _fingerprint() -> str:
    """Names the trimmed file: another table of operations or another way of trimming is another file."""
    rows = "\n".join(sorted(f"{row.method} {row.template}" for row in OPERATIONS))
    return hashlib.sha256(rows.encode() + Path(__file__).read_bytes()).hexdigest()[:12]


def _replace(target: Path, content: bytes) -> None:
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.replace(target)


if __name__ == "__main__":
    print(ensure())
