"""Every exchange against GitHub's own OpenAPI description: the body sent, the status, the body answered."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from tests.github_server import fetch_openapi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_server.exchange import Exchange

_SHOWN_CHARACTERS = 2_000
_ERRORS_SHOWN = 5
_ERROR = {"$ref": "#/components/schemas/basic-error"}

# Where the description is wrong: path template, place in the body, and the reason.
FALSE_POSITIVES = [
    (
        re.compile(r"/repos/{owner}/{repo}/issues/{issue_number}/labels"),
        re.compile(""),
        "labels posted as a bare array of names, as PyGithub does: allowed in the description's prose only",
    ),
    (
        re.compile(r"/repos/{owner}/{repo}/pulls(/{pull_number}/requested_reviewers)?"),
        re.compile(r"(\d+/)?labels/\d+/description"),
        "a label without a description has null there, as the label's own schema says; this one forgets it",
    ),
    (
        re.compile(r"/app/installations"),
        re.compile(r"\d+/account"),
        "an account that is a user and an enterprise at once; of one installation alone it is either",
    ),
]
# Operations that GitHub has but does not describe.
UNDESCRIBED = {
    ("POST", "/api/graphql"),  # the other API
    ("GET", "/repos/{owner}/{repo}/statuses/{ref}"),  # the older address of a commit's statuses; PyGithub's
}


class Contract:
    """GitHub's description, trimmed; validators are made when they are first needed.

    Args:
        description: JSON with `paths` and `components`, as `fetch_openapi.trim` makes it.
    """

    def __init__(self, description: dict[str, Any]) -> None:
        self._paths = description["paths"]
        self._components = description["components"]
        self._validators: dict[tuple[str, ...], Any] = {}

    def check(self, exchange: Exchange) -> list[str]:
        """What is not as described about an exchange, each with the exchange; empty when all is well."""
        key = (exchange.method, exchange.template)
        if key in UNDESCRIBED:
            return []
        described = self._paths.get(exchange.template, {}).get(exchange.method.lower())
        if described is None:
            return [f"{exchange}: GitHub has no such operation"]
        found = [*self._query(exchange, described), *self._answer(exchange, described)]
        if exchange.status < 300:
            found += self._request(exchange, described)
        return found

    def _request(self, exchange: Exchange, described: dict[str, Any]) -> list[str]:
        content = described.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            empty = exchange.request in (None, {})
            return (
                []
                if empty
                else [_say(exchange, "request", "a body where none is described", exchange.request)]
            )
        if exchange.request is None and not described["requestBody"].get("required"):
            return []
        return self._errors(exchange, "request", schema, exchange.request)

    def _answer(self, exchange: Exchange, described: dict[str, Any]) -> list[str]:
        schema = self._answer_schema(exchange, described)
        if isinstance(schema, str):
            return [_say(exchange, "answer", schema, exchange.response)]
        if schema is None:
            empty = exchange.response is None
            return (
                []
                if empty
                else [_say(exchange, "answer", "a body where none is described", exchange.response)]
            )
        return self._errors(exchange, "answer", schema, exchange.response)

    def _answer_schema(self, exchange: Exchange, described: dict[str, Any]) -> dict[str, Any] | str | None:
        """The schema of the answer; None for no body; a text for a status that is not described.

        GitHub describes few of its redirects and refusals for each operation; the others have the common
        error's shape, and so has a 422 that is described without a body.
        """
        answer = described["responses"].get(str(exchange.status))
        if answer is None and exchange.status < 300:
            return f"status {exchange.status} is not described"
        if "$ref" in (answer or {}):
            answer = self._components["responses"][answer["$ref"].rpartition("/")[2]]
        schema: dict[str, Any] | None = (
            (answer or {}).get("content", {}).get("application/json", {}).get("schema")
        )
        if schema is None and exchange.status >= 300 and exchange.response is not None:
            return _ERROR
        return schema

    def _query(self, exchange: Exchange, described: dict[str, Any]) -> list[str]:
        whole = [self._parameter(item) for item in described.get("parameters", [])]
        known = {item["name"]: item["schema"] for item in whole if item["in"] == "query"}
        found = []
        for name, text in exchange.query.items():
            if name not in known:
                found.append(_say(exchange, "query", f"{name} is not described", text))
            elif text not in known[name].get("enum", [text]):
                found.append(_say(exchange, "query", f"{name} is none of {known[name]['enum']}", text))
        return found

    def _parameter(self, item: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in item:
            return item
        found: dict[str, Any] = self._components["parameters"][item["$ref"].rpartition("/")[2]]
        return found

    def _errors(self, exchange: Exchange, part: str, schema: dict[str, Any], value: Any) -> list[str]:
        validator = self._validator((exchange.method, exchange.template, part, json.dumps(schema)), schema)
        if validator.is_valid(value):
            return []
        errors = [(_place(error), error.message) for error in validator.iter_errors(value)]
        found = [
            f"{place or 'as a whole'}: {text[:300]}" for place, text in errors if not _known(exchange, place)
        ]
        return [_say(exchange, part, "\n  ".join(found[:_ERRORS_SHOWN]), value)] if found else []

    def _validator(self, key: tuple[str, ...], schema: dict[str, Any]) -> Any:
        if key not in self._validators:
            whole = {"allOf": [schema], "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[key]


def _place(error: Any) -> str:
    return "/".join(str(step) for step in error.instance_path)


def _known(exchange: Exchange, place: str) -> bool:
    return any(
        template.fullmatch(exchange.template) and where.fullmatch(place)
        for template, where, _ in FALSE_POSITIVES
    )


def _say(exchange: Exchange, part: str, problem: str, value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)[:_SHOWN_CHARACTERS]
    return f"{exchange} ({exchange.template}), {part}:\n  {problem}\n  {shown}"


@cache
def load(path: Path) -> Contract:
    """The contract in a trimmed description; read once in a process."""
    return Contract(json.loads(path.read_bytes()))


def fetched() -> Contract:
    """The contract, fetched from npm where it is not in the cache yet."""
    return load(fetch_openapi.ensure())
