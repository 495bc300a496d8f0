"""Who am I, what is left of my limit, what server is this."""

from __future__ import annotations

from tests.github_server import errors, shapes
from tests.github_server.limits import RESET_SECONDS, quota
from tests.github_server.routing import Call, Reply, operation


@operation("GET", "/user")
def get_user(call: Call) -> Reply:
    account = call.user
    if call.app is not None:
        raise errors.forbidden("integration")
    return Reply(200, shapes.full_user(call, account))


@operation("GET", "/users/{username}")
def get_named_user(call: Call) -> Reply:
    account = call.world.accounts.get(call.params["username"])
    if account is None:
        raise errors.not_found()
    return Reply(200, shapes.full_user(call, account))


@operation("GET", "/rate_limit")
def get_rate_limit(call: Call) -> Reply:
    limit, used, reset = quota(call.token)
    core = {"limit": limit, "used": used, "remaining": limit - used, "reset": reset}
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": reset - RESET_SECONDS + 60}
    return Reply(200, {"resources": {"core": core, "search": search}, "rate": core})


@operation("GET", "/meta")
def get_meta(_call: Call) -> Reply:
    return Reply(200, {"verifiable_password_authentication": False})
