"""`refit check` on a real registry: every outcome, the rules, and why."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.lab import Lab
from tests.e2e.call import refit_process
from tests.e2e.world import ROOT, Ended

pytestmark = pytest.mark.lab

SCHEMA = json.loads((ROOT / "config/schemas/check.schema.json").read_text(encoding="utf-8"))
NOW = datetime.now(UTC)


class Images:
    """Small images in repositories of one test's own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self.folder = lab, folder
        self._prefix = f"check/{uuid.uuid4().hex[:12]}"

    def push(self, name: str, *, days: int = 10, **more: Any) -> str:
        """Push `repository:tag`, made so many days ago; returns its digest."""
        repository, _, tag = name.partition(":")
        usual: dict[str, Any] = {
            "layers": ({"what": f"{name} {days}".encode()},),
            "created": NOW - timedelta(days=days),
        }
        return self._lab.push_image(f"{self._prefix}/{repository}", tag, **(usual | more))

    def name(self, name: str) -> str:
        """The name as a Dockerfile writes it."""
        return f"{self._lab.registry}/{self._prefix}/{name}"

    def dockerfile(self, *lines: str) -> None:
        """Write the Dockerfile; `{app:1}` stands for the full name of `app:1`."""
        text = "\n".join(lines).replace("{", self.name("")).replace("}", "")
        (self.folder / "Dockerfile").write_text(f"{text}\n", encoding="utf-8")

    def check(self, *words: str, **env: str) -> Ended:
        """Run `refit check` in the folder, with no configuration."""
        given = {"REFIT_STATE_DIR": str(self.folder / "state"), "HOME": str(self.folder)} | env
        return refit_process("check", *words, folder=self.folder, env=given)

    def outcomes(self, *words: str) -> list[tuple[str, str | None, str | None]]:
        """Outcome, new reference and reason of each use, from a document that is valid."""
        ended = self.check("--format", "json", *words)
        jsonschema.validate(ended.document, SCHEMA)
        return [(use["outcome"], use["to"], use["reason"]) for use in ended.document["uses"]]


@pytest.fixture
def images(lab: Lab, tmp_path: Path) -> Images:
    return Images(lab, tmp_path)


def test_a_pinned_image_that_did_not_move_is_current(images: Images) -> None:
    digest = images.push("app:1.0")
    images.dockerfile(f"FROM {{app:1.0}}@{digest}")

    assert images.outcomes() == [("current", None, None)]
    assert images.check().code == 0


def test_a_tag_that_moved_is_an_update_to_its_new_digest(images: Images) -> None:
    old = images.push("app:1.0", days=30)
    new = images.push("app:1.0", days=5)
    images.dockerfile(f"FROM {{app:1.0}}@{old}")

    ((outcome, to, reason),) = images.outcomes()

    assert (outcome, to) == ("update", f"{images.name('app:1.0')}@{new}")
    assert reason


def test_an_image_without_a_digest_is_pinned_to_what_it_is(images: Images) -> None:
    digest = images.push("app:1.0")
    images.dockerfile("FROM {app:1.0}")

    ((outcome, to, _),) = images.outcomes()

    assert (outcome, to) == ("update", f"{images.name('app:1.0')}@{digest}")
    assert "pin to" in images.check().out


def test_a_tag_that_stands_still_while_its_siblings_move_is_abandoned(images: Images) -> None:
    digest = images.push("app:1.27-alpine", days=400)
    images.push("app:1.29-alpine", days=5)
    images.dockerfile(f"FROM {{app:1.27-alpine}}@{digest}")

    ((outcome, to, reason),) = images.outcomes()

    assert (outcome, to) == ("abandoned", None)
    assert "1.29-alpine" in str(reason)


def test_a_tag_that_is_gone_has_failed_and_says_so(images: Images) -> None:
    digest = images.push("app:1.0")
    images.dockerfile("FROM {app:9.9}", f"FROM {{app:1.0}}@{digest}")

    ended = images.check("--format", "json")

    assert ended.code == 3
    assert [use["outcome"] for use in ended.document["uses"]] == ["failed", "current"]
    assert ended.document["uses"][0]["reason"].startswith("gone: ")


