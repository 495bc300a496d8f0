"""GitHub Apps: what an App sees of itself with its JWT, and the tokens it mints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server import errors, shapes
from tests.github_server.app_auth import verify
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import LEVELS, Installation, timestamp

if TYPE_CHECKING:
    from tests.github_server.state import App

_INSTALLATION = "/app/installations/{installation_id}"


def _app(call: Call) -> App:
    return verify(call.world, call.bearer)


def _installation(call: Call) -> Installation:
    app, text = _app(call), call.params["installation_id"]
    found = call.world.installations.get(int(text)) if text.isdecimal() else None
    if found is None or found.app is not app:
        raise errors.not_found()
    return found


@operation("GET", "/app")
def get_app(call: Call) -> Reply:
    return Reply(200, shapes.app(call, _app(call)))


@operation("GET", "/app/installations")
def list_installations(call: Call) -> Reply:
    app = _app(call)
    mine = [item for item in call.world.installations.values() if item.app is app]
    return page(call, mine, lambda item: shapes.installation(call, item))


@operation("GET", _INSTALLATION)
def get_installation(call: Call) -> Reply:
    return Reply(200, shapes.installation(call, _installation(call)))


@operation("GET", "/repos/{owner}/{repo}/installation")
def get_repository_installation(call: Call) -> Reply:
    app, owner, name = _app(call), call.params["owner"], call.params["repo"]
    for item in call.world.installations.values():
        covered = item.repositories is None or name in item.repositories
        if item.app is app and item.account.login == owner and covered:
            return Reply(200, shapes.installation(call, item))
    raise errors.not_found()


@operation("POST", _INSTALLATION + "/access_tokens")
def create_token(call: Call) -> Reply:
    """A token for the installation, for fewer repositories and permissions where the request says so."""
    item = _installation(call)
    names, permissions = _names(call, item), _permissions(call, item)
    token = call.world.mint(item, permissions, names)
    assert token.expires_at is not None
    body: dict[str, Any] = {
        "token": token.value,
        "expires_at": timestamp(token.expires_at),
        "permissions": permissions,
    }
    body["repository_selection"] = "all" if names is None else "selected"
    if call.body.get("repositories") or call.body.get("repository_ids"):
        found = [repo for repo in call.world.repositories.values() if _covers(item, names, repo.full_name)]
        body["repositories"] = [shapes.repository(call, repo) for repo in found]
    return Reply(201, body)


def _covers(item: Installation, names: set[str] | None, full_name: str) -> bool:
    owner, _, name = full_name.partition("/")
    return owner == item.account.login and (names is None or name in names)


def _names(call: Call, item: Installation) -> set[str] | None:
    ids = call.body.get("repository_ids") or []
    hosted = {repo.name: repo for repo in call.world.repositories.values() if repo.owner is item.account}
    asked = set(call.body.get("repositories") or []) | {
        name for name, repo in hosted.items() if repo.id in ids
    }
    if not asked and not ids:
        return item.repositories
    allowed = set(hosted) if item.repositories is None else item.repositories & set(hosted)
    if not asked or not asked <= allowed:
        raise errors.unprocessable(
            "There is at least one repository that does not exist or is not accessible "
            "to the parent installation."
        )
    return asked


def _permissions(call: Call, item: Installation) -> dict[str, str]:
    asked = call.body.get("permissions")
    if not asked:
        return dict(item.permissions)
    for name, level in asked.items():
        if LEVELS.get(item.permissions.get(name, ""), 0) < LEVELS.get(level, 9):
            raise errors.unprocessable("The permissions requested are not granted to this installation.")
    return {"metadata": "read", **asked}


@operation("GET", "/installation/repositories")
def list_accessible(call: Call) -> Reply:
    if call.token is None or call.token.installation is None:
        raise errors.RefusedError(403, "You must authenticate with an installation access token")
    found = [repo for repo in call.world.repositories.values() if call.covers(repo)]
    return page(call, found, lambda repo: shapes.repository(call, repo), "repositories")
