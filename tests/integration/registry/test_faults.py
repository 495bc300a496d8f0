"""Each way in which a registry can be wrong: what was sent, how it ends, and the sentence that says so."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest

from bot.errors import (
    ImageNotFound,
    RegistryAnswerInvalid,
    RegistryError,
    RegistryLoginFailed,
    RegistryUnreachable,
)
from bot.registry import HostSettings
from tests.integration.registry.asking import SECONDS, client, failure, patience, reference
from tests.integration.registry.faulty import FaultyRegistry, Reply, manifest
from tests.integration.registry.images import Content, image

IMAGE = image()
DIGEST = IMAGE.index.digest
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
PAGE = b"<!doctype html><title>Sign in</title>"
TYPE = {"Content-Type": IMAGE.index.media_type}


@dataclass(frozen=True)
class Fault:
    """A reply to the GET of an index by its digest, and what becomes of it; `{host}` is the registry."""

    name: str
    reply: Reply
    kind: type[RegistryError]
    sentence: str
    attempts: int = 1


def true(body: bytes, media_type: str = IMAGE.index.media_type) -> Content:
    return Content(media_type, body)


def lying(body: bytes, **more: object) -> Reply:
    """Bytes that are not those of the digest that is asked for."""
    return Reply(200, TYPE, body, **more)  # type: ignore[arg-type]  # fields of Reply, by keyword


SHORT = DIGEST[:19]


def header(**named: str) -> dict[str, str]:
    return {key.replace("_", "-"): value for key, value in named.items()}


def rewritten(body: bytes) -> str:
    return f"{{image}}: asked for {SHORT}…, and the bytes that came have the digest {true(body).digest[:19]}…"


Unreachable, Invalid, Refused = RegistryUnreachable, RegistryAnswerInvalid, RegistryLoginFailed
WHOLE, OWN_URL = IMAGE.index.body, f"/v2/app/manifests/{DIGEST}"
FAULTS = [
    Fault("gone", Reply(404), ImageNotFound, "{host} has no app@" + DIGEST),
    Fault("denied", Reply(403), Refused, f"{{host}} denies access to app@{DIGEST} (HTTP 403)"),
    Fault("a fault of its own", Reply(500), Unreachable,
          f"{{host}} answered with a fault of its own for app@{DIGEST} (HTTP 500)", 2),
    Fault("a strange status", Reply(418), Invalid,
          f"{{host}} answered HTTP 418 for app@{DIGEST}, which is no answer to it"),
    Fault("a login page", Reply(200, header(Content_Type="text/html; charset=utf-8"), PAGE), Invalid,
          "{image}: a web page came instead of a manifest"),
    Fault("other bytes", lying(WHOLE + b" "), Invalid, rewritten(WHOLE + b" ")),
    Fault("a Content-Length too small", Reply(200, TYPE | header(Content_Length="10"), WHOLE), Invalid,
          rewritten(WHOLE[:10])),
    Fault("a Content-Length too large", Reply(200, TYPE | header(Content_Length="9999"), WHOLE),
          Unreachable, "{host} did not finish its answer within 2 s"),
    Fault("schema 1", Reply(200, header(Content_Type=SCHEMA_1), b"{}"), Invalid,
          "{image} is an image of the withdrawn manifest schema 1"),
    Fault("hanging up", Reply(reset=True), Unreachable, "{host} hung up without an answer", 2),
    Fault("a truncated body", Reply(200, TYPE, WHOLE, keep=10), Unreachable,
          "{host} hung up in the middle of its answer", 2),
    Fault("no HTTP at all", Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Invalid,
          "{host} answered with something that is no HTTP: illegal status line: "
          "bytearray(b'SSH-2.0-OpenSSH_9.2')"),
    Fault("endless headers", Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), Invalid,
          "{host} answered with something that is no HTTP: Receive buffer too long"),
    Fault("a gigabyte", Reply(200, TYPE, b"x" * 2**20, repeat=1024), Invalid,
          "{host} answered with more than 4194304 bytes, and was cut off"),
    Fault("a strange encoding", Reply(200, TYPE | header(Content_Encoding="br"), b"???"), Invalid,
          "{host} answered in an encoding that was not asked for: 'br'"),
    Fault("a circle of redirects", Reply(307, header(Location=OWN_URL)), Invalid,
          "{host} redirects more than 5 times", 5),
    Fault("a redirect to nowhere", Reply(307, header(Location="gopher://example.com")), Invalid,
          "{host} redirects to 'gopher://example.com': no address"),
    Fault("a challenge without a scheme", Reply(401), Refused,
          "{host} asks for a login by no scheme at all; Refit knows Bearer and Basic"),
    Fault("a scheme nobody knows", Reply(401, header(WWW_Authenticate="Negotiate")), Refused,
          "{host} asks for a login by negotiate; Refit knows Bearer and Basic"),
    Fault("a login where there is none", Reply(401, header(WWW_Authenticate='Basic realm="r"')), Refused,
          "{host} wants a user and a password, and there are none for it"),
]  # fmt: skip


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_a_faulty_answer_ends_in_an_error_that_says_what_happened(fault: Fault) -> None:
    async def work() -> tuple[RegistryError, list[str], str]:
        async with FaultyRegistry({"*": [fault.reply]}) as server:
            wanted = reference(server.address).with_digest(DIGEST)
            registry = client(server.address, timeout=patience(fault.sentence))
            error = await failure(registry.content(wanted))
            return error, server.lines, server.address

    error, lines, address = asyncio.run(work())
    assert error.message == fault.sentence.replace("{host}", address).replace(
        "{image}", f"{address}/app:1@{DIGEST}"
    )
    assert isinstance(error, fault.kind)
    assert lines == [f"GET /v2/app/manifests/{DIGEST}"] * fault.attempts


def test_each_fault_has_a_sentence_of_its_own() -> None:
    assert len({fault.sentence for fault in FAULTS}) == len(FAULTS)


def document(**fields: object) -> bytes:
    return json.dumps(fields).encode()


CONFIG = IMAGE.config.descriptor()
NEITHER = "the answer is neither an image index nor an image manifest"
CONTENTS = [
    pytest.param(b"not json", "the answer is no JSON", id="garbage"),
    pytest.param(b"[" * 100_000, "the answer is no JSON", id="nesting without end"),
    pytest.param(b"[]", "the answer is JSON, but no object", id="a list"),
    pytest.param(b"{}", NEITHER, id="an empty object"),
    pytest.param(document(layers=[], manifests=[]), NEITHER, id="both at once"),
    pytest.param(document(schemaVersion=1), "is an image of the withdrawn manifest schema 1", id="schema 1"),
    pytest.param(
        document(manifests=[{}]), "a descriptor lacks a valid media type, digest or size", id="an empty entry"
    ),
    pytest.param(
        document(manifests=7), "'manifests' is no list of at most 10000 entries", id="a number for a list"
    ),
    pytest.param(
        document(manifests=[CONFIG | {"size": -1}]), "a descriptor has the size -1", id="a negative size"
    ),
    pytest.param(
        document(layers=[], config=CONFIG | {"mediaType": "text/helm"}),
        "is no container image but 'text/helm'",
        id="a chart",
    ),
]


@pytest.mark.parametrize(("body", "sentence"), CONTENTS)
def test_content_with_a_true_digest_and_a_wrong_meaning_is_refused_in_its_own_words(
    body: bytes, sentence: str
) -> None:
    async def work() -> RegistryError:
        content = true(body)
        async with FaultyRegistry({"*": [manifest(content)]}) as server:
            wanted = reference(server.address).with_digest(content.digest)
            return await failure(client(server.address).content(wanted))

    error = asyncio.run(work())
    assert isinstance(error, RegistryAnswerInvalid)
    assert error.message.endswith(sentence)


def test_a_slow_loris_ends_with_its_time_however_steadily_it_sends() -> None:
    async def work() -> str:
        async with FaultyRegistry({"*": [lying(IMAGE.index.body, drip=0.01)]}) as server:
            wanted = reference(server.address).with_digest(DIGEST)
            error = await failure(client(server.address, timeout=0.3).content(wanted))
            return error.message.replace(server.address, "it")

    assert asyncio.run(work()) == "it did not finish its answer within 0.3 s"


@pytest.mark.parametrize(
    "first",
    [Reply(reset=True), Reply(502), Reply(200, TYPE, IMAGE.index.body, keep=5)],
    ids=["hanging up", "a bad gateway", "a truncated body"],
)
def test_a_fault_that_passes_costs_one_more_request_and_nobody_hears_of_it(first: Reply) -> None:
    async def work() -> tuple[str, int]:
        async with FaultyRegistry({"*": [first, manifest(IMAGE.index)]}) as server:
            wanted = reference(server.address).with_digest(DIGEST)
            return str((await client(server.address).content(wanted)).digest), len(server.lines)

    assert asyncio.run(work()) == (DIGEST, 2)


def test_a_head_that_answers_for_another_digest_is_refused() -> None:
    async def work() -> str:
        async with FaultyRegistry({"*": [manifest(IMAGE.manifest)]}) as server:
            error = await failure(client(server.address).head(reference(server.address).with_digest(DIGEST)))
            return error.message.replace(server.address, "it")

    assert asyncio.run(work()) == (
        f"it/app:1@{DIGEST}: asked for one digest, and it answered for {IMAGE.manifest.digest}"
    )


def test_nobody_listening_is_told_from_a_registry_that_fails() -> None:
    async def work() -> str:
        async with FaultyRegistry() as server:
            address = server.address
        error = await failure(client(address).head(reference(address)))
        return error.message.replace(address, "it")

    assert asyncio.run(work()) == "cannot connect to it: Connection refused"


def test_a_host_that_does_not_exist_is_told_by_its_name() -> None:
    async def work() -> str:
        hosts = {"registry.invalid": HostSettings(timeout=SECONDS)}
        wanted = reference("registry.invalid")
        return (await failure(client("127.0.0.1:1", more=hosts).head(wanted))).message

    assert asyncio.run(work()) == "cannot connect to registry.invalid: there is no such host name"


def test_one_image_whose_child_is_lost_never_stops_the_others() -> None:
    async def work() -> list[str]:
        script = {"HEAD /v2/good/manifests/1": [manifest(IMAGE.index)], "*": [Reply(404)]}
        async with FaultyRegistry(script) as server:
            registry = client(server.address)
            questions = [registry.head(reference(server.address, name)) for name in ("bad:1", "good:1")]
            answers = await asyncio.gather(*questions, return_exceptions=True)
            return [type(answer).__name__ for answer in answers]

    assert asyncio.run(work()) == ["ImageNotFound", "Head"]
