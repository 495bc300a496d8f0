"""`refit audit`, the real process: a target's files, and the image that a real engine builds of it."""

from __future__ import annotations

import pytest

from tests.e2e.world import World

pytestmark = pytest.mark.lab

# Made up: it has the form of a token, and opens nothing.
TOKEN = "ghp_" + "A1b2C3d4E5" * 3 + "F6g7H8"


def test_a_target_is_judged_by_its_files_and_by_what_is_in_its_image(world: World) -> None:
    base = world.base()
    dockerfile = (
        f"FROM {base.pinned}\n"
        "COPY app /app\n"
        "RUN chmod 777 /app && chmod u+s /app/tool && dd if=/dev/zero of=/app/big bs=1M count=2\n"
        "RUN rm /app/big\n"
        'EXPOSE 22\nCMD ["/app/tool"]\n'
    )
    files = {"app/tool": "#!/bin/sh\n", "app/app.js.map": "{}", "app/settings.ini": f"token = {TOKEN}\n"}
    world.project({"Dockerfile": dockerfile, **files}, targets=[{"name": "web", "dockerfile": "Dockerfile"}])

    ended = world.refit("audit", "web", "--format", "json")

    assert ended.code == 0, ended.err
    found = {one["rule"]: one for one in ended.document["findings"] if one["rule"].startswith("RF")}
    image = {"RF301", "RF307", "RF308", "RF309", "RF310", "RF311", "RF312"}
    # The base is of a registry nobody knows: that it starts as root is known from the image alone (RF311).
    assert set(found) == image | {"RF112"}
    assert found["RF112"]["subject"] == "Dockerfile"
    assert found["RF301"]["subject"].startswith("web (built from ")
    assert found["RF307"]["saves"] >= 2 * 1024 * 1024
    assert "/app/settings.ini" in found["RF310"]["message"]
    assert TOKEN not in ended.out + ended.err
    assert world.leftovers() == []
    told = world.refit("report", "--format", "json").document["audit"]
    assert image <= {one["rule"] for one in told if ", image of 20" in one["subject"]}


def test_a_target_read_by_a_program_that_nobody_allowed_is_not_built(world: World) -> None:
    dockerfile = f"# syntax=example/frontend\nFROM {world.base().pinned}\n"
    world.project({"Dockerfile": dockerfile}, targets=[{"name": "web", "dockerfile": "Dockerfile"}])

    ended = world.refit("audit", "web")

    assert ended.code == 3
    assert "Dockerfile is not built: its `# syntax=` names example/frontend" in ended.out + ended.err
    assert "builder.frontends" in ended.out + ended.err


def test_an_image_that_the_engine_does_not_have_is_an_error_in_words(world: World) -> None:
    ended = world.refit("audit", "no/such:image")

    assert ended.code == 4
    assert "no/such:image" in ended.err
