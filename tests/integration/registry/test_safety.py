"""Where a hostile registry may not send us, and what it never gets to see."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from bot.errors import ConfigError, RegistryAnswerInvalid, RegistryUnreachable
from bot.registry import HostSettings
from bot.registry.faults import NoConnection
from bot.registry.guard import Zone
from bot.registry.wire import Outgoing, Tls, Wire
from tests.integration.registry.asking import client, failure, reference
from tests.integration.registry.authority import Authority
from tests.integration.registry.doorman import Doorman
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest
from tests.integration.registry.images import image

IMAGE = image()
BLOB = f"GET /v2/app/blobs/{IMAGE.config.digest}"
MANIFEST = f"GET /v2/app/manifests/{IMAGE.manifest.digest}"
PLAIN = "http://127.0.0.1:1/"


def wants_token(realm: str) -> Reply:
    return Reply(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'})


async def told_of_realm(realm: str) -> tuple[str, int]:
    """The error where a registry names this realm, and the number of requests that it got."""
    async with FaultyRegistry({"*": [wants_token(realm)]}) as server:
        registry = client(server.address, username="ann", password="hunter2")
        error = await failure(registry.head(reference(server.address)))
        return error.message.replace(server.address, "it"), len(server.lines)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for 127.0.0.1, and the file of the certificate that vouches for it."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.ca_file, authority.key_file)
    return context, authority.ca_file


@pytest.mark.parametrize(
    ("realm", "where"),
    [
        pytest.param("http://169.254.169.254/latest", "169.254.169.254 is at a forbidden", id="metadata"),
        pytest.param("http://10.0.0.1/token", "10.0.0.1 is at a private", id="a neighbour"),
        pytest.param("http://[fd00::1]/token", "fd00::1 is at a private", id="a neighbour by IPv6"),
        pytest.param("http://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1 is at a private", id="mapped into IPv6"),
        pytest.param("http://0.0.0.0/token", "0.0.0.0 is at a forbidden", id="no address"),
    ],
)
def test_a_realm_that_leads_inside_is_refused_before_a_byte_is_sent(realm: str, where: str) -> None:
    assert asyncio.run(told_of_realm(realm)) == (f"refused to connect: {where} address", 1)


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "http://ann:pw@127.0.0.1/", "nowhere"])
def test_a_realm_that_is_no_address_is_refused(realm: str) -> None:
    assert asyncio.run(told_of_realm(realm)) == (f"it names a token server '{realm}': no address", 1)


def test_an_address_is_judged_by_where_the_connection_ended_and_not_by_its_name() -> None:
    async def work() -> tuple[str, int, list[Asked]]:
        async with FaultyRegistry() as server:
            wire = Wire()
            url = httpx.URL(f"http://localhost:{server.address.rpartition(':')[2]}/token")
            outside = frozenset({Zone.PUBLIC})
            with pytest.raises(NoConnection) as caught:
                await wire.send(Outgoing("GET", url, {}, 1000, 2.0, outside, Tls()))
            await wire.aclose()
            return caught.value.message, server.connections, server.asked

    message, connections, asked = asyncio.run(work())
    assert message == "refused to connect: localhost is at a loopback address"
    assert (connections, asked) == (1, []), "it was connected to, found to be inside, and told nothing"


def test_a_redirect_to_the_metadata_service_is_refused() -> None:
    async def work() -> str:
        script = {
            BLOB: [Reply(307, {"Location": "http://169.254.169.254/"})],
            MANIFEST: [manifest(IMAGE.manifest)],
        }
        async with FaultyRegistry(script) as server:
            registry = client(server.address)
            wanted = reference(server.address).with_digest(IMAGE.manifest.digest)
            found = await registry.content(wanted)
            return (await failure(registry.config(wanted, found))).message  # type: ignore[arg-type]  # a manifest

    assert asyncio.run(work()) == "refused to connect: 169.254.169.254 is at a forbidden address"


def test_a_redirect_to_another_host_is_followed_without_the_credential() -> None:
    async def work() -> tuple[list[str], list[str]]:
        store = FaultyRegistry({"*": [Reply(body=IMAGE.config.body)]}, host="127.0.0.2")
        async with store, FaultyRegistry({MANIFEST: [manifest(IMAGE.manifest)]}) as server:
            server.script[BLOB] = [Reply(307, {"Location": f"http://{store.address}/blob?signature=1"})]
            registry = client(server.address, token="secret")
            wanted = reference(server.address).with_digest(IMAGE.manifest.digest)
            found = await registry.content(wanted)
            await registry.config(wanted, found)  # type: ignore[arg-type]  # it is a manifest
            seen = [asked.headers.get("authorization", "nothing") for asked in store.asked]
            return [asked.headers["authorization"] for asked in server.asked], seen

    assert asyncio.run(work()) == (["Bearer secret", "Bearer secret"], ["nothing"])


@pytest.mark.parametrize("challenge", ["Basic", "Bearer"])
def test_another_host_cannot_ask_for_the_login_either(challenge: str) -> None:
    async def work() -> tuple[str, list[str]]:
        thief, server = FaultyRegistry(host="127.0.0.2"), FaultyRegistry()
        async with thief, server:
            wants = {"WWW-Authenticate": f'{challenge} realm="http://{thief.address}/"'}
            thief.script["*"] = [Reply(401, wants)]
            server.script["*"] = [Reply(307, {"Location": f"http://{thief.address}/"})]
            registry = client(server.address, username="ann", password="hunter2")
            error = await failure(registry.head(reference(server.address)))
            seen = [asked.headers.get("authorization", "nothing") for asked in thief.asked]
            return error.message.replace(server.address, "it"), seen

    sentence = "it redirects to 127.0.0.2, which wants a login; none was sent there"
    assert asyncio.run(work()) == (sentence, ["nothing"])


def test_a_certificate_that_nobody_vouches_for_ends_the_connection(tls: tuple[ssl.SSLContext, Path]) -> None:
    async def work() -> tuple[str, int]:
        async with FaultyRegistry(tls=tls[0]) as server:
            error = await failure(client(server.address).head(reference(server.address)))
            return error.message.replace(server.address, "it"), len(server.lines)

    assert asyncio.run(work()) == ("cannot connect to it: self-signed certificate", 0)


@pytest.mark.parametrize("trust", ["ca_file", "insecure"])
def test_a_private_certificate_is_taken_by_its_file_or_by_declaring_the_host_insecure(
    tls: tuple[ssl.SSLContext, Path], trust: str
) -> None:
    async def work() -> str:
        settings = {"ca_file": tls[1]} if trust == "ca_file" else {"insecure": True}
        async with FaultyRegistry({"*": [manifest(IMAGE.index)]}, tls=tls[0]) as server:
            found = await client(server.address, **settings).head(reference(server.address))
            return str(found.digest)

    assert asyncio.run(work()) == IMAGE.index.digest


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (wants_token(PLAIN), "it sends its logins to 127.0.0.1 in plain HTTP; nothing was sent there"),
        (Reply(307, {"Location": PLAIN}), "it redirects from https to plain http at 127.0.0.1; not followed"),
    ],
    ids=["the realm", "a redirect"],
)  # fmt: skip
def test_nothing_leads_from_https_to_plain_http(
    tls: tuple[ssl.SSLContext, Path], reply: Reply, sentence: str
) -> None:
    async def work() -> str:
        async with FaultyRegistry({"*": [reply]}, tls=tls[0]) as server:
            registry = client(server.address, ca_file=tls[1], username="ann", password="hunter2")
            error = await failure(registry.head(reference(server.address)))
            assert isinstance(error, RegistryAnswerInvalid)
            return error.message.replace(server.address, "it")

    assert asyncio.run(work()) == sentence


def test_a_registry_elsewhere_is_never_spoken_to_in_plain_http_unless_it_is_marked_insecure() -> None:
    async def work() -> str:
        hosts = {"registry.example": HostSettings(mirrors=("http://plain.example",))}
        with pytest.raises(ConfigError) as caught:
            await client("127.0.0.1:1", more=hosts).head(reference("registry.example"))
        return caught.value.message

    assert "http://plain.example would be spoken to in plain HTTP" in asyncio.run(work())


def test_no_error_of_a_connection_shows_the_login() -> None:
    async def work() -> str:
        async with FaultyRegistry({"*": [Reply(reset=True)]}) as server:
            registry = client(server.address, token="topsecret")
            error = await failure(registry.head(reference(server.address)))
            assert isinstance(error, RegistryUnreachable)
            chain: BaseException | None = error
            shown = ""
            while chain is not None:
                shown += repr(chain) + repr(getattr(chain, "request", ""))
                chain = chain.__context__
            return shown

    assert "topsecret" not in asyncio.run(work())


class Rebinding(asyncio.SelectorEventLoop):
    """An event loop whose name server answers for `rebind.example` with an address on this machine."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        inside = host in ("rebind.example", b"rebind.example")
        return await super().getaddrinfo("127.0.0.1" if inside else host, port, **more)


