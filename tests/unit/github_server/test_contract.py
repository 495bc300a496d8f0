"""The contract has teeth: what GitHub does not describe is found, with the exchange."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.github_server import Exchange, GitHubServer, fetch_openapi
from tests.github_server.contract import UNDESCRIBED, Contract, fetched
from tests.github_server.routing import OPERATIONS
from tests.unit.github_server.conftest import Api

if TYPE_CHECKING:
    from pathlib import Path

_REF = {"ref": "refs/heads/a", "node_id": "x", "url": "http://h/r", "object": None}
_OBJECT = {"type": "commit", "sha": "1" * 40, "url": "http://h/c"}
_GOOD = Exchange(
    method="POST",
    path="/repos/acme/shop/git/refs",
    query={},
    status=201,
    request={"ref": "refs/heads/a", "sha": "1" * 40},
    response=_REF | {"object": _OBJECT},
    template="/repos/{owner}/{repo}/git/refs",
    login="refit",
    fault=False,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({}, None, id="as described"),
        pytest.param({"response": _REF}, "object: null is not of type", id="a null too much"),
        pytest.param({"response": {"ref": "x"}}, '"node_id" is a required property', id="a field too few"),
        pytest.param({"request": {"ref": "x"}}, '"sha" is a required property', id="a request too small"),
        pytest.param({"request": None}, "null is not of type", id="no request"),
        pytest.param({"status": 200}, "status 200 is not described", id="another status"),
        pytest.param({"query": {"x": "1"}}, "x is not described", id="an unknown query parameter"),
        pytest.param({"template": "/none"}, "no such operation", id="no such operation"),
        pytest.param({"status": 422, "response": {"message": 1}}, "required property", id="a bad refusal"),
        pytest.param(
            {"status": 403, "response": {"message": 1}}, "message: 1 is not", id="a refusal in general"
        ),
        pytest.param(
            {"status": 422, "request": {}, "response": {"message": "", "documentation_url": ""}},
            None,
            id="a refused request may be anything",
        ),
    ],
)
def test_an_exchange_is_held_against_the_description(change: dict[str, Any], words: str | None) -> None:
    found = fetched().check(replace(_GOOD, **change))
    assert bool(found) is (words is not None)
    assert (words or "") in "\n".join(found)


def test_a_mismatch_fails_the_test_and_shows_the_exchange(tmp_path: Path) -> None:
    never = {"type": "object", "required": ["not there"]}
    answers = {"200": {"content": {"application/json": {"schema": never}}}}
    strange = Contract({"paths": {"/rate_limit": {"get": {"responses": answers}}}, "components": {}})
    with GitHubServer(tmp_path, strange) as server:
        Api(server.api, None)("GET", "/rate_limit")
    with pytest.raises(AssertionError, match=r"GET /rate_limit → 200.*\n.*not there"):
        server.assert_contract()


def test_every_operation_is_described_by_github() -> None:
    described = json.loads(fetch_openapi.ensure().read_bytes())["paths"]
    unknown = [
        row.template for row in OPERATIONS if row.method.lower() not in described.get(row.template, {})
    ]
    assert set(unknown) == {template for _, template in UNDESCRIBED}


def test_trimming_keeps_what_is_reached_and_spells_null_out() -> None:
    name = {"type": "string", "nullable": True}
    schemas = {
        "login": {
            "type": "object",
            "properties": {"description": name, "me": {"$ref": "#/components/schemas/login"}},
        },
        "idle": {"type": "string"},
    }
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/login"}}}}
    whole = {
        "paths": {"/user": {"get": {"responses": {"200": answer}, "tags": ["x"]}}},
        "components": {"schemas": schemas},
    }
    trimmed = fetch_openapi.trim(whole)
    assert list(trimmed["components"]["schemas"]) == ["login"]
    properties = trimmed["components"]["schemas"]["login"]["properties"]
    assert properties["description"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert list(trimmed["paths"]["/user"]["get"]) == ["responses"]


def test_another_archive_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "octokit.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(fetch_openapi.FetchError, match="is pinned"):
        fetch_openapi.verify(archive)
