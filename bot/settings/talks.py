"""The sections about people: who is answered, and where."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bot.settings.fields import Secret, Section


class SlackSection(Section):
    """`/refit` and mentions, by signed HTTP or Socket Mode; only who is listed is answered, where listed."""

    bot_token: Secret
    signing_secret: Secret | None = None
    app_token: Secret | None = None
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = Field(min_length=1)
    accounts: dict[str, str] = Field(default_factory=dict)
    commands_per_minute: int = Field(default=10, ge=1)
    url: str = "https://slack.com/api/"

    @model_validator(mode="after")
    def _has_a_way_in(self) -> Self:
        if self.signing_secret is None and self.app_token is None:
            raise ValueError("give signing_secret (Slack calls us) or app_token (Socket Mode: we call Slack)")
        if not self.users and not self.groups:
            raise ValueError("list the users or the groups that are answered")
        return self
