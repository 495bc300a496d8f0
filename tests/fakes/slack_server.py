"""A small Slack Web API on loopback: takes messages, and signs commands as Slack does.

Signing: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
_TRIGGERS: Final = itertools.count(1)


@dataclass
class SlackServer:
    """Records every message that was posted.

    Attributes:
        messages: The fields of each `chat.postMessage`, in order.
        told: What was posted to a response URL, for one person's eyes.
        refuse: Method → the error it is answered with.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Root of the Web API."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What Slack would answer to one call."""
        if method in self.refuse:
            return {"ok": False, "error": self.refuse[method]}
        if method == "respond":
            self.told.append(fields)
            return {"ok": True}
        if method == "auth.test":
            return {"ok": True, "team_id": "T1", "user_id": "UBOT", "bot_id": "B1", "user": "refit"}
        if method == "chat.postMessage":
            self.messages.append(fields)
            return {"ok": True, "ts": f"1700000000.{len(self.messages):06}", "channel": fields["channel"]}
        return {"ok": False, "error": "unknown_method"}


def _handler(slack: SlackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            is_json = "json" in self.headers.get("content-type", "")
            fields = json.loads(body) if is_json and body else dict(parse_qsl(body))
            answer = json.dumps(slack.answer(self.path.removeprefix("/api/"), fields)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def command(
    text: str,
    *,
    user: str = "U1",
    channel: str = "C1",
    secret: str = SECRET,
    age: int = 0,
    trigger: str = "",
    response_url: str = "",
) -> tuple[bytes, dict[str, str]]:
    """A slash command as Slack sends it: its body, and its headers with the signature.

    Args:
        text: What the person wrote after `/refit`.
        user: Who.
        channel: Where.
        secret: What it is signed with.
        age: Seconds since it was signed.
        trigger: Id of what triggered it; a new one by default.
        response_url: Where it may be answered later.
    """
    trigger = trigger or f"1700000000.{next(_TRIGGERS)}"
    fields = {"command": "/refit", "text": text, "user_id": user, "channel_id": channel, "team_id": "T1"}
    fields |= {"trigger_id": trigger, "response_url": response_url}
    body = urlencode(fields).encode()
    stamp = str(int(time.time()) - age)
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return body, {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signature}",
    }