def test_a_name_that_turns_out_to_lie_inside_is_told_nothing() -> None:
    async def work() -> tuple[str, int, list[Asked]]:
        async with FaultyRegistry() as server:
            wire = Wire()
            url = httpx.URL(f"http://rebind.example:{server.address.rpartition(':')[2]}/token")
            with pytest.raises(NoConnection) as caught:
                await wire.send(Outgoing("GET", url, {}, 1000, 2.0, frozenset({Zone.PUBLIC}), Tls()))
            await wire.aclose()
            return caught.value.message, server.connections, server.asked

    with asyncio.Runner(loop_factory=Rebinding) as runner:
        message, connections, asked = runner.run(work())
    assert message == "refused to connect: rebind.example is at a loopback address"
    assert (connections, asked) == (1, [])


@pytest.mark.parametrize("way", ["another port", "there and back again"])
def test_whatever_way_a_redirect_takes_the_credential_stays_at_home(way: str) -> None:
    async def work() -> list[str]:
        async with FaultyRegistry() as other, FaultyRegistry() as server:
            server.script[MANIFEST] = [Reply(307, {"Location": f"http://{other.address}/blob"})]
            home = Reply(307, {"Location": f"http://{server.address}/home"})
            other.script["*"] = [manifest(IMAGE.manifest) if way == "another port" else home]
            server.script["GET /home"] = [manifest(IMAGE.manifest)]
            registry = client(server.address, token="secret")
            await registry.content(reference(server.address).with_digest(IMAGE.manifest.digest))
            seen = [*other.asked, *server.asked[1:]]
            return [asked.headers.get("authorization", "nothing") for asked in seen]

    assert set(asyncio.run(work())) == {"nothing"}