def test_what_cannot_move_is_skipped_with_its_reason(images: Images) -> None:
    digest = images.push("app:1.0")
    images.dockerfile("FROM scratch", f"FROM {{app}}@{digest}", "FROM ${UNSET}")

    found = images.outcomes()

    assert [one[0] for one in found] == ["skipped"] * 3
    assert all(one[2] for one in found)
    assert "no tag" in str(found[1][2])


def test_a_comment_lets_a_use_alone_and_another_one_allows_more(images: Images) -> None:
    images.push("app:1.0", days=30)
    images.push("app:1.1", days=20)
    images.dockerfile(
        "# refit: ignore waits for the migration",
        "FROM {app:1.0} AS old",
        "# refit: allow=minor",
        "FROM {app:1.0} AS new",
        "FROM {app:1.0} AS plain",
        "# refit: allow=everything",
        "FROM {app:1.0}",
    )

    ignored, allowed, plain, unknown = images.outcomes()

    assert ignored == ("skipped", None, "ignored by a comment: waits for the migration")
    assert str(allowed[1]).startswith(images.name("app:1.1@sha256:"))
    assert str(plain[1]).startswith(images.name("app:1.0@sha256:"))
    assert unknown[0] == "failed"
    assert "'everything'" in str(unknown[2])


def test_the_level_on_the_command_line_goes_before_the_rules(images: Images) -> None:
    images.push("app:1.0", days=30)
    images.push("app:2.0", days=20)
    images.dockerfile("FROM {app:1.0}")

    ((_, to, _),) = images.outcomes("--allow", "major")

    assert str(to).startswith(images.name("app:2.0@sha256:"))


FAIL_ON = {
    "update": (["--fail-on", "update"], 1),
    "another outcome": (["--fail-on", "abandoned"], 0),
    "several": (["--fail-on", "abandoned", "--fail-on", "update"], 1),
    "none": ([], 0),
}


@pytest.mark.parametrize(("words", "code"), FAIL_ON.values(), ids=FAIL_ON.keys())
def test_findings_fail_only_where_asked_for(images: Images, words: list[str], code: int) -> None:
    images.push("app:1.0")
    images.dockerfile("FROM {app:1.0}")

    assert images.check(*words).code == code


def test_a_registry_that_is_down_means_that_nothing_could_be_decided(images: Images) -> None:
    (images.folder / "Dockerfile").write_text("FROM 127.0.0.1:9/app:1\nFROM scratch\n")

    ended = images.check("--format", "json")

    assert ended.code == 4
    assert [use["outcome"] for use in ended.document["uses"]] == ["failed", "skipped"]
    assert "127.0.0.1:9" in ended.document["uses"][0]["reason"]


@pytest.mark.parametrize("line", ["FROM {app:9.9}", "# refit: allow=everything\nFROM {app:1.0}"])
def test_a_failure_that_no_service_is_to_blame_for_is_one_of_some(images: Images, line: str) -> None:
    images.push("app:1.0")
    images.dockerfile(line)

    assert images.check().code == 3


def test_a_registry_that_is_down_costs_only_its_own_uses(images: Images) -> None:
    digest = images.push("app:1.0")
    images.dockerfile("FROM 127.0.0.1:9/app:1", f"FROM {{app:1.0}}@{digest}")

    assert images.check("--fail-on", "update").code == 3


def test_the_answer_stands_alone_on_standard_output_and_progress_beside_it(images: Images) -> None:
    images.push("app:1.0")
    images.dockerfile("FROM {app:1.0}")

    loud, quiet = images.check("--format", "json"), images.check("--format", "json", "-q")

    assert loud.document["uses"] == quiet.document["uses"]
    assert "ask the registries about 1 use" in loud.err
    assert quiet.err == ""
    assert "\x1b" not in loud.out + loud.err


