"""What is published: which base it was really built on, and whether what the branch holds is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.cycle.shipping import BASE_DIGEST, BASE_NAME
from bot.errors import RegistryLoginFailed
from bot.model.manifest import MANIFEST_TYPES, Descriptor, ImageConfig, Manifest, Platform
from bot.model.published import BaseSource, Published, Shipping
from bot.model.reference import ConfigDigest, ManifestDigest, Reference
from bot.model.target import LINUX_AMD64, Target
from bot.report import terminal
from tests.fakes.registry import digest_of
from tests.unit.cycle.house import IMAGE, NOW, House, house

APP = "ghcr.io/acme/app:latest"
OLD_DAY, NEW_DAY = NOW - timedelta(days=60), NOW - timedelta(days=10)
NAME = "docker.io/library/debian:bookworm-slim"


class Shop:
    """A project whose one target is published; its base moved once, and Refit saw both."""

    def __init__(self, folder: Path, *, platforms: Sequence[Platform] = (LINUX_AMD64,)) -> None:
        target = Target(
            "acme/shop", "backend", "Dockerfile", image=Reference.parse(APP), platforms=tuple(platforms)
        )
        self.house: House = house(folder, {"Dockerfile": "FROM scratch\n"}, target)
        self.old = self.base("old", OLD_DAY)
        self.new = self.base("new", NEW_DAY)

    @property
    def registry_asked(self) -> list[str]:
        return self.house.registry.asked

    def base(self, version: str, created: datetime, layers: Sequence[str] = ()) -> str:
        """Push a version of the base, which Refit sees on that day."""
        made = self.house.registry.push(IMAGE, version, created=created, layers=layers or (version,))
        self.house.store.observe(NAME, made, created)
        return made

    def branch(self, dockerfile: str) -> None:
        self.house.forge.files["acme/shop"]["Dockerfile"] = dockerfile.encode()

    def publish(
        self,
        *layers: str,
        days: int = 5,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Publish an image of these layers, as a manifest of its own."""
        created = NOW - timedelta(days=days)
        config = ConfigDigest(digest_of("app config", layers, days))
        diff_ids = tuple(digest_of("layer", name) for name in layers)
        pointer = Descriptor("application/vnd.oci.image.config.v1+json", str(config), 1_000)
        pairs = tuple((annotations or {}).items())
        made = Manifest(
            ManifestDigest(digest_of("app", layers, days, pairs)), MANIFEST_TYPES[0], pointer, (), pairs
        )
        self.house.registry.add(APP, made, ImageConfig(config, LINUX_AMD64, created, diff_ids))

    def look(self) -> Published:
        """What a run finds, which the store keeps as well."""
        result = self.house.run().result
        assert self.house.store.published() == result.published
        [one] = result.published
        return one


def pinned(digest: str) -> str:
    return f"FROM {IMAGE}@{digest}\nRUN make\n"


