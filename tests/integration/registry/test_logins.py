"""Logins: tokens shared and renewed, credentials looked up once, refusals that are errors."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RegistryLoginFailed
from bot.registry import RegistryClient
from tests.integration.registry.asking import Ticks, client, failure, patience, reference
from tests.integration.registry.doorman import IMAGE, Doorman
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest

ONE = "repository:app:pull"


def with_doorman(
    doorman: Doorman, work: Callable[[RegistryClient, FaultyRegistry], Awaitable[Any]], **settings: Any
) -> Any:
    """Run a test's work against a registry that wants tokens; returns what the work returns."""

    async def run() -> Any:
        async with FaultyRegistry() as server:
            await doorman.told(server)
            return await work(client(server.address, **settings), server)

    return asyncio.run(run())


async def ask(registry: RegistryClient, server: FaultyRegistry, count: int) -> list[object]:
    """HEADs of `count` repositories at once: the answers, or the names of the errors."""
    questions = (registry.head(reference(server.address, f"app{number}:1")) for number in range(count))
    found = await asyncio.gather(*questions, return_exceptions=True)
    return [type(one).__name__ for one in found]


def test_a_token_is_fetched_once_for_a_repository_however_many_tags_of_it_are_asked() -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> dict[str, int]:
        tags = (registry.head(reference(server.address, f"app:{number}")) for number in range(30))
        await asyncio.gather(*tags)
        return dict(registry.requests())

    doorman = Doorman()
    assert with_doorman(doorman, work) == {"HEAD": 31, "TOKEN": 1}
    assert doorman.granted == [[ONE]]


def test_hundreds_of_repositories_share_a_few_tokens() -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> tuple[set[object], int]:
        return set(await ask(registry, server, 400)), sum(registry.requests().values())

    doorman = Doorman()
    found, requests = with_doorman(doorman, work)
    assert found == {"Head"}
    assert requests <= 400 * 1.05
    assert max(len(scopes) for scopes in doorman.granted) == 50
    assert len({scope for scopes in doorman.granted for scope in scopes}) == 400


@pytest.mark.parametrize("silent", [False, True], ids=["which it refuses", "which it cuts to one scope"])
def test_a_registry_that_shares_no_tokens_is_found_out_by_a_few_trials(*, silent: bool) -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> tuple[set[object], dict[str, int]]:
        return set(await ask(registry, server, 60)), dict(registry.requests())

    found, requests = with_doorman(Doorman(most=1, silent=silent), work)
    assert found == {"Head"}
    assert requests["HEAD"] <= 60 + 1 + 3
    assert requests["TOKEN"] <= 60 + 3


def test_a_repository_that_is_missing_from_a_shared_token_spoils_nothing_for_the_others() -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> list[object]:
        return await ask(registry, server, 100)

    known = frozenset(f"app{number}" for number in range(100)) - {"app7", "app60"}
    found = with_doorman(Doorman(known=known), work)
    assert [number for number, name in enumerate(found) if name != "Head"] == [7, 60]
    assert found[7] == "RegistryLoginFailed"


def test_a_token_is_renewed_once_before_it_runs_out() -> None:
    clock = Ticks()

    async def work(registry: RegistryClient, server: FaultyRegistry) -> None:
        await registry.head(reference(server.address, "app:1"))
        clock.jump(230)
        await registry.head(reference(server.address, "app:2"))
        clock.jump(20)
        await asyncio.gather(*(registry.head(reference(server.address, f"app:{n}")) for n in range(3, 9)))

    doorman = Doorman(life=300)
    with_doorman(doorman, work, clock=clock)
    assert doorman.granted == [[ONE], [ONE]]


def test_a_token_that_the_registry_no_longer_takes_is_replaced_once() -> None:
    doorman = Doorman()

    async def work(registry: RegistryClient, server: FaultyRegistry) -> list[str]:
        await registry.head(reference(server.address, "app:1"))
        doorman.revoked.add(f"1-{ONE}")
        before = len(server.lines)
        await registry.head(reference(server.address, "app:2"))
        return [line.partition("?")[0] for line in server.lines[before:]]

    head = "HEAD /v2/app/manifests/2"
    assert with_doorman(doorman, work) == [head, "GET /token", head]


def test_an_image_nobody_may_see_is_an_error_and_never_up_to_date() -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> tuple[str, int]:
        error = await failure(registry.head(reference(server.address)))
        assert isinstance(error, RegistryLoginFailed)
        return error.message.replace(server.address, "it"), len(server.lines)

    assert with_doorman(Doorman(known=frozenset()), work) == (
        "it refuses a request without a login for this image: it is private, or does not exist",
        3,
    )


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(401), "the token server {host} of {host} refuses our login (HTTP 401)"),
        (Reply(404), "the token server {host} of {host} answered HTTP 404"),
        (Reply(500), "the token server {host} of {host} answered with a fault of its own (HTTP 500)"),
        (Reply(body=b"<html>"), "the token server {host} answered, but with no token"),
        (Reply(body=b'{"token": "a\\r\\nX-Evil: 1"}'), "the token server {host} answered, but with no token"),
        (Reply(pause=3600), "{host} did not finish its answer within 2 s"),
        (Reply(429, {"Retry-After": "900"}),
         "the token server {host} limits our requests (HTTP 429) and asks for a pause of 900 s"),
        (Reply(body=b"x" * 2**21), "{host} answered with more than 1048576 bytes, and was cut off"),
    ],
    ids=["refuses", "is not there", "is broken", "shows a page", "smuggles a header", "hangs", "limits",
         "floods"],
)  # fmt: skip
def test_a_token_server_that_fails_is_named_in_a_sentence_of_its_own(reply: Reply, sentence: str) -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> tuple[str, str, list[str]]:
        server.script["GET /token"] = [reply]
        error = await failure(registry.head(reference(server.address)))
        return error.message, server.address, [line.partition("?")[0] for line in server.lines]

    login = {"username": "ann", "password": "hunter2", "timeout": patience(sentence)}
    message, host, lines = with_doorman(Doorman(), work, **login)
    assert message == sentence.replace("{host}", host)
    assert lines == ["HEAD /v2/app/manifests/1", "GET /token"]


