"""A proxy that fails is named as the culprit, without its login; the registry behind it is not."""

from __future__ import annotations

import asyncio
import os

import httpx2 as httpx
import pytest

from bot.errors import RegistryError
from bot.registry.guard import Zone
from bot.registry.wire import Outgoing, Tls, Wire, proxy_for

HOST = "registry.example"


@pytest.fixture(autouse=True)
def _no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def failure() -> RegistryError:
    async def work() -> RegistryError:
        wire = Wire()
        url = httpx.URL(f"https://{HOST}/v2/")
        with pytest.raises(RegistryError) as caught:
            await wire.send(Outgoing("HEAD", url, {}, 100, 5.0, frozenset(Zone), Tls()))
        await wire.aclose()
        return caught.value

    return asyncio.run(work())


@pytest.mark.parametrize("named", ["http://bot:secret@127.0.0.1:9", "bot:secret@127.0.0.1:9"])
def test_a_proxy_that_does_not_answer_is_named_without_its_login(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    told = failure()
    assert told.message == f"cannot connect to {HOST} by the proxy 127.0.0.1:9: Connection refused"
    assert "HTTPS_PROXY" in told.hint


def test_a_proxy_of_a_kind_that_is_not_spoken_to_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://bot:secret@127.0.0.1:9")
    told = failure()
    assert told.message == f"cannot ask {HOST}: a socks5:// proxy is not spoken to"
    assert "NO_PROXY" in told.hint


def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert proxy_for(httpx.URL("https://localhost:5000/v2/")) is None
    assert proxy_for(httpx.URL(f"https://{HOST}/v2/")) == "http://127.0.0.1:9"
