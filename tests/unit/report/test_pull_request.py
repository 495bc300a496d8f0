# ruff: noqa: E501 - expected sentences stand whole, as a reader sees them
"""A pull request tells the truth about every way a proof can go, in GitHub's own format."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from bot.model.evidence import BuildNetwork, VerdictState
from bot.model.run import Proved
from bot.model.update import UpdateKind
from bot.model.vulnerability import (
    Cause,
    ChangeKind,
    Comparison,
    Finding,
    Package,
    PackageChange,
    Severity,
    Vulnerability,
)
from bot.report import pull_request, section
from tests.unit.report import cases, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page, dangers, hidden


def body(*proved: Proved) -> str:
    return pull_request.body(proved, marker=samples.MARKER)


def seen(text: str) -> str:
    """What a reviewer sees before unfolding anything."""
    return re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)


TITLES = {
    "pass": "Bump debian:bookworm-slim to 2026-11-10 in backend (fixes 3 critical, 9 high)",
    "pin": "Pin debian:bookworm-slim in backend",
    "unsupported distribution": "Bump debian:bookworm-slim to 2026-11-10 in backend",
    "build failed": "Bump debian:bookworm-slim to 2026-11-10 in backend",
    "two platforms": "Bump debian:bookworm-slim to 2026-11-10 in backend (fixes 3 critical, 9 high)",
}

SENTENCES = {
    "pass": "✅ **PASS** by your policy. Removes 3 critical and 9 high, and rebuilding 2 high more; adds 1 low; 0.2 % smaller; healthy. One line changes.",
    "pin": "✅ **PASS** by your policy. Pins the image you already get; healthy. One line changes.",
    "level base": "✅ **PASS** by your policy. Removes 3 critical and 9 high, and rebuilding 2 high more; adds 1 low; 0.3 % smaller; not built. One line changes.",
    "two platforms": "healthy on linux/amd64. One line changes.",
    "before gone": "⚠️ **WARN** by your policy. Nothing to compare with: the old image is gone from the registry. Healthy. One line changes.",
    "unsupported distribution": "⚠️ **WARN** by your policy. Vulnerabilities unknown: the scanner has no data for debian 9.13. 0.2 % smaller; healthy. One line changes.",
    "build failed": "⛔ **BLOCK** by your policy. It does not build on the new base, and did on the old one",
    "unhealthy": "⛔ **BLOCK** by your policy. Healthy before, unhealthy after (not healthy within 60 s; the last probe said: exit code 1 curl: (7) Failed to connect). Removes 3 critical and 9 high, and rebuilding 2 high more; adds 1 low; 0.2 % smaller; unhealthy. One line changes.",
    "not built either": "⚠️ **WARN** by your policy. The target does not build before this update either: [3/5] RUN npm ci failed with exit code 1. Removes 3 critical",
    "nothing measured": "⛔ **BLOCK** by your policy. Nothing could be measured. One line changes.",
    "repaired": "✅ **PASS** by your policy. Repairs the build; healthy. One line changes.",
}

LEVELS = {
    "pass": "level: build + health",
    "level base": "level: base (the base images alone), because this machine has no container engine",
    "level build": "level: build, because the engine failed this time",
    "two platforms": "backend · linux/arm64: level base (the base images alone), because this machine builds linux/amd64",
}


@pytest.mark.parametrize("case", TITLES)
def test_the_title_says_what_moves_where_and_what_that_fixes(case: str) -> None:
    assert pull_request.title([cases.CASES[case]()]) == TITLES[case]


@pytest.mark.parametrize("case", SENTENCES)
def test_the_first_line_says_why_it_is_no_pass_and_what_merging_does(case: str) -> None:
    assert SENTENCES[case] in html.unescape(body(cases.CASES[case]())).partition("\n")[0]


@pytest.mark.parametrize("case", LEVELS)
def test_the_level_is_told_with_the_reason_for_not_more(case: str) -> None:
    assert LEVELS[case] in seen(body(cases.CASES[case]()))


@pytest.mark.parametrize("case", cases.CASES)
def test_every_body_fits_ends_in_its_marker_and_is_sound_markdown(case: str) -> None:
    text = body(cases.CASES[case]())
    page = Page(to_html(text))
    assert len(text) <= section.LIMIT
    assert text.endswith(f"{samples.MARKER}\n")
    assert page.comments == [samples.MARKER[4:-3]]
    assert page.elements.count("summary") == page.elements.count("details") == text.count("</details>")
    assert not dangers(page.text)
    assert not hidden(text.replace("\n", ""))
    assert not re.search(r"^/", text, re.MULTILINE)


def test_the_table_shows_before_after_and_causes_in_a_few_rows() -> None:
    rows = [line for line in seen(body(samples.proved())).splitlines() if line.startswith("|")]
    assert rows == [
        "| backend · amd64 | Before | After | |",
        "|:--|--:|--:|:--|",
        "| Critical / High | 3 / 11 | 0 / 0 | 3 C + 9 H by base, 2 H by rebuild |",
        "| Medium / Low | 16 / 11 | 11 / 9 | 5 M + 2 L by base, 1 L by rebuild; **adds 1 L** |",
        "| Size | 181.2 MB | 180.9 MB | baseline 178.0 MB · budget 200.0 MB |",
        "| Health | healthy 2.1 s | healthy 2.0 s |  |",
    ]


def test_the_sections_are_folded_with_their_counts() -> None:
    assert re.findall(r"<summary>(.*?)</summary>", body(samples.proved())) == [
        "Fixed: 22 (19 by the base, 3 by rebuilding)",
        "Introduced: 1 low",
        "Remaining: 19 (2 have a fix)",
        "Packages: 6 changed, 1 added",
        "Layers and build: 41.3 s before, 39.8 s after (both cold)",
        "How it was measured, and the command that repeats it",
    ]


def test_a_fix_that_waits_in_a_lock_file_is_listed_by_that_file() -> None:
    text = body(samples.proved())
    assert "- 2 fixes in `app/Cargo.lock`:" in text
    assert "`rustls 0.21.10 → 0.21.11`" in text


def test_an_unsupported_distribution_is_unknown_and_never_zero() -> None:
    text = body(cases.unsupported())
    assert "| Critical / High | unknown | unknown |  |" in text
    assert "0 / 0" not in text
    assert "Vulnerabilities: unknown" in text


def test_the_old_image_gone_shows_no_number_before() -> None:
    assert "| Critical / High | – | 0 / 0 |  |" in body(cases.before_gone())  # noqa: RUF001 - a dash


def test_a_build_that_fails_shows_its_last_lines_at_once_and_fifty_folded() -> None:
    text = body(cases.build_failed())
    page = Page(to_html(text))
    assert "undefined symbol: SSL_get1_peer" in seen(text)
    assert "… 24 lines before these are not shown" in text
    assert "h1" not in page.elements
    assert "[skip ci]" not in text
    assert "| base image · amd64 | Before | After |" in text


def test_build_times_are_two_cold_numbers_and_never_a_percentage() -> None:
    layers = body(samples.proved()).partition("Layers and build")[2].partition("</details>")[0]
    assert "41.3 s before, 39.8 s after (both cold)" in layers
    assert "%" not in layers


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (BuildNetwork(closed=True), ["Builds were kept from loopback, private and link-local addresses"]),
        (BuildNetwork(closed=False, reason="no nft"), ["Builds could reach private addresses: no nft"]),
        (None, []),
    ],
    ids=["closed", "open", "evidence of an older version"],
)
def test_how_it_was_measured_says_what_builds_could_reach(
    network: BuildNetwork | None, told: list[str]
) -> None:
    one = samples.proved()
    (evidence,) = one.evidence
    assert evidence.after.build is not None
    after = replace(evidence.after, build=replace(evidence.after.build, network=network))
    text = body(replace(one, evidence=(replace(evidence, after=after),)))
    measured = text.partition("How it was measured")[2]
    assert [line[2:] for line in measured.splitlines() if line.startswith("- Builds ")] == told


def test_what_is_cut_from_a_huge_body_is_said_with_its_number() -> None:
    text = body(cases.huge())
    assert re.search(r"… and \d+ more, cut to fit GitHub's 65,536 characters\.", text)
    assert "Removes 3 critical and 909 high, and rebuilding 2 high more" in text


def test_a_group_of_very_many_targets_still_fits() -> None:
    one = samples.proved()
    many = [
        replace(one, planned=replace(one.planned, target=replace(samples.TARGET, name=f"service-{i:03}")))
        for i in range(400)
    ]
    text = body(*many)
    assert len(text) <= section.LIMIT
    assert "The details are cut" in text
    assert text.endswith(f"{samples.MARKER}\n")
    assert pull_request.title(many).startswith("Bump debian:bookworm-slim to 2026-11-10 in 400 places")


def test_the_worst_verdict_of_a_group_is_told() -> None:
    text = body(samples.proved(), cases.unhealthy())
    assert text.startswith("⛔ **BLOCK**")


def test_every_reason_of_a_group_says_whose_it_is() -> None:
    text = seen(body(*cases.group()))
    assert text.startswith("⛔ **BLOCK** by your policy. In admin: it does not build on the new base")
    assert (
        "- In worker: healthy before, unhealthy after (not healthy within 60 s; the last probe said:" in text
    )
    assert "- In docs and site: the target does not build before this update either:" in text
    assert "Last lines of what failed (worker · linux/amd64)" in text


def test_of_two_that_fail_differently_both_are_told() -> None:
    other = "it does not build on the new base, and did on the old one: step 2 of 3 ended with code 9"
    second = cases.named(cases.build_failed(), "worker")
    (one,) = second.evidence
    second = replace(
        second,
        evidence=(replace(one, failure=other),),
        verdict=replace(second.verdict, reasons=(other,)),
    )
    text = seen(body(cases.build_failed(), second))
    assert "In backend: it does not build on the new base, and did on the old one: step 5 of 9" in text
    assert "- In worker: it does not build on the new base, and did on the old one: step 2 of 3" in text


def test_targets_that_stay_at_level_base_share_one_table() -> None:
    text = body(*cases.group())
    assert text.count("| base image · amd64 |") == 1
    assert "docs · linux/amd64 and site · linux/amd64: level base" in text
    assert text.count("because the target does not build") == 2  # on both sides; and on the new one only


def test_a_package_whose_folder_has_its_version_in_its_name_is_not_said_to_be_gone() -> None:
    path = "venv/lib/python3.11/site-packages/pip-{}.dist-info/METADATA"
    old = Package("pip", "23.0", "python-pkg", path.format("23.0"), "pip")
    found = Finding(Vulnerability("CVE-2025-1", old, Severity.HIGH, "24.0"), Cause.BASE)
    change = PackageChange("pip", ChangeKind.CHANGED, "23.0", "24.0", Cause.BASE, path.format("24.0"))
    one = replace(samples.evidence(), comparison=Comparison((found,), (), (), (), (change,)))
    assert "`pip` `23.0 → 24.0` by the base" in body(cases.with_evidence(one))


def test_what_was_not_done_is_not_told_among_how_it_was_measured() -> None:
    assert "built together" in body(samples.proved())
    assert "built together" not in body(cases.base_only())
    assert "Both are started" not in body(cases.build_only())


def test_an_image_that_is_not_healthy_any_more_shows_what_it_said_last() -> None:
    text = body(cases.unhealthy())

    assert "Last lines of what failed (backend · linux/amd64):" in text
    assert "thread 'main' panicked at src/main.rs:12: no such file" in text
    assert "Last lines" not in body(samples.proved())


def test_a_vulnerability_shared_by_two_platforms_counts_once() -> None:
    assert "3 critical and 9 high" in body(cases.two_platforms()).partition("\n")[0]


def test_the_command_that_repeats_it_and_the_way_back_are_there() -> None:
    text = pull_request.body([samples.proved()], marker=samples.MARKER, cycle="c-1", command="refit run --x")
    assert "```text\nrefit run --x\n```" in text
    assert "Cycle `c-1`" in text
    assert "Undo: revert." in seen(text)


def test_the_same_evidence_gives_the_same_text() -> None:
    assert body(samples.proved()) == body(samples.proved())


def test_a_newer_tag_is_the_destination_of_the_title() -> None:
    one = samples.proved()
    update = replace(one.planned.update, kind=UpdateKind.MINOR, to=one.planned.update.to.with_tag("13-slim"))
    moved = replace(one, planned=replace(one.planned, update=update))
    assert pull_request.title([moved]).startswith("Bump debian:bookworm-slim to 13-slim in backend")


def test_the_commit_message_is_a_conventional_commit_with_both_references() -> None:
    message = pull_request.commit_message([samples.proved()])
    subject, blank, *rest = message.splitlines()
    assert subject == "build(deps): bump debian:bookworm-slim to 2026-11-10 in backend"
    assert blank == ""
    assert f"-> debian:bookworm-slim@{samples.NEW}" in rest
    assert f"debian:bookworm-slim@{samples.OLD}" in rest


def test_hostile_names_reach_neither_title_nor_body_nor_commit() -> None:
    one = samples.proved()
    name = "x`|<img src=x> @octocat fixes #1 [skip ci]\n/close \u202e https://evil.example"
    target = replace(samples.TARGET, name=name)
    update = replace(one.planned.update, reason=name, notes=(name,), old_name=name)
    evil = replace(one, planned=replace(one.planned, target=target, update=update))
    evil = replace(evil, verdict=replace(one.verdict, state=VerdictState.WARN, reasons=(name,)))
    page = Page(to_html(body(evil)))
    assert "img" not in page.elements
    assert not dangers(page.text)
    assert not dangers(pull_request.title([evil]))
    assert not dangers(pull_request.commit_message([evil]).partition("\n\n")[0])


def test_a_base_that_vouches_for_its_own_age_and_a_waiver_are_told() -> None:
    one = samples.proved()
    update = replace(one.planned.update, age_verified=False, waived=True)
    text = seen(body(replace(one, planned=replace(one.planned, update=update))))
    assert "Base 14 days old by its own date · minimum age waived for a security fix" in text