def test_a_token_server_that_asks_for_a_pause_gets_it() -> None:
    clock, doorman = Ticks(), Doorman()

    async def work(registry: RegistryClient, server: FaultyRegistry) -> None:
        turns = iter([Reply(429, {"Retry-After": "9"})])
        server.script["GET /token"] = lambda asked: next(turns, None) or doorman.token(asked)
        await registry.head(reference(server.address))

    with_doorman(doorman, work, clock=clock)
    assert 9 <= sum(clock.slept) <= 12
    assert len(doorman.granted) == 1


def test_a_user_logs_in_at_the_token_server_and_the_registry_sees_only_the_token() -> None:
    async def work(registry: RegistryClient, server: FaultyRegistry) -> list[str]:
        await registry.head(reference(server.address))
        return [asked.headers.get("authorization", "").partition(" ")[0] for asked in server.asked]

    doorman = Doorman()
    assert with_doorman(doorman, work, username="ann", password="hunter2") == ["", "Basic", "Bearer"]
    assert doorman.logins == ["Basic " + base64.b64encode(b"ann:hunter2").decode()]


def basic(asked: Asked) -> Reply:
    """A registry that knows ann by the passwords 1 and 2; the first one runs out."""
    who = base64.b64decode(asked.headers.get("authorization", "Basic ").partition(" ")[2]).decode()
    if who == "ann:2" or (who == "ann:1" and "old" in asked.target):
        return manifest(IMAGE.index)
    return Reply(401, {"WWW-Authenticate": 'Basic realm="it"'})


def test_a_credential_helper_is_asked_once_and_again_when_its_login_has_run_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = helper(
        tmp_path, "ages", 'n=$(wc -l < CALLS); echo "{\\"Username\\":\\"ann\\",\\"Secret\\":\\"$n\\"}"'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    async def work() -> tuple[int, int, int]:
        async with FaultyRegistry({"*": basic}) as server:
            config = docker_config(tmp_path, {"credHelpers": {server.address: "ages"}})
            registry = client(server.address, docker_config=config)
            olds = (registry.head(reference(server.address, f"old:{number}")) for number in range(9))
            await asyncio.gather(*olds)
            before, count = len(calls.read_text().splitlines()), len(server.lines)
            await registry.head(reference(server.address, "new:1"))
            return before, len(calls.read_text().splitlines()), len(server.lines) - count

    assert asyncio.run(work()) == (1, 2, 2)


def helper(folder: Path, name: str, script: str) -> Path:
    """A credential helper that notes its calls in the file that is returned."""
    calls, program = folder / "calls", folder / f"docker-credential-{name}"
    program.write_text(f'#!/bin/sh\necho "$@" >> CALLS\n{script}\n'.replace("CALLS", str(calls)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return calls


def docker_config(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path


def test_a_wrong_password_is_refused_in_words_and_the_password_is_nowhere_in_them() -> None:
    async def work() -> tuple[str, str, int]:
        async with FaultyRegistry({"*": basic}) as server:
            registry = client(server.address, username="ann", password="hunter2")
            error = await failure(registry.head(reference(server.address)))
            everything = repr((error, error.__context__, registry, vars(registry)))
            return error.message.replace(server.address, "it"), everything, len(server.lines)

    message, everything, requests = asyncio.run(work())
    assert message == "it refuses our login for this image: it is private, or does not exist"
    assert "hunter2" not in everything
    assert requests == 2


def test_a_finished_token_is_sent_as_it_is() -> None:
    async def work() -> list[str]:
        async with FaultyRegistry({"*": [manifest(IMAGE.index)]}) as server:
            await client(server.address, token="abc").head(reference(server.address))
            return [asked.headers["authorization"] for asked in server.asked]

    assert asyncio.run(work()) == ["Bearer abc"]


def test_an_identity_token_is_exchanged_by_a_post(tmp_path: Path) -> None:
    async def work() -> tuple[list[str], bytes]:
        async with FaultyRegistry() as server:
            doorman = Doorman()
            await doorman.told(server)
            answer = Reply(body=json.dumps({"access_token": f"1-{ONE}"}).encode())
            server.script["POST /token"] = [answer]
            config = docker_config(tmp_path, {"auths": {server.address: {"identitytoken": "ident"}}})
            await client(server.address, docker_config=config).head(reference(server.address))
            return server.lines, server.asked[1].body

    lines, body = asyncio.run(work())
    assert lines == ["HEAD /v2/app/manifests/1", "POST /token", "HEAD /v2/app/manifests/1"]
    assert b"grant_type=refresh_token&refresh_token=ident" in body
    assert b"scope=repository%3Aapp%3Apull" in body
