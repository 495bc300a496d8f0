"""The sections about people: who is answered, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from bot.model.notice import NoticeKind
from bot.settings.fields import Duration, Secret, Section

_SHORTEST_POLL: Final = timedelta(seconds=10)


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


class MatrixSection(Section):
    """A mention or `!rescan` in the listed rooms; only who is listed is answered."""

    homeserver: str = Field(pattern=r"^https?://")
    user: str = Field(pattern=r"^@[^:]+:.+$")
    access_token: Secret
    users: tuple[str, ...] = Field(min_length=1)
    rooms: tuple[str, ...] = Field(min_length=1)
    accounts: dict[str, str] = Field(default_factory=dict)
    commands_per_minute: int = Field(default=10, ge=1)


class CommentsSection(Section):
    """`/refit …` in comments on pull requests: GitHub calls us (secrets), or we ask GitHub (poll)."""

    secrets: tuple[Secret, ...] = Field(default=(), max_length=2)
    poll: Duration | None = None
    commands_per_minute: int = Field(default=10, ge=1)

    @field_validator("poll")
    @classmethod
    def _is_polite(cls, poll: timedelta | None) -> timedelta | None:
        if poll is not None and poll < _SHORTEST_POLL:
            raise ValueError("GitHub is not asked more often than every 10 s")
        return poll

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if not self.secrets and self.poll is None:
            raise ValueError("give secrets (GitHub calls us), poll (we ask GitHub), or both")
        return self


class NotificationSection(Section):
    """Where notifications go, as Apprise URLs: each holds a secret, so it is kept like one."""

    to: tuple[Secret, ...] = Field(min_length=1)
    about: tuple[NoticeKind, ...] = tuple(NoticeKind)
