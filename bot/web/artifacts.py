"""Kept SBOMs and reports, opened by the digest that a pull request names."""

from __future__ import annotations

from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import StoreError
from bot.ports import Artifacts

# The same digest is the same document for ever; a browser saves it and runs nothing in it.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def artifacts_route(artifacts: Artifacts) -> Route:
    """`GET /artifacts/sha256:…`; what is not there, or is no digest, is a 404."""

    async def artifact(request: Request) -> Response:
        digest = request.path_params["digest"]
        try:
            data = await to_thread.run_sync(artifacts.get, digest)
        except StoreError:
            return PlainTextResponse("There is no such artifact, or it has had its time.\n", 404)
        name = f"{digest.removeprefix('sha256:')[:16]}.json"
        saved = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/json", headers=_HEADERS | saved)

    return Route("/artifacts/{digest}", artifact)