def test_an_image_whose_lowest_layers_are_the_branchs_base_is_shipped(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.publish("new", "app")

    one = shop.look()

    assert (one.state, one.reason) == (Shipping.SHIPPED, "built on the base that the branch holds")
    assert (str(one.base), one.source) == (f"{IMAGE}@{shop.new}", BaseSource.LAYERS)
    assert (one.created, one.base_created) == (NOW - timedelta(days=5), NEW_DAY)
    assert str(one.image).startswith(f"{APP}@sha256:")


def test_a_fix_that_is_in_the_branch_and_not_in_the_image_is_merged_and_not_shipped(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.publish("old", "app", days=50)

    one = shop.look()

    assert one.state is Shipping.NOT_SHIPPED
    assert one.reason == (
        "merged, not shipped: the branch holds debian:bookworm-slim of 2026-11-14, "
        "what is published stands on that of 2026-09-25"
    )
    assert (str(one.branch), str(one.base)) == (f"{IMAGE}@{shop.new}", f"{IMAGE}@{shop.old}")
    assert one.base_created == OLD_DAY


def test_an_unpinned_branch_whose_tag_moved_since_is_not_rebuilt(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(f"FROM {IMAGE}\n")
    shop.publish("old", "app", days=50)

    one = shop.look()

    assert one.state is Shipping.NOT_SHIPPED
    assert one.reason == (
        "not rebuilt: debian:bookworm-slim of 2026-11-14 is there, "
        "what is published stands on that of 2026-09-25"
    )


def test_an_image_built_on_a_newer_base_than_the_branch_holds_is_ahead(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.old))
    shop.publish("new", "app")

    one = shop.look()

    assert (one.state, str(one.base)) == (Shipping.AHEAD, f"{IMAGE}@{shop.new}")


def test_among_several_known_bases_the_one_with_the_most_layers_counts(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    both = shop.base("both", OLD_DAY + timedelta(days=1), layers=("old", "more"))
    newest = shop.base("newest", NEW_DAY)
    shop.branch(pinned(newest))
    shop.publish("old", "more", "app")

    assert str(shop.look().base) == f"{IMAGE}@{both}"


@pytest.mark.parametrize("kind", ["index", "manifest"])
def test_an_annotation_tells_the_base_by_its_index_or_its_manifest(tmp_path: Path, kind: str) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    named = shop.old
    if kind == "manifest":
        content = shop.house.registry._contents[shop.old]
        named = content.images[0].digest  # type: ignore[union-attr]  # an index
    shop.publish("old", "app", annotations={BASE_NAME: NAME, BASE_DIGEST: named})

    one = shop.look()

    assert (one.state, one.source) == (Shipping.NOT_SHIPPED, BaseSource.ANNOTATION)
    assert one.base is not None
    assert one.base.digest == named


def test_an_annotated_base_that_is_gone_from_its_registry_is_believed(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    gone = digest_of("gone")
    shop.publish("flat", annotations={BASE_NAME: NAME, BASE_DIGEST: gone})

    one = shop.look()

    assert (one.state, one.source) == (Shipping.NOT_SHIPPED, BaseSource.ANNOTATION)
    assert one.reason.endswith(f"stands on {NAME}@{gone[7:19]}")


@pytest.mark.parametrize("claim", ["the branch's base", "the same by another name", "an older base"])
def test_an_annotation_that_the_layers_contradict_is_not_believed(tmp_path: Path, claim: str) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    named = shop.old if claim == "an older base" else shop.new
    name = "mirror.example/debian:12" if claim == "the same by another name" else NAME
    shop.publish("other", "app", annotations={BASE_NAME: name, BASE_DIGEST: named})

    one = shop.look()

    assert (one.state, one.base) == (Shipping.UNKNOWN, None)
    assert one.reason == "it was built on no base that Refit has seen"


def test_an_image_older_than_the_branchs_base_cannot_have_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.publish("unknown", "app", days=100)

    one = shop.look()

    assert (one.state, one.base) == (Shipping.NOT_SHIPPED, None)
    assert one.reason.endswith("what is published was made on 2026-08-16, before that")


def test_nothing_published_yet_is_no_failure(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))

    result = shop.house.run().result

    assert [one.state for one in result.published] == [Shipping.ABSENT]
    assert result.problems == ()


def test_a_registry_that_refuses_our_login_is_a_failure_and_never_shipped(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.house.registry.fail(APP, RegistryLoginFailed("ghcr.io refuses our login", hint="Log in again."))

    result = shop.house.run().result

    assert result.published == ()
    assert [(one.subject, one.error, one.hint) for one in result.problems] == [
        ("backend", "what is published cannot be told: ghcr.io refuses our login", "Log in again.")
    ]


def test_an_image_that_stands_on_none_says_so_and_how_old_it_is(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("app")

    one = shop.look()

    assert (one.state, one.reason) == (Shipping.UNKNOWN, "it stands on no image of a registry")
    assert one.created == NOW - timedelta(days=5)


def test_what_is_shipped_costs_one_head_and_asks_about_no_other_base(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.publish("new", "app")

    shop.house.run()

    assert [line for line in shop.registry_asked if line.startswith("HEAD ghcr.io")] == [f"HEAD {APP}"]
    assert not any(shop.old in line for line in shop.registry_asked)


def test_each_platform_is_told_apart(tmp_path: Path) -> None:
    arm = Platform("linux", "arm64")
    shop = Shop(tmp_path, platforms=(LINUX_AMD64, arm))
    both = ("linux/amd64", "linux/arm64")
    base = shop.house.registry.push(IMAGE, "both", platforms=both, created=NEW_DAY, layers=("both",))
    shop.branch(pinned(base))
    shop.house.registry.push(APP, "1", platforms=both, layers=("both", "app"))

    published = shop.house.run().result.published

    assert [(str(one.platform), one.state) for one in published] == [
        ("linux/amd64", Shipping.SHIPPED),
        ("linux/arm64", Shipping.SHIPPED),
    ]


def test_the_terminal_shows_each_published_image_with_its_age(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.branch(pinned(shop.new))
    shop.publish("old", "app", days=50)

    shown = terminal.render(shop.house.run().result, width=200)

    assert "  ! published backend: ghcr.io/acme/app:latest, made 50 days ago\n    merged, not ship" in shown
    shop.publish("new", "app", days=2)
    shown = terminal.render(shop.house.run().result, width=200)
    where = "ghcr.io/acme/app:latest, made 2 days ago, on the branch's base (made 10 days ago)"
    assert f"  ✓ published backend: {where}\n" in shown
