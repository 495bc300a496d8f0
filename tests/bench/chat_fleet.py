"""A whole bot with 300 projects behind one glob, asked in Slack: seconds until the answer itself is there."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.testclient import TestClient

from bot.service import Service
from bot.settings import load
from tests.fakes.slack_server import SECRET, SlackServer, mention, signed_json
from tests.unit.forge.fleet import fleet

PROJECTS: Final = 300
MOVING: Final = 40
ASKED: Final = 10
LIMIT_SECONDS: Final = 1.0
WORDS: Final = ("status", "next", "help", "rescan bakend", "report", "snooze nginx:1.29-alpine 14 freeze")
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that is asked over signed HTTP, and the Slack that it answers in."""

    web: TestClient
    slack: SlackServer

    def seconds(self, text: str) -> float:
        """Ask in a mention, and wait for the last message of its thread, as a person does."""
        said, begun = len(self.slack.messages), time.perf_counter()
        body, headers = signed_json(mention(text))
        assert self.web.post("/slack/events", content=body, headers=headers).status_code == 200
        while not self._answered(said):
            if time.perf_counter() - begun > _PATIENCE_SECONDS:
                raise SystemExit(f"{text}: no answer, but {self.slack.messages[said:]}")
            time.sleep(0.002)
        return time.perf_counter() - begun

    def _answered(self, said: int) -> bool:
        """What takes longer begins with a message of its own, which shows its progress."""
        new = self.slack.messages[said:]
        return bool(new) and ("Waiting for its turn" not in new[0]["text"] or len(new) > 1)


def measure() -> None:
    """Print one line for each word."""
    with tempfile.TemporaryDirectory() as folder, bot(Path(folder)) as one:
        for text in WORDS:
            first, *took = (one.seconds(text) for _ in range(ASKED + 1))
            figures = {
                "bench": f"chat: `{text}` with {PROJECTS} projects, answered",
                "first_ms": round(first * 1000, 1),
                "median_ms": round(statistics.median(took) * 1000, 1),
                "slowest_ms": round(max(took) * 1000, 1),
                "slowest_to_limit_of_1_s": round(max(took) / LIMIT_SECONDS, 3),
            }
            print(json.dumps(figures), flush=True)


@contextmanager
def bot(folder: Path) -> Iterator[Bot]:
    """A bot whose newest cycle saw all projects."""
    with fleet(folder, PROJECTS, MOVING) as ships, SlackServer() as slack:
        ships.cycle()
        ships.shop.store.close()
        service = Service(load(_config(folder, ships.server.api, slack.url)))
        service._shop.start()  # no schedule, which would begin with everything that was missed
        service._talk.start()
        try:
            with TestClient(service.web) as web:
                yield Bot(web, slack)
        finally:
            service.stop(10)
            service.close()


def _config(folder: Path, github: str, slack: str) -> Path:
    secrets = {"token": "ghp_refit", "bot_token": "xoxb-made-up", "signing_secret": SECRET}
    for name, text in secrets.items():
        (folder / name).write_text(text, encoding="ascii")
    files: dict[str, Any] = {name: {"file": str(folder / name)} for name in secrets}
    token = files.pop("token")
    people = {"users": ["U1"], "channels": ["C1"], "accounts": {"U1": "refit"}, "commands_per_minute": 10_000}
    settings = {
        "state": str(folder / "state"),
        "projects": [{"name": "acme/*"}],
        "github": {"url": github, "token": token, "seconds_between_writes": 0},
        "slack": {**files, **people, "url": slack},
    }
    file = folder / "refit.yaml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    return file
