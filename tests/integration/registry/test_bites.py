"""What bit other tools at registries (`R…`), each from the requests that are sent to the words that are read.

Every test drives a decision as `refit check` does: a Dockerfile, the real client, a registry that misbehaves.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bot.cycle.bases import base_image
from bot.cycle.discover import discover
from bot.cycle.resolve import resolve
from bot.errors import ImageNotFound, RegistryError
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64, Target
from bot.model.update import Current, Failed, Outcome, Update
from bot.registry import RegistryClient
from bot.updates.rules import Rule
from tests.integration.registry.asking import Memory, Ticks, client, failure, patience, reference
from tests.integration.registry.doorman import Doorman
from tests.integration.registry.faulty import HANG, Asked, FaultyRegistry, Reply, Script, manifest
from tests.integration.registry.images import Content, Image, image, index_of
from tests.unit.cycle.house import NOW, House, house

OLD, NEW = image("old", "2026-09-01T10:00:00Z"), image("new", "2026-11-01T10:00:00Z")
ARM64: Final = Platform("linux", "arm64")
HEAD, GET = "HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"
AN_HOUR = Reply(429, {"Retry-After": "3600"})

# What a person reads, by what happened; `it` is the registry. No two are alike.
SENTENCES: Final = {
    "R1": "it limits our requests (HTTP 429) and asks for a pause of 3600 s",
    "R3": "it limits our requests for another 3600 s, longer than the 60 s a run may wait",
    "R12": "it has no app@{child}",
    "R13 unknown": "it asks for a login by negotiate; Refit knows Bearer and Basic",
    "R13 basic": "it wants a user and a password, and there are none for it",
    "R13 denied": "it denies access to app:1 (HTTP 403)",
    "R14": "it refuses our login for this image: it is private, or does not exist",
    "R28 metadata": "refused to connect: 169.254.169.254 is at a forbidden address",
    "R28 neighbour": "refused to connect: 10.0.0.7 is at a private address",
    "R29 manifest": "it answered with more than 4194304 bytes, and was cut off",
    "R29 headers": "it answered with something that is no HTTP: Receive buffer too long",
    "R29 never": "it did not finish its answer within 2 s",
}


def test_each_fault_has_a_sentence_of_its_own() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)


class World:
    """A project whose Dockerfile names `app:1` of a registry, and what is decided about it."""

    def __init__(
        self, folder: Path, script: Script, *, platforms: Sequence[Platform] = (LINUX_AMD64,)
    ) -> None:
        self.server = FaultyRegistry(script)
        self.clock, self.cache = Ticks(), Memory()
        target = Target("acme/shop", "shop", "Dockerfile", platforms=tuple(platforms))
        rule = Rule(minimum_age=timedelta(0))
        self.house: House = house(folder, {"Dockerfile": ""}, target, rules=(rule,))

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run a test's work while the registry listens."""

        async def serve() -> None:
            async with self.server:
                await work()

        asyncio.run(serve())

    def client(self, **settings: Any) -> RegistryClient:
        return client(self.server.address, clock=self.clock, cache=self.cache, **settings)

    async def decide(self, *lines: str, registry: RegistryClient | None = None) -> list[Outcome]:
        """The outcome of every line; `{it}` is the registry's address."""
        text = "\n".join(lines).replace("{it}", self.server.address)
        self.house.forge.files["acme/shop"]["Dockerfile"] = text.encode()
        project = self.house.projects[0]
        found = discover(project, self.house.forge.checkout(project)).found
        parts = replace(self.house.parts(), registry=registry or self.client())
        return [one.outcome for one in await resolve(found, parts)]

    def words(self, outcome: Outcome) -> str:
        """Why it failed, as a person reads it; an image without an answer is never anything else."""
        assert isinstance(outcome, Failed), outcome
        return outcome.error.replace(self.server.address, "it")

    def told(self, error: RegistryError) -> str:
        """The sentence of an error."""
        return error.message.replace(self.server.address, "it")


def pinned(content: Content) -> str:
    return f"FROM {{it}}/app:1@{content.digest}"