NO_STATE = {"a file in its way": "refit.yaml.txt/state", "the system refuses": "/proc/refit/state"}


@pytest.mark.parametrize("folder", NO_STATE.values(), ids=NO_STATE.keys())
def test_without_a_state_folder_it_may_write_it_checks_and_says_what_it_forgets(
    images: Images, folder: str
) -> None:
    digest = images.push("app:1.0")
    images.dockerfile(f"FROM {{app:1.0}}@{digest}")
    (images.folder / "refit.yaml.txt").write_text("")

    ended = images.check("--format", "json", REFIT_STATE_DIR=str(images.folder / folder))

    assert ended.code == 0, ended.err
    assert [use["outcome"] for use in ended.document["uses"]] == ["current"]
    assert "cannot be used" in ended.err
    assert "is forgotten at its end" in ended.err


def test_explained_an_image_tells_its_outcome_the_rule_and_every_tag(images: Images) -> None:
    images.push("app:1.0", days=30)
    for tag in ("1.1", "1.2-rc1", "2.0", "latest"):
        images.push(f"app:{tag}", days=20)

    ended = images.check("--explain", "--allow", "minor", images.name("app:1.0"))

    first, *rest = ended.out.splitlines()
    assert ended.code == 0
    assert first.startswith(f"{images.name('app:1.0')}: update: ")
    assert rest[0].startswith(f"  becomes {images.name('app:1.1@sha256:')}")
    assert "  by the rule: up to minor updates, of any age" in rest
    assert "1.0 → 1.1 (minor), chosen from 5 tags" in rest
    assert any(line.startswith("  2.0: not taken, a major update") for line in rest)
    assert "  1 not taken, a pre-release: 1.2-rc1" in rest
    assert "  1 not taken, no version in it: latest" in rest


def test_explained_an_image_whose_registry_is_down_could_not_be_decided(images: Images) -> None:
    ended = images.check("--explain", "127.0.0.1:9/app:1")

    assert ended.code == 4
    assert "127.0.0.1:9/app:1: failed: " in ended.out
    assert "its tags could not be listed" in ended.out


def test_the_rules_of_a_configuration_are_obeyed(images: Images) -> None:
    digest = images.push("app:1.0", days=30)
    images.push("app:1.1", days=1)
    images.dockerfile(f"FROM {{app:1.0}}@{digest}")
    rules = [{"images": ["*/app"], "allow": "minor", "minimum_age": "3 days"}]
    (images.folder / "refit.yaml").write_text(json.dumps({"rules": rules}))

    ((outcome, to, reason),) = images.outcomes()

    assert outcome == "waiting"
    assert str(to).startswith(images.name("app:1.1@sha256:"))
    assert "1.1" in str(reason)


def test_what_is_published_is_told_for_a_project_under_care(images: Images) -> None:
    """The base moves and the branch follows; the published image is not built again."""
    first, second, app = {"base": b"1"}, {"base": b"2"}, {"app": b"1"}
    old = images.push("base:1", days=30, layers=(first,))
    images.push("app:latest", days=20, layers=(first, app))
    (images.folder / "refit.yaml").write_text(
        "projects: [{name: shop, forge: local, path: ., targets: [{name: backend, "
        f"image: '{images.name('app')}'}}]}}]\n"
    )
    images.dockerfile(f"FROM {{base:1}}@{old}")

    before = images.check("--format", "json").document
    new = images.push("base:1", days=9, layers=(second,))
    images.dockerfile(f"FROM {{base:1}}@{new}")
    after = images.check("--format", "json").document

    jsonschema.validate(after, SCHEMA)
    assert [one["state"] for one in before["published"]] == ["shipped"]
    ((state, base, source, reason),) = [
        (one["state"], one["base"], one["source"], one["reason"]) for one in after["published"]
    ]
    assert (state, base, source) == ("not-shipped", f"{images.name('base:1')}@{old}", "layers")
    assert reason.startswith("merged, not shipped: the branch holds ")
    assert f"! published backend: {images.name('app')}, made 20 days ago\n    merged, n" in images.check().out
