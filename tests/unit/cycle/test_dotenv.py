"""Compose files whose variables come from the `.env` beside them."""

from __future__ import annotations

from pathlib import Path

from bot.model.run import PullRequest
from bot.model.update import Skipped
from tests.unit.cycle.house import house, moved

IMAGE = "mirror.test/nginx:1.27"


def test_an_image_named_with_dotenv_is_updated_where_the_compose_file_holds_what_changes(
    tmp_path: Path,
) -> None:
    shop = house(tmp_path, {"web/.env": "REGISTRY=mirror.test\nTOKEN=hush\n"})
    old, new = moved(shop, IMAGE)
    compose = f"services:\n  web: {{image: '${{REGISTRY}}/nginx:1.27@{old}'}}\n"
    shop.forge.files["acme/shop"]["web/compose.yaml"] = compose.encode()

    result = shop.run().result

    (pull,) = (one for one in shop.forge.wanted.values() if isinstance(one, PullRequest))
    assert pull.files == {"web/compose.yaml": compose.replace(old, new).encode()}
    assert "hush" not in repr(result)


def test_a_tag_of_dotenv_is_left_alone_and_the_reason_says_where_it_stands(tmp_path: Path) -> None:
    files = {".env": "TAG=1.27", "compose.yaml": "services: {web: {image: 'mirror.test/nginx:${TAG:-1.26}'}}"}
    shop = house(tmp_path, files)

    (decided,) = shop.run().result.decided

    assert decided.use.text == IMAGE
    assert isinstance(decided.outcome, Skipped)
    assert "TAG in .env" in decided.outcome.reason


def test_the_dotenv_of_another_folder_says_nothing(tmp_path: Path) -> None:
    shop = house(tmp_path, {".env": "TAG=1.27", "a/compose.yaml": "services: {web: {image: 'nginx:${TAG}'}}"})

    (decided,) = shop.run().result.decided

    assert isinstance(decided.outcome, Skipped)
    assert "TAG comes from the environment" in decided.outcome.reason
