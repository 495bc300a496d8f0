"""Ways in which an exchange fails, told apart and put into words."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryError, RegistryUnreachable
from bot.registry.guard import AddressRefused

# What `explained` can put into words.
FAILURES = (TimeoutError, AddressRefused, httpx.TransportError)


class NoConnection(RegistryUnreachable):
    """No connection could be made at all: nothing was sent."""


class Interrupted(RegistryUnreachable):
    """The connection broke before the answer was complete; asking again is safe."""


def explained(error: Exception, host: str, seconds: float) -> RegistryError:
    """The error of a request to `host` (with its port) that might take `seconds`, for people."""
    match error:
        case AddressRefused() | httpx.ConnectTimeout() | httpx.ConnectError() | httpx.ProxyError():
            return _not_connected(error, host)
        case TimeoutError() | httpx.TimeoutException():
            return RegistryUnreachable(f"{host} did not finish its answer within {seconds:g} s")
        case httpx.LocalProtocolError():
            # Its text quotes the header that is wrong, which may be the login.
            return RegistryAnswerInvalid(f"cannot ask {host}: a header holds what HTTP does not allow")
        case httpx.RemoteProtocolError():
            return _no_answer(error, host)
        case _:
            return Interrupted(f"{host} broke the connection off: {_reason(error)}")


def _not_connected(error: Exception, host: str) -> NoConnection:
    if isinstance(error, AddressRefused):
        hint = "A registry may not send Refit into its own network."
        return NoConnection(f"refused to connect: {error}", hint=hint)
    late = isinstance(error, httpx.ConnectTimeout)
    return NoConnection(f"cannot connect to {host}: {'nobody answers there' if late else _reason(error)}")


def _no_answer(error: httpx.RemoteProtocolError, host: str) -> RegistryError:
    """Tell a connection that ended too early from an answer that is no HTTP."""
    text = str(error)
    if "disconnected" in text:
        return Interrupted(f"{host} hung up without an answer")
    if "peer closed" in text:
        return Interrupted(f"{host} hung up in the middle of its answer")
    return RegistryAnswerInvalid(f"{host} answered with something that is no HTTP: {text[:100]}")


def _reason(error: Exception) -> str:
    """The innermost cause, in the words of the system: `Connection refused`."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    if isinstance(cause, ssl.SSLError):
        text = getattr(cause, "verify_message", None) or cause.reason or "TLS failed"
    elif isinstance(cause, socket.gaierror):
        text = "there is no such host name"
    elif isinstance(cause, OSError) and cause.errno is not None and cause.errno in errno.errorcode:
        text = os.strerror(cause.errno)
    else:
        text = str(cause)
    return str(text or type(cause).__name__)[:200]
