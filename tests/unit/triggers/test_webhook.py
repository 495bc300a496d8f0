"""A delivery is believed where one of our secrets signed its bytes, and read for what is said to us."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.model.checkbox import checkbox
from bot.triggers.webhook import command_in, is_signed, tasks_of, usable_secrets

OLD, NEW = b"the-old-secret-of-last-month", b"the-new-secret-of-this-month"


def sign(body: bytes, secret: bytes = NEW) -> bytes:
    return b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_one_secret_replaces_the_other_both_are_believed(secret: bytes) -> None:
    assert is_signed([NEW, OLD], b"\xff\x00 any bytes", sign(b"\xff\x00 any bytes", secret))


FORGED = {
    "another secret": sign(b"body", b"not-ours"),
    "another body": sign(b"Body"),
    "no signature": b"",
    "sha1": b"sha1=" + hmac.new(NEW, b"body", hashlib.sha1).hexdigest().encode(),
    "no ASCII": "sha256=é".encode("latin-1"),
    "upper case": sign(b"body").upper(),
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED)
def test_what_is_not_signed_with_ours_is_not_believed(signature: bytes) -> None:
    assert not is_signed([NEW, OLD], b"body", signature)


@given(st.binary(max_size=80))
def test_no_signature_is_an_error(signature: bytes) -> None:
    assert not is_signed([NEW], b"body", signature)


@pytest.mark.parametrize("secrets", [[], [""], ["short"], ["a-secret-that-is-long-enough", " " * 20]])
def test_a_secret_that_is_missing_or_guessable_keeps_the_bot_from_starting(secrets: list[str]) -> None:
    with pytest.raises(ConfigError, match="at least 16 characters") as caught:
        usable_secrets(secrets)

    assert "openssl rand" in caught.value.hint


def comment(text: str, action: str = "created") -> bytes:
    return json.dumps(
        {
            "action": action,
            "comment": {"id": 77, "body": text, "user": {"login": "alice"}},
            "issue": {"number": 5, "user": {"login": "refit[bot]"}},
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "alice"},
        }
    ).encode()


def test_a_command_in_a_new_comment_is_work() -> None:
    (task,) = tasks_of("issue_comment", comment("/Refit  rescan\nplease"))

    assert task.name == "comment"
    assert task.value == {
        "project": "acme/shop",
        "number": "5",
        "comment": "77",
        "author": "alice",
        "text": "/refit rescan",
    }


NOTHING: dict[str, tuple[str, bytes]] = {
    "an edited comment": ("issue_comment", comment("/refit rescan", "edited")),
    "other words": ("issue_comment", comment("nice work")),
    "a quoted command": ("issue_comment", comment("> /refit rescan")),
    "a command further down": ("issue_comment", comment("I think\n/refit rescan")),
    "another bot's command": ("issue_comment", comment("/refitting rescan")),
    "a ping": ("ping", b'{"zen": "Keep it logically awesome."}'),
    "a push": ("push", b'{"ref": "refs/heads/main"}'),
}


@pytest.mark.parametrize(("event", "body"), NOTHING.values(), ids=NOTHING)
def test_everything_else_is_nothing_to_do(event: str, body: bytes) -> None:
    assert tasks_of(event, body) == ()


WRONG = {
    "no JSON": b"{",
    "no object": b"[]",
    "no comment": b'{"action": "created"}',
    "an empty form": b"payload=",
    "a form of bytes": b"payload=\xff",
}


def test_a_delivery_may_come_as_a_form() -> None:
    body = comment("/refit snooze 14d Größe & Maß")

    assert tasks_of("issue_comment", urlencode({"payload": body.decode()}).encode()) == tasks_of(
        "issue_comment", body
    )


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_a_body_that_github_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        tasks_of("issue_comment", body)


def edited(before: str, after: str, **more: Any) -> bytes:
    issue = {"number": 9, "body": after, "user": {"login": "refit[bot]"}}
    shared = {"repository": {"full_name": "acme/shop"}, "sender": {"login": "alice"}}
    data = {"action": "edited", "issue": issue, "changes": {"body": {"from": before}}}
    return json.dumps(data | shared | more).encode()


def test_a_ticked_box_is_the_command_of_whoever_ticked_it() -> None:
    before = "\n".join(
        [
            checkbox("Open the pull request for **backend**", "open backend"),
            checkbox("Snooze", "snooze debian:12 14 from the dashboard"),
        ]
    )
    after = before.replace("[ ]", "[x]", 1)

    (task,) = tasks_of("issues", edited(before, after))

    assert task.value["text"] == "open backend"
    assert (task.value["author"], task.value["issue_of"]) == ("alice", "refit[bot]")


def test_an_edit_that_ticks_nothing_or_adds_a_ticked_line_says_nothing() -> None:
    before = checkbox("Open", "open backend")
    added = f"{before}\n{checkbox('Open', 'open other').replace('[ ]', '[x]')}"

    assert tasks_of("issues", edited(before, before + "\nwords")) == ()
    assert tasks_of("issues", edited(before, added)) == ()
    assert tasks_of("issues", edited(before.replace("[ ]", "[x]"), before)) == ()


@given(st.text(max_size=300))
def test_any_comment_is_a_command_or_none(text: str) -> None:
    found = command_in(text)

    assert found == "" or found.startswith("/refit ")
