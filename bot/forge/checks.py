"""What is said on a commit: a check run as an App, a commit status with a token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from github import GithubException
from github.CheckRun import CheckRun
from github.Commit import Commit
from github.GithubApp import GithubApp

from bot.forge.place import Place
from bot.model.pulls import Annotation, Check, Conclusion

TEXT_LIMIT: Final = 65_535
_TITLE_LIMIT: Final = 140
_ANNOTATIONS: Final = 50  # GitHub's limit for one request
_STATES: Final = {
    Conclusion.SUCCESS: "success",
    Conclusion.NEUTRAL: "success",  # a status knows no neutral; its text says the rest
    Conclusion.FAILURE: "failure",
}
_LEVELS: Final = {
    Conclusion.SUCCESS: "notice",
    Conclusion.NEUTRAL: "warning",
    Conclusion.FAILURE: "failure",
}


def attest(place: Place, check: Check) -> bool:
    """Have the check on its commit, once and up to date; True where all of its text could be said."""
    if place.app:
        try:
            _run(place, check)
        except GithubException as error:
            if error.status != 403:  # the App's owner has not granted it: a status says the gist
                raise
        else:
            return True
    _status(place, check)
    return False


def _run(place: Place, check: Check) -> None:
    found = _ours(place, check)
    output = _output(check)
    if found is None:
        place.repo.create_check_run(
            check.name,
            check.commit,
            details_url=check.url,
            status="completed",
            conclusion=check.conclusion.value,
            completed_at=datetime.now(UTC),
            output=output,
        )
    elif (found.conclusion, found.output.title, found.output.summary) != (
        check.conclusion.value,
        output["title"],
        output["summary"],
    ):
        output.pop("annotations", None)  # GitHub adds those of an update to those that are there
        found.edit(status="completed", conclusion=check.conclusion.value, output=output)


def _ours(place: Place, check: Check) -> CheckRun | None:
    """Our newest run of this name; GitHub lists those of other Apps as well."""
    slug = place.login.removesuffix("[bot]")
    runs = _commit(place, check.commit).get_check_runs(check_name=check.name)
    return next((run for run in runs if _slug(run.app) == slug), None)


def _slug(app: GithubApp | None) -> str:
    """Which App it is; empty for one that was deleted."""
    return app.slug if app is not None else ""


def _output(check: Check) -> dict[str, Any]:
    output: dict[str, Any] = {"title": check.title[:255], "summary": check.summary[:TEXT_LIMIT]}
    if check.details:
        output["text"] = check.details[:TEXT_LIMIT]
    if check.annotations:
        output["annotations"] = [_annotation(one) for one in check.annotations[:_ANNOTATIONS]]
    return output


def _annotation(one: Annotation) -> dict[str, str | int]:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": one.line,
        "annotation_level": _LEVELS[one.conclusion],
        "title": one.title[:255],
        "message": one.message[:10_000],
    }


def _status(place: Place, check: Check) -> None:
    """The newest status of a name counts, and each is kept: look before adding one."""
    title = check.title if len(check.title) <= _TITLE_LIMIT else check.title[: _TITLE_LIMIT - 1] + "…"
    state, commit = _STATES[check.conclusion], _commit(place, check.commit)
    now = next((one for one in commit.get_combined_status().statuses if one.context == check.name), None)
    if now is None or (now.state, now.description) != (state, title):
        commit.create_status(state, check.url, title, check.name)


def _commit(place: Place, sha: str) -> Commit:
    """A handle on it, without asking for it."""
    url = f"{place.repo.url}/commits/{sha}"
    return Commit(place.repo.requester, {}, {"url": url, "sha": sha}, completed=True)
