"""HTTP in, HTTP out: credentials, faults, dispatch, limits, ETags, and the log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tests.github_server import errors, git_http, limits, routing
from tests.github_server.endpoints import merging
from tests.github_server.exchange import Exchange
from tests.github_server.git_http import GitRequest
from tests.github_server.routing import PREFIX, Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from tests.github_server.faults import Fault, Faults
    from tests.github_server.state import Token, World


class Application:
    """The ASGI application.

    Args:
        world: The state; every API request holds its lock.
        faults: What shall go wrong.
        record: Called with every exchange.
    """

    def __init__(self, world: World, faults: Faults, record: Callable[[Exchange], None]) -> None:
        self._world, self._faults, self._record = world, faults, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        path = scope["raw_path"].decode().removeprefix(PREFIX)
        fault = self._faults.take(request.method, path)
        if fault and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        serve = self._git if git_http.matches(request.url.path) else self._api
        response = await run_in_threadpool(serve, request, path, body, fault)
        await response(scope, receive, send)

    # -- git ----------------------------------------------------------------------------------

    def _git(self, request: Request, path: str, body: bytes, fault: Fault | None) -> Response:
        asked = GitRequest(request.method, request.url.path, request.url.query, request.headers, body)
        failed = fault is not None and fault.status is not None
        if not failed or (fault and fault.after_effect):
            with self._world.lock:
                answer = git_http.serve(self._world, asked)
                self._after_push(asked)
            response = Response(answer.body, answer.status, answer.headers)
        if failed and fault:
            response = Response(json.dumps(fault.answer()), fault.status or 500, fault.headers)
        token = git_http.token_of(self._world, request.headers.get("authorization"))
        who = (token.account.login, token.value) if token else ("", "")
        query, status = dict(request.query_params), response.status_code
        self._record(Exchange(request.method, path, query, status, None, None, "", who[0], failed, who[1]))
        return response

    def _after_push(self, asked: GitRequest) -> None:
        repo = git_http.repository_of(self._world, asked.path)
        token = git_http.token_of(self._world, asked.headers.get("authorization"))
        if repo is not None and asked.method == "POST" and asked.pushes():
            merging.sync(repo, token.account if token else None)

    # -- the API ------------------------------------------------------------------------------

    def _api(self, request: Request, path: str, body: bytes, fault: Fault | None) -> Response:
        failed = fault is not None and fault.status is not None
        with self._world.lock:
            path = self._by_name(path)
            found = routing.find(request.method, path)
            bearer = _credential(request.headers.get("authorization"))
            token = self._world.tokens.get(bearer or "")
            reply, sent = Reply(500), _json(body)
            if not failed or (fault and fault.after_effect):
                reply = self._answer(request, path, sent, token)
            if failed and fault:
                reply = Reply(fault.status or 500, fault.answer(), fault.headers)
            response = _response(request, reply, token)
            template, login = found[0].template if found else "", token.account.login if token else ""
            status, query = response.status_code, dict(request.query_params)
            answer = None if status == 304 else reply.body
            self._record(
                Exchange(
                    request.method, path, query, status, sent, answer, template, login, failed, bearer or ""
                )
            )
        return response

    def _answer(self, request: Request, path: str, sent: Any, token: Token | None) -> Reply:
        try:
            return self._dispatch(request, path, sent, token)
        except errors.RefusedError as refused:
            return Reply(refused.status, refused.body, refused.headers)

    def _dispatch(self, request: Request, path: str, sent: Any, token: Token | None) -> Reply:
        bearer = _credential(request.headers.get("authorization"))
        _check_credential(bearer, token)
        found = routing.find(request.method, path)
        if found is None:
            raise errors.not_found()
        operation, params = found
        moved = self._moved(request, params)
        if moved:
            return moved
        origin = f"{request.url.scheme}://{request.url.netloc}"
        query = dict(request.query_params)
        call = Call(self._world, origin, request.method, path, params, query, sent, token, bearer)
        missing = [name for name in operation.requires if name not in call.body]
        if missing:
            raise errors.missing(missing)
        return self._run(operation, call)

    def _run(self, operation: routing.Operation, call: Call) -> Reply:
        name = f"{call.params.get('owner')}/{call.params.get('repo')}"
        repo = self._world.repositories.get(name)
        if repo is None:
            return operation.handler(call)
        actor = call.token.account if call.token else None
        merging.sync(repo, actor)
        reply = operation.handler(call)
        if call.method != "GET":
            merging.sync(repo, actor)
            merging.merge_by_itself(call, repo)
        return reply

    def _by_name(self, path: str) -> str:
        """A path that names a repository by number (`/repositories/7/…`, where redirects lead), by name."""
        match = re.fullmatch(r"/repositories/(\d+)(/.*)?", path)
        named = {repo.id: name for name, repo in self._world.repositories.items()}
        full_name = named.get(int(match[1])) if match else None
        return f"/repos/{full_name}{match[2] or ''}" if match and full_name else path

    def _moved(self, request: Request, params: dict[str, str]) -> Reply | None:
        """A redirect for a repository that has a new name."""
        old = f"{params.get('owner')}/{params.get('repo')}"
        new = self._world.moved.get(old)
        if new is None:
            return None
        repo = self._world.repositories[new]
        rest = request.url.path.partition(f"/repos/{old}")[2]
        url = f"{request.url.scheme}://{request.url.netloc}{PREFIX}/repositories/{repo.id}{rest}"
        status = 301 if request.method == "GET" else 307
        text = "Moved Permanently" if status == 301 else "Temporary Redirect"
        return Reply(status, {"message": text, "url": url, "documentation_url": ""}, {"Location": url})


def configured(application: Application) -> uvicorn.Config:
    """Uvicorn's settings: silent, plain HTTP/1.1, gone within a second when told to stop."""
    return uvicorn.Config(
        application,
        log_level="critical",
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _credential(authorization: str | None) -> str | None:
    kind, _, value = (authorization or "").partition(" ")
    return value.strip() if kind.lower() in {"token", "bearer"} and value else None


def _check_credential(bearer: str | None, token: Token | None) -> None:
    """A credential that is sent must be known, whatever the operation.

    Raises:
        RefusedError: 401 "Bad credentials".
    """
    if token is not None:
        token.used += 1
    is_jwt = bearer is not None and bearer.count(".") == 2
    if bearer is not None and not is_jwt and (token is None or token.expired()):
        raise errors.bad_credentials()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _response(request: Request, reply: Reply, token: Token | None) -> Response:
    headers = limits.headers(token) | {"X-GitHub-Media-Type": "github.v3; format=json"} | reply.headers
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    content = json.dumps(reply.body).encode()
    if request.method == "GET" and reply.status == 200:
        headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
        if request.headers.get("if-none-match") == headers["ETag"]:
            if token:
                token.used -= 1  # GitHub does not count a 304
            return Response(status_code=304, headers=headers)
    return Response(content, reply.status, headers, media_type="application/json; charset=utf-8")
