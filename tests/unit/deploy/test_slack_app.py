"""The Slack app that people make from our manifest is the one that the bot is."""

from __future__ import annotations

import json
from pathlib import Path

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.web.slack import slack_routes

MANIFEST = Path(__file__).parents[3] / "deploy" / "slack-app" / "manifest.json"


def test_slack_calls_us_where_we_listen() -> None:
    made = json.loads(MANIFEST.read_text())
    (slash,) = made["features"]["slash_commands"]
    settings = made["settings"]
    urls = {
        slash["url"],
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
    }
    app = App(signing_secret="x", authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1"))

    assert slash["command"] == "/refit"
    assert settings["event_subscriptions"]["bot_events"] == ["app_mention"]
    assert {url.removeprefix("https://refit.example.com") for url in urls} <= {
        route.path for route in slack_routes(app)
    }


def test_it_asks_for_no_more_than_the_example_names() -> None:
    made = json.loads(MANIFEST.read_text())
    example = (MANIFEST.parents[2] / "config" / "bot.example.yaml").read_text()

    assert all(scope in example for scope in made["oauth_config"]["scopes"]["bot"])