def having(now: Content, *others: Content, blobs: Sequence[Content] = ()) -> dict[str, Sequence[Reply]]:
    """A registry whose tag points at `now`, and that has the others by digest."""
    known = {f"/v2/app/manifests/{one.digest}": one for one in (now, *others)}
    script: dict[str, Sequence[Reply]] = {f"HEAD {path}": [manifest(one)] for path, one in known.items()}
    script |= {f"GET {path}": [manifest(one)] for path, one in known.items()}
    script |= {f"GET /v2/app/blobs/{one.digest}": [Reply(body=one.body)] for one in blobs}
    return script | {HEAD: [manifest(now)], GET: [manifest(now)]}


def parts_of(*images: Image) -> tuple[list[Content], list[Content]]:
    """Every manifest and index of some images, and their configs."""
    return [one for made in images for one in (made.index, made.manifest)], [made.config for made in images]


def test_r1_a_refused_head_leaves_the_image_unchecked_and_never_becomes_a_get(tmp_path: Path) -> None:
    world = World(tmp_path, {HEAD: [AN_HOUR]})

    async def work() -> None:
        (outcome,) = await world.decide(pinned(OLD.index))
        assert world.words(outcome) == SENTENCES["R1"]
        assert isinstance(outcome, Failed)
        assert outcome.unanswered
        assert world.server.lines == [HEAD]
        assert world.clock.slept == []

    world.run(work)


def test_r2_a_pause_of_microseconds_in_the_body_is_kept_and_the_answer_taken(tmp_path: Path) -> None:
    refusal = Reply(429, body=b"retry-after: 331\xc2\xb5s, allowed: 44000/minute")
    contents, blobs = parts_of(OLD, NEW)
    script = having(NEW.index, *contents, blobs=blobs)
    get = f"GET /v2/app/manifests/{NEW.index.digest}"
    script[get] = [refusal, manifest(NEW.index)]
    world = World(tmp_path, script)

    async def work() -> None:
        (outcome,) = await world.decide(pinned(OLD.index))
        assert isinstance(outcome, Update)
        assert outcome.to.digest == NEW.index.digest
        assert world.server.lines[:3] == [HEAD, get, get]
        assert 0.1 <= sum(world.clock.slept) <= 0.13

    world.run(work)


def test_r3_after_one_refusal_nobody_rushes_in_and_those_who_wait_are_told(tmp_path: Path) -> None:
    world = World(tmp_path, {"*": lambda asked: manifest(OLD.index) if "/app0/" in asked.target else AN_HOUR})

    async def work() -> None:
        names = [f"FROM {{it}}/app{number}:1@{OLD.index.digest}" for number in range(40)]
        first, *others = await world.decide(*names, registry=world.client(concurrency=2))
        assert isinstance(first, Current)
        said = [world.words(one) for one in others]
        assert set(said) == {SENTENCES["R1"], SENTENCES["R3"]}
        assert len(world.server.lines) <= 1 + 2, "only what was in flight already was refused"

    world.run(work)