def test_a_redirect_with_a_login_in_its_address_is_not_followed() -> None:
    async def work() -> str:
        async with FaultyRegistry({"*": [Reply(307, {"Location": "http://ann:pw@127.0.0.1/"})]}) as server:
            error = await failure(client(server.address).head(reference(server.address)))
            return error.message.replace(server.address, "it")

    assert asyncio.run(work()) == "it redirects to 'http://ann:pw@127.0.0.1/': no address"


SLOW_HEAD = b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500


@pytest.mark.parametrize("where", ["the registry", "its token server"])
def test_headers_that_come_byte_by_byte_end_with_their_time(where: str) -> None:
    async def work() -> str:
        async with FaultyRegistry() as server:
            drip = Reply(raw=SLOW_HEAD, drip=0.01)
            server.script["GET /token"] = [drip]
            realm = f"http://{server.address}/token"
            server.script["*"] = [drip if where == "the registry" else wants_token(realm)]
            error = await failure(client(server.address, timeout=0.3).head(reference(server.address)))
            return error.message.replace(server.address, "it")

    assert asyncio.run(work()) == "it did not finish its answer within 0.3 s"


def test_a_small_body_that_unpacks_to_a_gigabyte_is_cut_off() -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(2**20)
    bomb = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()

    async def work() -> str:
        headers = {"Content-Type": IMAGE.manifest.media_type, "Content-Encoding": "gzip"}
        async with FaultyRegistry({MANIFEST: [Reply(200, headers, bomb)]}) as server:
            wanted = reference(server.address).with_digest(IMAGE.manifest.digest)
            error = await failure(client(server.address).content(wanted))
            return error.message.replace(server.address, "it")

    tracemalloc.start()
    assert asyncio.run(work()) == "it answered with more than 4194304 bytes, and was cut off"
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    tracemalloc.stop()


def test_nothing_secret_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A login, a token and the signed address of a redirect: at the most talkative level none is told."""

    async def work() -> None:
        store = FaultyRegistry({"*": [Reply(body=IMAGE.config.body)]}, host="127.0.0.2")
        async with store, FaultyRegistry() as server:
            doorman = Doorman()
            await doorman.told(server)
            signed = f"http://{store.address}/blob?X-Signature=topsecret"
            server.script[BLOB] = [Reply(307, {"Location": signed})]
            server.script[MANIFEST] = [manifest(IMAGE.manifest)]
            registry = client(server.address, username="ann", password="hunter2")
            await registry.head(reference(server.address))
            wanted = reference(server.address).with_digest(IMAGE.manifest.digest)
            found = await registry.content(wanted)
            await registry.config(wanted, found)  # type: ignore[arg-type]  # it is a manifest

    with caplog.at_level(logging.DEBUG):
        asyncio.run(work())
    told = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    secrets = ("hunter2", "topsecret", base64.b64encode(b"ann:hunter2").decode(), "1-repository:app:pull")
    assert [secret for secret in secrets if secret in told] == []
