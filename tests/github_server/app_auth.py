"""The JWT of an App: RS256, verified, and refused when it is good for more than ten minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt

from tests.github_server import errors

if TYPE_CHECKING:
    from tests.github_server.state import App, World

_LONGEST_SECONDS = 600
# GitHub allows for a clock that goes a little ahead or behind.
_DRIFT_SECONDS = 60
_UNREADABLE = "A JSON web token could not be decoded"


def verify(world: World, bearer: str | None) -> App:
    """The App that signed a JWT.

    Raises:
        RefusedError: 401, as GitHub words it for each fault of a token; 404 for an App that is not there.
    """
    if bearer is None:
        raise errors.RefusedError(401, _UNREADABLE)
    claims = _claims(bearer, None)
    issuer = str(claims.get("iss", ""))
    app = world.apps.get(int(issuer)) if issuer.isdecimal() else None
    if app is None:
        raise errors.RefusedError(404, "Integration not found")
    _check_times(_claims(bearer, app.public_key))
    return app


def _claims(bearer: str, key: str | None) -> dict[str, Any]:
    options: Any = {
        "verify_signature": key is not None,
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    try:
        return jwt.decode(bearer, key or "", algorithms=["RS256"], options=options | {"verify_iss": False})
    except jwt.PyJWTError:
        raise errors.RefusedError(401, _UNREADABLE) from None


def _check_times(claims: dict[str, Any]) -> None:
    now, issued, until = time.time(), claims.get("iat"), claims.get("exp")
    name = "'Expiration time' claim ('exp')"
    if not isinstance(until, int) or until <= now:
        text = "must be a numeric value representing the future time at which the assertion expires"
        raise errors.RefusedError(401, f"{name} {text}")
    if until > now + _LONGEST_SECONDS + 1:
        raise errors.RefusedError(401, f"{name} is too far in the future")
    if not isinstance(issued, int) or issued > now + _DRIFT_SECONDS:
        text = "must be an Integer representing the time that the assertion was issued"
        raise errors.RefusedError(401, f"'Issued at' claim ('iat') {text}")
