"""What GitHub says when it refuses: one constructor for each refusal, with its status and its words."""

from __future__ import annotations

from typing import Any

_DOCS = "https://docs.github.com/rest"
MAX_BODY_CHARACTERS = 65_536


class RefusedError(Exception):
    """The request is answered with an error; `status`, `body` and `headers` are the whole answer."""

    def __init__(
        self, status: int, message: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **more, "documentation_url": _DOCS, "status": str(status)}
        self.headers = headers or {}


def bad_credentials() -> RefusedError:
    return RefusedError(401, "Bad credentials")


def needs_authentication() -> RefusedError:
    return RefusedError(401, "Requires authentication")


def not_found() -> RefusedError:
    return RefusedError(404, "Not Found")


def forbidden(kind: str) -> RefusedError:
    """A token without the permission; `kind` is `integration` or `personal access token`."""
    return RefusedError(403, f"Resource not accessible by {kind}")


def archived() -> RefusedError:
    return RefusedError(403, "Repository was archived so is read-only.")


def unprocessable(message: str) -> RefusedError:
    return RefusedError(422, message)


def missing(fields: list[str]) -> RefusedError:
    """Required fields that the request did not bring."""
    names = ", ".join(f'"{name}"' for name in fields)
    verb = "wasn't" if len(fields) == 1 else "weren't"
    return unprocessable(f"Invalid request.\n\n{names} {verb} supplied.")


def wrong_type(field: str, value: object, expected: str) -> RefusedError:
    shown = "nil" if value is None else repr(value)
    return unprocessable(f"Invalid request.\n\nFor 'properties/{field}', {shown} is not {expected}.")


def invalid(resource: str, field: str, code: str = "invalid", **more: Any) -> RefusedError:
    """One field that failed its validation, in the `errors` list."""
    errors = [{"resource": resource, "field": field, "code": code, **more}]
    return RefusedError(422, "Validation Failed", errors=errors)


def custom(resource: str, message: str) -> RefusedError:
    """A refusal that only words explain."""
    errors = [{"resource": resource, "code": "custom", "message": message}]
    return RefusedError(422, "Validation Failed", errors=errors)


def too_long(resource: str) -> RefusedError:
    text = f"body is too long (maximum is {MAX_BODY_CHARACTERS} characters)"
    return invalid(resource, "body", "custom", message=text)