def test_r4_never_more_lists_are_asked_for_at_once_than_allowed(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if "/tags/" in asked.target:
            return Reply(body=b'{"tags": ["1"]}', pause=0.01)
        return replace(manifest(OLD.index), pause=0.01)

    world = World(tmp_path, {"*": answer})

    async def work() -> None:
        registry = world.client(concurrency=3)
        names = [f"FROM {{it}}/app{number}:1@{OLD.index.digest}" for number in range(51)]
        lines = [line for name in names for line in ("# refit: allow=minor", name)]
        await world.decide(*lines, registry=registry)
        assert sum("/tags/" in line for line in world.server.lines) == 51
        assert world.server.most == 3

    world.run(work)


def test_r5_one_token_is_enough_for_every_tag_of_a_repository(tmp_path: Path) -> None:
    doorman, world = Doorman(), World(tmp_path, {})

    async def work() -> None:
        await doorman.told(world.server)
        registry, address = world.client(), world.server.address
        await asyncio.gather(*(registry.head(reference(address, f"app:{number}")) for number in range(51)))
        assert registry.requests() == {"HEAD": 52, "TOKEN": 1}

    world.run(work)


def test_r7_the_digest_of_a_platform_is_never_taken_for_that_of_its_index(tmp_path: Path) -> None:
    contents, blobs = parts_of(NEW)
    world = World(tmp_path, having(NEW.index, *contents, blobs=blobs))

    async def work() -> None:
        (outcome,) = await world.decide(pinned(NEW.manifest))
        assert isinstance(outcome, Current), "the index that the tag names has exactly this image"
        assert world.server.lines[:2] == [HEAD, f"GET /v2/app/manifests/{NEW.index.digest}"]

    world.run(work)


@pytest.mark.parametrize("turned", [False, True], ids=["in one order", "in the other"])
def test_r8_the_order_of_an_index_decides_nothing(tmp_path: Path, *, turned: bool) -> None:
    arm = image("arm", architecture="arm64")
    both = {"amd64": NEW.manifest, "arm64": arm.manifest}
    index = index_of(dict(reversed(both.items())) if turned else both)
    contents, blobs = parts_of(OLD, NEW, arm)
    world = World(tmp_path, having(index, *contents, blobs=blobs))

    async def work() -> None:
        update, same = await world.decide(pinned(OLD.index), pinned(NEW.manifest))
        assert isinstance(update, Update)
        assert update.to.digest == index.digest
        assert isinstance(same, Current)

    world.run(work)


def test_r9_an_index_that_grows_platform_by_platform_is_proposed_once(tmp_path: Path) -> None:
    """Five versions within hours: one platform after the other is new, and one flips back for a while."""
    old_arm, new_arm = image("old", architecture="arm64"), image("new", architecture="arm64")
    versions = [
        index_of({"amd64": OLD.manifest, "arm64": old_arm.manifest}),
        index_of({"amd64": NEW.manifest}),
        index_of({"arm64": new_arm.manifest}),
        index_of({"amd64": NEW.manifest, "arm64": new_arm.manifest}),
        index_of({"arm64": new_arm.manifest, "amd64": NEW.manifest}),
    ]
    contents, blobs = parts_of(OLD, NEW, old_arm, new_arm)
    world = World(tmp_path, having(versions[0], *versions, *contents, blobs=blobs),
                  platforms=(LINUX_AMD64, ARM64))  # fmt: skip

    async def work() -> None:
        line, seen = pinned(versions[0]), list[str]()
        for number, version in enumerate(versions):
            world.house.clock.moment = NOW + timedelta(hours=3 * number)
            world.server.script[HEAD] = [manifest(version)]
            (outcome,) = await world.decide(line)
            seen.append(outcome.word)
            if isinstance(outcome, Update):
                line = f"FROM {{it}}/app:1@{outcome.to.digest}"
        assert seen == ["current", "waiting", "waiting", "update", "current"]

    world.run(work)


def test_r10_without_a_digest_in_the_head_the_exact_bytes_are_hashed(tmp_path: Path) -> None:
    script = having(OLD.index) | {HEAD: [manifest(OLD.index, Docker_Content_Digest="")]}
    world = World(tmp_path, script)

    async def work() -> None:
        (outcome,) = await world.decide(pinned(OLD.index))
        assert isinstance(outcome, Current)
        assert world.server.lines[:2] == [HEAD, GET]
        assert all("sha256:" in line for line in world.server.lines[2:]), "the tag is asked about once"

    world.run(work)


def test_r12_a_lost_child_costs_its_own_image_only(tmp_path: Path) -> None:
    child, index = NEW.manifest.digest, NEW.index.digest
    script: dict[str, Sequence[Reply]] = {
        "HEAD /v2/good/manifests/1": [manifest(OLD.index)],
        f"GET /v2/app/manifests/{index}": [manifest(NEW.index)],
    }
    world = World(tmp_path, script)

    async def work() -> None:
        registry = world.client()
        bad = reference(world.server.address).with_digest(index)
        error, (good,) = await asyncio.gather(
            failure(base_image(registry, bad, LINUX_AMD64)),
            world.decide(f"FROM {{it}}/good:1@{OLD.index.digest}", registry=registry),
        )
        assert isinstance(good, Current)
        assert isinstance(error, ImageNotFound)
        assert world.told(error) == SENTENCES["R12"].replace("{child}", child)
        asked = [line for line in world.server.lines if "/app/" in line]
        assert asked == [f"GET /v2/app/manifests/{one}" for one in (index, child)]

    world.run(work)


CODEBERG = 'Bearer realm="{realm}",service="registry",scope="repository:app:pull",Basic realm="it"'


def test_r13_of_two_schemes_in_one_header_the_one_with_a_token_is_taken(tmp_path: Path) -> None:
    doorman, world = Doorman(), World(tmp_path, {})

    async def work() -> None:
        await doorman.told(world.server)
        usual = doorman.answer

        def both(asked: Asked) -> Reply:
            answer = usual(asked)
            two = {"WWW-Authenticate": CODEBERG.replace("{realm}", doorman.realm)}
            return replace(answer, headers=two) if answer.status == 401 else answer

        world.server.script["*"] = both
        await world.client().head(reference(world.server.address))
        assert [line.partition("?")[0] for line in world.server.lines] == [HEAD, "GET /token", HEAD]

    world.run(work)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(Reply(401, {"WWW-Authenticate": "Negotiate"}), "R13 unknown", id="an unknown scheme"),
        pytest.param(Reply(401, {"WWW-Authenticate": "Basic"}), "R13 basic", id="basic, and no password"),
        pytest.param(Reply(403), "R13 denied", id="denied"),
    ],
)
def test_r13_a_login_that_cannot_be_given_is_an_error_and_never_current(
    tmp_path: Path, reply: Reply, said: str
) -> None:
    world = World(tmp_path, {"*": [reply]})

    async def work() -> None:
        (outcome,) = await world.decide(pinned(OLD.index))
        assert world.words(outcome) == SENTENCES[said]
        assert world.server.lines == [HEAD]

    world.run(work)


