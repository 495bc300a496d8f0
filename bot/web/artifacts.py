"""Kept SBOMs and reports, opened by the digest that a pull request names."""

from __future__ import annotations

import logging
import re
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import StoreError
from bot.ports import Artifacts

log: Final = logging.getLogger(__name__)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
# The same digest is the same document for ever; a browser saves it and runs nothing in it.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def artifacts_route(artifacts: Artifacts) -> Route:
    """`GET /artifacts/sha256:…`; what is not there, or no digest, is a 404, what cannot be read now a 503."""

    async def artifact(request: Request) -> Response:
        digest = request.path_params["digest"]
        try:
            data = await to_thread.run_sync(_read, artifacts, digest)
        except StoreError as error:
            log.error("%s was asked for: %s", digest, error.message)  # noqa: TRY400 - expected
            return PlainTextResponse("It cannot be read now; the log of Refit says why.\n", 503)
        if data is None:
            return PlainTextResponse("There is no such artifact, or it has had its time.\n", 404)
        name = f"{digest.removeprefix('sha256:')[:16]}.json"
        saved = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/json", headers=_HEADERS | saved)

    return Route("/artifacts/{digest}", artifact)


def _read(artifacts: Artifacts, digest: str) -> bytes | None:
    """The document, or None where there is none of this name."""
    there = _DIGEST.fullmatch(digest) is not None and artifacts.has(digest)
    return artifacts.get(digest) if there else None
