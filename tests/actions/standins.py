"""Stand-ins for GitHub's own two actions in the example: what they do, against the tests' GitHub."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx
import jwt

from bot import process
from tests.actions.runner import Job, Outputs


def checkout(job: Job, given: Mapping[str, str]) -> Outputs:
    """`actions/checkout`: the default branch, one commit deep; the job's token stays in the configuration."""
    github = job.contexts["github"]
    login = base64.b64encode(f"x-access-token:{github['token']}".encode()).decode()
    server = github["server_url"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", f"{server}/{github['repository']}"],
        ["config", f"http.{server}/.extraheader", f"AUTHORIZATION: basic {login}"],
        ["fetch", "-q", "--depth", "1", "origin", "+refs/heads/main:refs/remotes/origin/main"],
        ["checkout", "-q", "-B", "main", "refs/remotes/origin/main"],
    ):
        env = process.environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
        process.run(["git", *words], timeout=60, cwd=job.workspace, env=env)
    if given.get("persist-credentials") == "false":
        process.run(
            ["git", "config", "--unset", f"http.{server}/.extraheader"], timeout=60, cwd=job.workspace
        )
    return {}


def create_github_app_token(job: Job, given: Mapping[str, str]) -> Outputs:
    """`actions/create-github-app-token`: a token for this repository, with the permissions asked for."""
    github, now = job.contexts["github"], int(time.time())
    claims = {"iss": given["client-id"], "iat": now - 30, "exp": now + 300}
    signed = jwt.encode(claims, given["private-key"], algorithm="RS256")
    wanted = {
        name.removeprefix("permission-").replace("-", "_"): level
        for name, level in given.items()
        if name.startswith("permission-")
    }
    with httpx.Client(
        base_url=github["api_url"], headers={"Authorization": f"Bearer {signed}"}, timeout=30
    ) as api:
        installation = _ok(api.get(f"/repos/{github['repository']}/installation"))["id"]
        asked = {"repositories": [github["repository"].partition("/")[2]], "permissions": wanted}
        made = _ok(api.post(f"/app/installations/{installation}/access_tokens", json=asked))
    return {"token": made["token"], "installation-id": str(installation)}


def machine(home: object) -> dict[str, str]:
    """What a runner's environment has of the machine: programs, and the machine's own certificates."""
    kept = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "PIP_CONFIG_FILE", "LANG")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(home)}


def _ok(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()