def test_r14_a_password_that_ran_out_is_fetched_once_and_the_question_asked_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Amazon's: its helper gives passwords of twelve hours, and a service lives longer."""
    world, hours = World(tmp_path, {}), 12 * 3600.0

    def answer(asked: Asked) -> Reply:
        word = f"AWS:{int((world.clock.monotonic() - 1000.0) // hours)}"
        good = f"Basic {base64.b64encode(word.encode()).decode()}"
        if asked.headers.get("authorization") == good:
            return manifest(OLD.index)
        return Reply(401, {"WWW-Authenticate": 'Basic realm="ecr"'})

    async def work() -> None:
        world.server.script["*"] = answer
        calls = ecr_helper(tmp_path, monkeypatch)
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"credHelpers": {world.server.address: "ecr-login"}}))
        registry = world.client(docker_config=config)
        images = [reference(world.server.address, f"app:{number}") for number in range(9)]
        await asyncio.gather(*map(registry.head, images[:5]))
        first = len(world.server.lines)
        world.clock.jump(hours)
        await registry.head(images[5])
        assert (first, world.server.lines[first:]) == (6, ["HEAD /v2/app/manifests/5"] * 2)
        assert calls.read_text().split() == ["get", "get"]
        world.clock.jump(hours)
        calls.with_name("stuck").touch()
        (refused,) = await world.decide(pinned(OLD.index), registry=registry)
        assert world.words(refused) == SENTENCES["R14"]
        assert len(calls.read_text().split()) == 3

    world.run(work)


