"""Carries out the steps of a job as a runner of GitHub does, composite actions included.

No runner can be had from Debian, PyPI or npm. What is decided by the language (expressions, conditions) is
GitHub's own (`language`); what is here is what GitHub's documentation says of a step: its environment, the
files it may write to, its shell, and what a failure means for the steps after it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tests.actions import language

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS: Final = re.compile(r"\b(success|failure|always|cancelled)\(\)")
_FILES: Final = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
_STEP_SECONDS: Final = 600
Outputs = Mapping[str, str]
# What `uses` names, without its version: the folder of a composite action, or a function that stands in.
Action = Path | Callable[["Job", Mapping[str, str]], Outputs]


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was reached: its name, whether it ran and how it ended, and what it printed."""

    name: str
    outcome: str
    printed: str


@dataclass
class Job:
    """One job on a fresh machine.

    Attributes:
        workspace: Where steps stand.
        temp: `runner.temp`, emptied between jobs.
        contexts: `github`, `vars`, `secrets`, … for expressions.
        env: The environment of every step.
        actions: What `uses` may name.
    """

    workspace: Path
    temp: Path
    contexts: dict[str, Any]
    env: dict[str, str]
    actions: Mapping[str, Action]
    steps: list[Step] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return any(step.outcome == "failure" for step in self.steps)

    def run(self, steps: Sequence[Mapping[str, Any]], contexts: Mapping[str, Any] | None = None) -> None:
        """Carry out steps in their order; after a failure only those whose `if` says so."""
        known = dict(contexts or self.contexts) | {"steps": {}}
        for step in steps:
            name = step.get("name") or step.get("uses") or step["run"]
            if not self._wanted(step, known):
                self.steps.append(Step(name, "skipped", ""))
                continue
            outputs = self._uses(step, known) if "uses" in step else self._runs(step, known)
            known["steps"][step.get("id", name)] = {"outputs": outputs}

    def _wanted(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
        condition = str(step.get("if", "success()")).strip()
        condition = condition.removeprefix("${{").removesuffix("}}")
        if not _STATUS.search(condition):
            condition = f"success() && ({condition})"
        return bool(language.values([condition], known, "failure" if self.failed else "success")[0])

    def _uses(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Outputs:
        action = self.actions[step["uses"].partition("@")[0]]
        given = {name: self.filled(value, known) for name, value in step.get("with", {}).items()}
        if not isinstance(action, Path):
            outputs = action(self, given)
            self.steps.append(Step(step["uses"], "success", ""))
            return outputs
        described = _read(action / "action.yml")
        contexts = {**known, "inputs": self._inputs(described["inputs"], given, known)}
        outer, self.env = self.env, self.env | {"GITHUB_ACTION_PATH": str(action)}
        self.run(described["runs"]["steps"], contexts)
        self.env = outer | {"PATH": self.env["PATH"]}
        return {}

    def _inputs(
        self, described: Mapping[str, Any], given: Mapping[str, str], known: Mapping[str, Any]
    ) -> dict[str, str]:
        assert given.keys() <= described.keys(), f"no such input: {given.keys() - described.keys()}"
        missing = [name for name, one in described.items() if one.get("required") and not given.get(name)]
        assert not missing, f"an input is required: {missing}"
        defaults = {name: self.filled(one.get("default", ""), known) for name, one in described.items()}
        return defaults | dict(given)

    def _runs(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Outputs:
        assert step["shell"] == "bash", step
        script = self.temp / f"step-{len(self.steps)}.sh"
        script.write_text(self.filled(step["run"], known), encoding="utf-8")
        files = {name: self.temp / f"{name.lower()}-{len(self.steps)}" for name in _FILES}
        for file in files.values():
            file.touch()
        own = {name: self.filled(value, known) for name, value in step.get("env", {}).items()}
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env=self.env | {name: str(file) for name, file in files.items()} | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_STEP_SECONDS,
        )
        outcome = "success" if ended.returncode == 0 else "failure"
        self.steps.append(Step(step["name"], outcome, ended.stdout))
        self.env |= _pairs(files["GITHUB_ENV"])
        for line in files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines():
            self.env["PATH"] = f"{line}:{self.env['PATH']}"
        return _pairs(files["GITHUB_OUTPUT"])

    def filled(self, value: object, known: Mapping[str, Any]) -> str:
        """A value of the file with its expressions filled in, as text."""
        text = str(value)
        expressions = _EXPRESSION.findall(text)
        if not expressions:
            return text
        found = iter(language.values(expressions, known))
        return _EXPRESSION.sub(lambda _: _as_text(next(found)), text)


def job_of(workflow: Path) -> Mapping[str, Any]:
    """The only job of a workflow, as its file says."""
    (job,) = _read(workflow)["jobs"].values()
    found: Mapping[str, Any] = job
    return found


def _read(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def _as_text(value: object) -> str:
    """As GitHub's expressions turn into text: null is nothing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pairs(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert not any("<<" in line for line in lines), "values of many lines are not understood here"
    return dict(line.split("=", 1) for line in lines if line)
