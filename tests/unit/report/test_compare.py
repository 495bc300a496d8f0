"""Two images side by side, as people and scripts read them."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import Health, HealthState, Layer, PathSize
from bot.model.exposure import Ignored
from bot.model.vulnerability import Finding, Severity
from bot.report.compare import markdown, render
from bot.report.compare_document import document
from bot.report.schemas import schemas
from bot.report.wording import MINUS, NONE
from tests.unit.cycle.house import scan, vulnerability
from tests.unit.report.images import compared


@pytest.mark.parametrize(
    "row",
    [
        f"| Image size | 3,000.0 MB | 240.0 MB | {MINUS}92.0 % |",
        f"| Build, cold | 13m00s | 8m00s | {MINUS}38.5 % |",
        f"| Layers | 27 | 18 | {MINUS}33.3 % |",
        f"| Vulner&shy;abilities | 2 | 1 | {MINUS}50.0 % |",
        "| · critical / high | 2 / 0 | 1 / 0 |  |",
        "| Efficiency | 97.5 % | 97.5 % |  |",
    ],
)
def test_the_guides_improvements_come_out_as_in_its_tables(row: str) -> None:
    assert row in markdown(compared()).splitlines()


def test_long_names_stand_above_the_numbers_and_not_in_their_way() -> None:
    long = f"registry.example.com/team/debian@sha256:{'a' * 64}"
    result = replace(compared(), before=replace(compared().before, name=long))
    first, second, _, head, *_ = render(result, width=60).splitlines()
    assert (first, second) == (f"First   {long}", "Second  Dockerfile")
    assert head.split() == ["FIRST", "SECOND", "CHANGE"]
    assert markdown(result).startswith(f"First: `{long}`<br>Second: `Dockerfile`\n\n| | First | Second |")
    assert "| | Before | After | Change |" in markdown(compared(caused=True))


def test_the_terminal_says_the_same_as_the_markdown() -> None:
    text = " ".join(render(compared()).split())
    assert f"Image size 3,000.0 MB 240.0 MB {MINUS}92.0 %" in text
    assert "only in the first: 1; only in the second: 1; in both: 0. Packages: 1 removed." in text


def test_the_terminal_names_the_worst_of_what_one_image_alone_has() -> None:
    result = compared()
    assert result.comparison is not None
    many = tuple(Finding(vulnerability(f"CVE-2026-{n}", Severity.HIGH)) for n in range(7))
    lines = render(replace(result, comparison=replace(result.comparison, fixed=many))).splitlines()
    first = lines.index("Only in the first, the worst 5 of 7:")
    assert lines[first + 1] == "  high     CVE-2026-0 in openssl 1, fixed in 2"
    assert lines[first + 6 : first + 8] == [
        "Only in the second:",
        "  low      CVE-2026-2 in openssl 1, fixed in 2",
    ]


def test_packages_and_layers_are_side_by_side_in_the_markdown() -> None:
    text = markdown(compared())
    assert "<summary>Packages: 1 removed</summary>\n\n| Package | First | Second |" in text
    assert f"| `gcc` | `12` | {NONE} |" in text
    assert "<summary>Layers: 27 and 18</summary>" in text
    assert "| `RUN 0` | 111.1 MB | 13.3 MB |" in text
    assert f"| `gcc` | `12` | {NONE} | rebuild |" in markdown(compared(caused=True))


def test_layers_that_other_instructions_made_never_share_a_row() -> None:
    result = compared()
    assert result.before.build is not None
    assert result.after.build is not None
    base = Layer("sha256:0", 77_000_000, "ADD rootfs")
    old = replace(result.before.build, layers=(base, Layer("sha256:1", 94_000_000, "RUN npm ci")))
    new = replace(result.after.build, layers=(base, Layer("sha256:2", 1_000_000, "COPY dist /html")))
    result = replace(result, before=replace(result.before, build=old), after=replace(result.after, build=new))
    rows = markdown(result).splitlines()
    assert "| `ADD rootfs` | 77.0 MB | 77.0 MB |" in rows
    assert f"| `RUN npm ci` | 94.0 MB | {NONE} |" in rows
    assert f"| `COPY dist /html` | {NONE} | 1.0 MB |" in rows
    assert "| `COPY dist /html` | 94.0 MB | 1.0 MB |" in markdown(replace(result, caused=True))


def test_build_times_of_one_target_are_two_numbers_and_no_percentage() -> None:
    assert "| Build, cold | 13m00s | 8m00s |  |" in markdown(compared(caused=True))


def test_what_is_left_out_of_the_markdown_is_in_the_json() -> None:
    result = compared()
    assert result.comparison is not None
    many = tuple(Finding(vulnerability(f"CVE-2026-{n}")) for n in range(230))
    result = replace(result, comparison=replace(result.comparison, introduced=many))
    assert "… and 30 more; `--format json` lists them all." in markdown(result)
    assert len(document(result)["introduced"]) == 230


def test_what_was_hidden_on_request_is_counted_and_named() -> None:
    result = compared()
    hidden = replace(result.after.scan, ignored=tuple(Ignored(f"CVE-2026-{n}", "perl") for n in range(7)))
    result = replace(result, after=replace(result.after, scan=hidden))
    names = ", ".join(f"CVE-2026-{n} in perl" for n in range(5))
    assert f"Second: 7 hidden on request: {names}, and 2 more." in " ".join(render(result).split())
    assert "Second: 7 hidden on request: `CVE-2026-0 in perl`" in markdown(result)
    assert document(result)["after"]["hidden"][6] == {
        "id": "CVE-2026-6",
        "package": "perl",
        "status": "ignored",
    }
    assert "hidden on request" not in render(compared())


def test_packages_and_layers_are_listed_in_the_json() -> None:
    found = document(compared())
    assert found["changed_packages"] == [
        {"name": "gcc", "path": "", "kind": "removed", "before": "12", "after": None}
    ]
    assert [one["instruction"] for one in found["after"]["layer_list"]] == [f"RUN {n}" for n in range(18)]


def test_causes_are_told_only_for_one_target_on_two_bases() -> None:
    told, untold = compared(caused=True), compared()
    assert "Fixed: 1 (1 by the base); introduced: 1" in markdown(told)
    assert "by the base" not in markdown(untold)
    assert document(told)["fixed"][0]["cause"] == "base"
    assert document(untold)["fixed"][0]["cause"] is None


def test_what_is_not_known_is_a_dash_or_null_and_never_a_zero() -> None:
    unknown = scan("x", supported=False)
    bare = ImageFacts("debian:12", "from its registry", unknown, None, 31_000_000, 1)
    result = replace(compared(), before=bare, comparison=None)
    assert f"| Image size | {NONE} | 240.0 MB | {NONE} |" in markdown(result)
    assert f"| Vulner&shy;abilities | unknown | 1 | {NONE} |" in markdown(result)
    found = document(result)
    assert (found["before"]["vulnerabilities"], found["change"]["size"], found["packages"]) == (
        None,
        None,
        None,
    )


def test_the_paths_that_grew_most_and_the_health_are_said() -> None:
    result = compared()
    assert result.after.build is not None
    grown = replace(result.after.build.layers[0], grown=(PathSize("usr/lib/big.so", 9_000_000),))
    build = replace(result.after.build, layers=(grown,))
    after = replace(result.after, build=build, health=Health(HealthState.HEALTHY, 1.2))
    text = markdown(replace(result, after=after))
    assert "Grew most: `/usr/lib/big.so` +9.0 MB." in text
    assert f"| Health | {NONE} | healthy 1.2 s |  |" in text


def test_digests_are_as_long_as_people_compare() -> None:
    before, after = (replace(compared().before, how=f"from its registry (sha256:{one * 64})") for one in "ab")
    foot = " ".join(render(replace(compared(), before=before, after=after), width=200).splitlines()[-1:])
    short = [f"from its registry (sha256:{one * 12})" for one in "ab"]
    assert foot.startswith(f"The first {short[0]}, the second {short[1]} for linux/amd64 · trivy")


def test_a_hostile_name_stays_a_name() -> None:
    hostile = replace(compared(), before=replace(compared().before, name="a|b`<script>@everyone\x1b[31m"))
    assert "<script>@everyone" not in markdown(hostile).replace("`", "")
    assert "\x1b" not in render(hostile)


@pytest.mark.parametrize("result", [compared(), compared(caused=True), replace(compared(), comparison=None)])
def test_the_document_keeps_to_its_schema(result: ImageComparison) -> None:
    jsonschema.validate(json.loads(json.dumps(document(result))), schemas()["compare"])
