"""The sections about what is kept, where, and for how long."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from bot.settings.fields import Duration, Section


class ArtifactsSection(Section):
    """Where SBOMs and scan reports are kept, and where people open them."""

    location: str | None = None
    link: str = ""

    @field_validator("location")
    @classmethod
    def _holds_no_login(cls, location: str | None) -> str | None:
        host = (location or "").partition("://")[2].partition("/")[0]
        if "@" in host:
            raise ValueError(
                "a secret does not belong here: object stores take their login from the environment"
            )
        return location

    @field_validator("link")
    @classmethod
    def _names_the_digest(cls, link: str) -> str:
        if link and not (link.startswith(("https://", "http://")) and "{digest}" in link):
            raise ValueError("a link is a URL with {digest} in it, as in https://refit.example.com/{digest}")
        return link


class RetentionSection(Section):
    """How long what was measured is kept; what is in use stays however old it is."""

    measurements: Duration = Field(default=timedelta(days=1096))
    evidence: Duration = Field(default=timedelta(days=400))
    scans: Duration = Field(default=timedelta(days=90))
    # The schedule looks for what was done up to 100 days ago.
    cycles: Duration = Field(default=timedelta(days=400), ge=timedelta(days=101))
    sboms: Duration = Field(default=timedelta(days=90))
    artifacts: Duration = Field(default=timedelta(days=400))
