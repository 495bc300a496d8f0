"""A small Slack on loopback: takes messages, and sends commands, mentions and buttons.

It sends them signed, over HTTP, or over a WebSocket (Socket Mode).

Signing: https://docs.slack.dev/authentication/verifying-requests-from-slack
Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.fakes.slack_blocks import complaints

SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
_TRIGGERS: Final = itertools.count(1)
_BEGIN: Final = 1_700_000_000
_BUSY: Final = {"ok": False, "error": "ratelimited"}


@dataclass
class SlackServer:
    """Records every message that was posted, and refuses what Slack would refuse.

    Attributes:
        messages: The fields of each `chat.postMessage`, in order, as edited since.
        edits: The fields of each `chat.update`, in order.
        told: What was posted to a response URL, for one person's eyes.
        refuse: Method → the error it is answered with.
        busy: How many of the next calls are answered with "too many requests".
        pause: Seconds after which one may come again then.
        asked: The method of each call, in order.
        groups: Members of user groups.
        acknowledged: The payloads that envelopes were answered with in Socket Mode, by envelope id.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    busy: int = 0
    pause: int = 1
    asked: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    sockets: list[ServerConnection] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None
    _websockets: Server | None = None
    _answers: Queue[str] = field(default_factory=Queue)

    @property
    def url(self) -> str:
        """Root of the Web API."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    @property
    def _socket_url(self) -> str:
        assert self._websockets is not None
        return f"ws://127.0.0.1:{self._websockets.socket.getsockname()[1]}/link"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self._websockets = serve(self._connected, "127.0.0.1", 0)
        threading.Thread(target=self._websockets.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._websockets is not None
        self._server.shutdown()
        self._server.server_close()
        for socket in self.sockets:
            socket.close()
        self._websockets.shutdown()

    def answer(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What Slack would answer to one call."""
        if method in self.refuse:
            return {"ok": False, "error": self.refuse[method]}
        wrong = complaints(fields) if method in ("chat.postMessage", "chat.update", "respond") else []
        if wrong:
            return {"ok": False, "error": "invalid_blocks", "errors": wrong}
        known: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "respond": self._respond,
            "auth.test": lambda _: {"team_id": "T1", "user_id": "UBOT", "bot_id": "B1", "user": "refit"},
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "apps.connections.open": lambda _: {"url": self._socket_url},
            "usergroups.users.list": lambda asked: {"users": self.groups.get(asked["usergroup"], [])},
        }
        return (
            {"ok": True, **known[method](fields)}
            if method in known
            else {"ok": False, "error": "unknown_method"}
        )

    def thread(self, root: int = 0) -> list[dict[str, Any]]:
        """The messages of the thread below a message, in order."""
        return [one for one in self.messages if one.get("thread_ts") == self.messages[root]["ts"]]

    def send(self, kind: str, payload: dict[str, Any], *, retry: int = 0) -> dict[str, Any]:
        """Send an envelope in Socket Mode; what it was acknowledged with."""
        envelope = f"envelope-{next(_TRIGGERS)}"
        body = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        body |= {"retry_attempt": retry, "retry_reason": "timeout"} if retry else {}
        self.sockets[-1].send(json.dumps(body))
        while envelope not in self.acknowledged:
            try:
                self._answers.get(timeout=120)
            except Empty:
                raise AssertionError(f"{envelope} was not acknowledged") from None
        return self.acknowledged[envelope]

    def _respond(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.told.append(fields)
        return {}

    def _post(self, fields: dict[str, Any]) -> dict[str, Any]:
        if not fields["channel"].startswith("C") or fields["channel"] == "C9":
            return {"ok": False, "error": "channel_not_found"}
        ts = f"{_BEGIN}.{len(self.messages) + 1:06}"
        self.messages.append({**fields, "ts": ts})
        return {"ts": ts, "channel": fields["channel"]}

    def _update(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.edits.append(fields)
        next(one for one in self.messages if one["ts"] == fields["ts"]).update(fields)
        return {"ts": fields["ts"], "channel": fields["channel"]}

    def _connected(self, socket: ServerConnection) -> None:
        socket.send(json.dumps({"type": "hello", "num_connections": 1}))
        self.sockets.append(socket)
        try:
            for text in socket:
                answer = json.loads(text)
                self.acknowledged[answer["envelope_id"]] = answer.get("payload") or {}
                self._answers.put(answer["envelope_id"])
        except ConnectionClosed:
            return


def _handler(slack: SlackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            is_json = "json" in self.headers.get("content-type", "")
            fields = json.loads(body) if is_json and body else dict(parse_qsl(body))
            slack.asked.append(self.path.removeprefix("/api/"))
            busy, slack.busy = slack.busy > 0, max(0, slack.busy - 1)
            told = slack.answer(self.path.removeprefix("/api/"), fields) if not busy else _BUSY
            answer = json.dumps(told).encode()
            self.send_response(429 if busy else 200)
            if busy:
                self.send_header("retry-after", str(slack.pause))
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
    fields = slash(text, user=user, channel=channel, trigger=trigger, response_url=response_url)
    return signed(urlencode(fields).encode(), "application/x-www-form-urlencoded", secret=secret, age=age)


def slash(
    text: str, *, user: str = "U1", channel: str = "C1", trigger: str = "", response_url: str = ""
) -> dict[str, str]:
    """The fields of a slash command."""
    trigger = trigger or f"{_BEGIN}.{next(_TRIGGERS)}"
    fields = {"command": "/refit", "text": text, "user_id": user, "channel_id": channel, "team_id": "T1"}
    return fields | {"trigger_id": trigger, "response_url": response_url}


def mention(
    text: str, *, user: str = "U1", channel: str = "C1", event: str = "", **more: str
) -> dict[str, Any]:
    """A mention as the Events API tells it; `more` are fields of the event, as `thread_ts` or `bot_id`."""
    stamp = f"{_BEGIN}.{next(_TRIGGERS):06}"
    said = {"type": "app_mention", "user": user, "channel": channel, "text": f"<@UBOT> {text}", "ts": stamp}
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event or f"Ev{stamp}",
        "event": said | more,
        "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
    }


def pressed(message: dict[str, Any], label: str, *, user: str = "U1", trigger: str = "") -> dict[str, Any]:
    """A pressed button of a message, by its label."""
    buttons = [one for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]
    button = next(one for one in buttons if one["text"]["text"] == label)
    action = {
        "type": "button",
        "block_id": "b",
        "action_ts": "1",
        **{k: v for k, v in button.items() if k != "text"},
    }
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user},
        "channel": {"id": message["channel"]},
        "message": {
            "ts": message["ts"],
            **({"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}),
        },
        "trigger_id": trigger or f"{_BEGIN}.{next(_TRIGGERS)}",
        "actions": [action],
    }


def signed_json(body: dict[str, Any], **how: Any) -> tuple[bytes, dict[str, str]]:
    """An event as Slack sends it over HTTP."""
    return signed(json.dumps(body).encode(), "application/json", **how)


def signed_button(body: dict[str, Any], **how: Any) -> tuple[bytes, dict[str, str]]:
    """A pressed button as Slack sends it over HTTP."""
    form = urlencode({"payload": json.dumps(body)}).encode()
    return signed(form, "application/x-www-form-urlencoded", **how)


def signed(
    body: bytes, kind: str, *, secret: str = SECRET, age: int = 0, retry: int = 0
) -> tuple[bytes, dict[str, str]]:
    """A body with the headers that Slack adds; a retry says the how-manieth it is."""
    stamp = str(int(time.time()) - age)
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": kind,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signature}",
    }
    if retry:
        headers |= {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
    return body, headers


def text_of(message: dict[str, Any]) -> str:
    """Everything a person reads in a message: headline, lines, table, foot, buttons, one a line."""
    return "\n".join(line for block in message["blocks"] for line in _READ[block["type"]](block))


_READ: Final[dict[str, Any]] = {
    "rich_text": lambda block: "".join(
        part["text"] for section in block["elements"] for part in section["elements"]
    ).splitlines(),
    "table": lambda block: [" | ".join(cell["text"] for cell in row) for row in block["rows"]],
    "context": lambda block: [one["text"] for one in block["elements"]],
    "actions": lambda block: [f"[{one['text']['text']}]" for one in block["elements"]],
}
