"""A registry with TLS and tokens in a process of its own: no client shares its processor time with it."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import ssl
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from tests.integration.registry.authority import Authority
from tests.integration.registry.doorman import Doorman
from tests.integration.registry.faulty import Answering, Asked, FaultyRegistry, Reply


@contextlib.contextmanager
def served(folder: Path, delay: float) -> Iterator[tuple[str, Path]]:
    """A registry that has every image, and is late by `delay` seconds; gives its address and certificate."""
    authority = Authority(folder)
    ours, theirs = multiprocessing.Pipe()
    words = (theirs, authority.ca_file, authority.key_file, delay)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=words, daemon=True)
    process.start()
    try:
        yield ours.recv(), authority.ca_file
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection, ca_file: Path, key_file: Path, delay: float) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(ca_file, key_file)

    async def work() -> None:
        async with FaultyRegistry(tls=context) as server:
            doorman = Doorman()
            await doorman.told(server)
            doorman.realm = f"https://{server.address}/token"
            for key, answering in doorman.script.items():
                server.script[key] = _delayed(answering, delay)
            pipe.send(server.address)
            await asyncio.get_running_loop().create_future()

    asyncio.run(work())


def _delayed(answering: Answering, delay: float) -> Answering:
    def later(asked: Asked) -> Reply:
        return replace(answering(asked), pause=delay)

    return later