def ecr_helper(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helper whose password is how often it was asked before; with `stuck` beside it, the one before."""
    calls, program = folder / "calls", folder / "docker-credential-ecr-login"
    program.write_text(
        f"#!/bin/sh\nn=$(cat {calls} 2>/dev/null | wc -l); echo get >> {calls}\n"
        f"[ -e {folder}/stuck ] && n=$((n - 1))\n"
        'printf \'{"Username":"AWS","Secret":"%s"}\' "$n"\n'
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return calls


def test_r15_a_list_with_junk_in_it_is_asked_in_pages_that_every_registry_allows(tmp_path: Path) -> None:
    junk = [None, 7, "sha256:" + "a" * 64, "1", "1.1"]
    script = having(OLD.index, blobs=[OLD.config]) | {"GET /v2/app/tags/list": [Reply(body=_tags(junk))]}
    world = World(tmp_path, script)

    async def work() -> None:
        assert await world.client().tags(reference(world.server.address)) == ("1", "1.1")
        assert world.server.lines == ["GET /v2/app/tags/list?n=1000"], "Amazon refuses more than 1000"

    world.run(work)


class Circle:
    """A list whose every page names another next one, with the same tags on it."""

    def __init__(self) -> None:
        self._pages = 0

    def __call__(self, _: Asked) -> Reply:
        self._pages += 1
        link = f'</v2/app/tags/list?last=1&page={self._pages}>; rel="next"'
        return Reply(headers={"Link": link}, body=_tags(["1"]))


def test_r15_a_list_that_never_ends_is_left_after_a_few_pages(tmp_path: Path) -> None:
    world = World(tmp_path, {"GET /v2/app/tags/list": Circle()})

    async def work() -> None:
        error = await failure(world.client().tags(reference(world.server.address)))
        assert world.told(error) == "the tags of app: it leads in a circle, page after page"
        assert len(world.server.lines) == 5

    world.run(work)


def _tags(tags: Sequence[object]) -> bytes:
    return json.dumps({"name": "app", "tags": tags}).encode()


@pytest.mark.parametrize(
    ("address", "said"), [("169.254.169.254", "R28 metadata"), ("10.0.0.7", "R28 neighbour")]
)
@pytest.mark.parametrize("way", ["realm", "redirect"])
def test_r28_a_registry_sends_nobody_into_our_own_network(
    tmp_path: Path, address: str, said: str, way: str
) -> None:
    challenge = f'Bearer realm="http://{address}/token",service="s"'
    reply = (
        Reply(401, {"WWW-Authenticate": challenge})
        if way == "realm"
        else Reply(307, {"Location": f"http://{address}/"})
    )
    world = World(tmp_path, {"*": [reply]})

    async def work() -> None:
        registry = world.client(username="ann", password="hunter2")
        (outcome,) = await world.decide(pinned(OLD.index), registry=registry)
        assert world.words(outcome) == SENTENCES[said]
        assert set(world.server.lines) == {HEAD}
        assert all("authorization" not in asked.headers for asked in world.server.asked)

    world.run(work)


GIGABYTE = Reply(200, {"Content-Type": OLD.index.media_type}, b"x" * 2**20, repeat=1024)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(GIGABYTE, "R29 manifest", id="a body without end"),
        pytest.param(Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), "R29 headers", id="headers"),
        pytest.param(HANG, "R29 never", id="nothing at all"),
    ],
)
def test_r29_what_has_no_end_is_cut_off(tmp_path: Path, reply: Reply, said: str) -> None:
    script: dict[str, Sequence[Reply]] = {
        HEAD: [manifest(NEW.index)],
        f"GET /v2/app/manifests/{NEW.index.digest}": [reply],
    }
    world = World(tmp_path, script)

    async def work() -> None:
        registry = world.client(timeout=patience(SENTENCES[said]))
        (outcome,) = await world.decide(pinned(OLD.index), registry=registry)
        assert world.words(outcome) == SENTENCES[said]
        assert world.server.lines == [HEAD, f"GET /v2/app/manifests/{NEW.index.digest}"]

    world.run(work)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_r29_an_error_without_end_is_read_no_further_than_its_first_64_kib(
    tmp_path: Path, status: int
) -> None:
    world = World(tmp_path, {"*": [replace(GIGABYTE, status=status)]})

    async def work() -> None:
        (outcome,) = await world.decide(pinned(OLD.index))
        assert world.words(outcome)

    world.run(work)


def test_what_a_registry_has_left_is_spent_on_what_moved_before_anything_else(tmp_path: Path) -> None:
    """Eight images that did not move stand first in the file, and their dates would use up what is left."""
    still = [image(f"still {number}") for number in range(8)]
    every = [*still, OLD, NEW]
    known = {one.digest: one for made in every for one in (made.index, made.manifest, made.config)}
    left = 7 + 2  # a tenth of 20 is kept: seven may be sent

    def answer(asked: Asked) -> Reply:
        nonlocal left
        _, _, repository, kind, name = asked.target.split("/")
        now = NEW if repository == "moved" else still[int(repository.removeprefix("still"))]
        found = known.get(name, now.index)
        left -= asked.method == "GET"
        limits = {"RateLimit-Limit": "20;w=21600", "RateLimit-Remaining": f"{left};w=21600"}
        reply = Reply(body=found.body) if kind == "blobs" else manifest(found)
        return replace(reply, headers={**reply.headers, **limits})

    world = World(tmp_path, {"*": answer})

    async def work() -> None:
        lines = [f"FROM {{it}}/still{number}:1@{one.index.digest}" for number, one in enumerate(still)]
        outcomes = await world.decide(*lines, f"FROM {{it}}/moved:1@{OLD.index.digest}")
        assert [one.word for one in outcomes] == ["current"] * 8 + ["update"]
        gets = [line for line in world.server.lines if line.startswith("GET")]
        heads = [line for line in world.server.lines if line.startswith("HEAD")]
        assert len(heads) == 9
        assert len(gets) == 7
        spent = [line for line in gets if "/moved/" in line]
        assert gets[: len(spent)] == spent, "what moved was read first"

    world.run(work)
