"""What a scan found beside vulnerabilities, as a reviewer sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.artifact import Artifact, ArtifactKind
from bot.model.exposure import Ignored, Misconfiguration, Secret
from bot.model.severity import Severity
from bot.report import pull_request
from bot.report.exposure import exposures, kept
from tests.unit.report import cases, hostile, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page, dangers

CLEAN = samples.scan(())


def body() -> str:
    return pull_request.body([cases.exposed()], marker=samples.MARKER)


@pytest.mark.parametrize(
    "line",
    [
        "<summary>Secrets in the new image: 1 critical, 1 high</summary>",
        "- **critical** GitHub Personal Access Token in `app/.npmrc:3`",
        "- **high** Asymmetric Private Key in the image's own config (ENV or a build step)",
        "<summary>Config of the new image: 1 high</summary>",
        "<summary>Hidden on request: 2 findings</summary>",
        "in `zlib1g` by VEX: not affected (`vex.json`): minizip is not built",
        "in `tar` by the ignore file (`.trivyignore`)",
    ],
)
def test_secrets_mistakes_and_hidden_findings_are_counted_and_named(line: str) -> None:
    assert line in body()


def test_documents_are_linked_where_somebody_serves_them_and_else_named_by_digest() -> None:
    assert "kept: [SBOM (CycloneDX)](https://refit.example.com/sbom)" in body()
    assert "report (SARIF) `5a5a5a5a5a5a`" in body()


def test_nothing_found_is_nothing_said() -> None:
    assert list(exposures(replace(CLEAN, secrets=(), misconfigurations=()))) == []
    assert kept(CLEAN) == ""


@pytest.mark.parametrize(("sources", "said"), [(("auto",), True), (("debian", "nvd"), False)])
def test_whose_severity_counts_is_said(sources: tuple[str, ...], *, said: bool) -> None:
    """Where the operator chose, it is part of the scanner's name."""
    proved = cases.exposed()
    (evidence,) = proved.evidence
    after = replace(evidence.after, scan=replace(evidence.after.scan, severity_sources=sources))
    proved = replace(proved, evidence=(replace(evidence, after=after),))
    text = pull_request.body([proved], marker=samples.MARKER)
    assert ("severity by each finding's own database, else NVD" in text) is said


@pytest.mark.parametrize("text", hostile.ALL, ids=range(len(hostile.ALL)))
def test_names_from_an_image_do_nothing_in_a_pull_request(text: str) -> None:
    scan = replace(
        CLEAN,
        secrets=(Secret(text, text, Severity.HIGH, text, 1),),
        misconfigurations=(Misconfiguration(text, text, Severity.LOW, text, text),),
        ignored=(Ignored(text, text, text, text, text),),
        artifacts=(Artifact(ArtifactKind.SBOM, "sha256:" + "5b" * 32, 1),),
    )
    shown = "\n\n".join(section.markdown(10) for section in exposures(scan))
    page = Page(to_html(shown))
    assert page.elements.count("details") == 3
    assert page.elements.count("li") == 3
    assert not dangers(page.text)
