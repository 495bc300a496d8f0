"""Bytes of a registry, read as model values or refused with a sentence of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import RegistryAnswerInvalid
from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES, Index, Manifest, Platform
from bot.model.reference import IndexDigest, ManifestDigest
from bot.registry import documents, fields, protocol, tags

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
WHERE = "debian:12"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
CONFIG = {"mediaType": CONFIG_TYPE, "digest": A, "size": 10}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": B, "size": 20}
AMD64 = {"os": "linux", "architecture": "amd64"}


def entry(digest: str, platform: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    return {"mediaType": MANIFEST_TYPES[0], "digest": digest, "size": 5, "platform": platform, **more}


def bytes_of(**fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, **fields}).encode()


@pytest.mark.parametrize("media_type", INDEX_TYPES)
def test_an_index_is_read_whatever_the_order_of_its_entries_and_attestations_are_no_platform(
    media_type: str,
) -> None:
    attestation = {"vnd.docker.reference.type": "attestation-manifest"}
    entries = [
        entry(C, {"os": "unknown", "architecture": "unknown"}, annotations=attestation),
        entry(A, {"os": "linux", "architecture": "arm64", "variant": "v8"}),
        entry(B, {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"}),
    ]
    body = bytes_of(mediaType=media_type, manifests=entries)
    backwards = bytes_of(mediaType=media_type, manifests=entries[::-1])
    for found in (
        documents.content_of(body, media_type, WHERE),
        documents.content_of(backwards, None, WHERE),
    ):
        assert isinstance(found, Index)
        assert {one.digest for one in found.images} == {A, B}
        chosen = found.for_platform(Platform("linux", "arm64"))
        assert chosen is not None
        assert chosen.digest == A
    assert documents.content_of(body, media_type, WHERE).digest == IndexDigest(protocol.digest_of(body))


@pytest.mark.parametrize("media_type", MANIFEST_TYPES)
def test_a_manifest_is_read_with_its_digest_sizes_and_annotations(media_type: str) -> None:
    body = bytes_of(mediaType=media_type, config=CONFIG, layers=[LAYER], annotations={"k": "v", "n": 1})
    found = documents.content_of(body, None, WHERE)
    assert isinstance(found, Manifest)
    assert found.digest == ManifestDigest(protocol.digest_of(body))
    assert (found.media_type, found.pushed_size, found.annotations) == (media_type, 30, (("k", "v"),))


def test_a_document_that_does_not_say_what_it_is_is_told_by_its_header_and_its_shape() -> None:
    index, manifest = bytes_of(manifests=[]), bytes_of(config=CONFIG, layers=[])
    assert documents.content_of(index, INDEX_TYPES[1], WHERE).media_type == INDEX_TYPES[1]
    plain = "application/json; charset=utf-8"
    assert documents.content_of(manifest, plain, WHERE).media_type == MANIFEST_TYPES[0]


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        pytest.param(b"not json", None, "the answer is no JSON", id="garbage"),
        pytest.param(b"[" * 100_000, None, "the answer is no JSON", id="nested without end"),
        pytest.param(b"[]", None, "JSON, but no object", id="a list"),
        pytest.param(b"<html>", "text/html; charset=utf-8", "a web page came instead", id="a login page"),
        pytest.param(
            b'{"schemaVersion":1,"fsLayers":[]}', None, "withdrawn manifest schema 1", id="schema 1"
        ),
        pytest.param(b"{}", protocol.SCHEMA_1[1], "withdrawn manifest schema 1", id="schema 1 by its header"),
        pytest.param(bytes_of(), None, "neither an image index nor", id="nothing in it"),
        pytest.param(
            bytes_of(manifests=[], layers=[]), None, "neither an image index nor", id="both at once"
        ),
        pytest.param(
            bytes_of(mediaType=MANIFEST_TYPES[0], manifests=[]), None, "no container image", id="a lie"
        ),
        pytest.param(
            bytes_of(config=CONFIG | {"mediaType": "application/vnd.cncf.helm.config.v1+json"}, layers=[]),
            None,
            "no container image but 'application/vnd.cncf.helm",
            id="a Helm chart",
        ),
        pytest.param(
            bytes_of(config=CONFIG | {"digest": "md5:1"}, layers=[]), None, "a descriptor lacks", id="md5"
        ),
        pytest.param(
            bytes_of(config=CONFIG | {"size": -1}, layers=[]), None, "the size -1", id="a negative size"
        ),
        pytest.param(bytes_of(config=CONFIG, layers={}), None, "'layers' is no list", id="layers no list"),
        pytest.param(bytes_of(manifests=["x"]), None, "a descriptor lacks", id="an entry that is a word"),
    ],
)
def test_what_is_no_image_is_refused_and_says_why(
    body: bytes, content_type: str | None, sentence: str
) -> None:
    with pytest.raises(RegistryAnswerInvalid, match=sentence) as caught:
        documents.content_of(body, content_type, WHERE)
    assert WHERE in caught.value.message


def test_bytes_of_another_digest_are_refused_with_both_digests() -> None:
    protocol.verify(b"abc", protocol.digest_of(b"abc"), WHERE)
    protocol.verify(b"abc", protocol.digest_of(b"abc", "sha512"), WHERE)
    with pytest.raises(RegistryAnswerInvalid, match=r"asked for sha256:aaaaaaaaaaaa…, .* sha256:"):
        protocol.verify(b"abc", A, WHERE)


@pytest.mark.parametrize(
    ("digest", "content_type", "kind"),
    [
        pytest.param(A, INDEX_TYPES[0], IndexDigest, id="an index"),
        pytest.param(A, MANIFEST_TYPES[1] + "; charset=utf-8", ManifestDigest, id="a manifest"),
        pytest.param("", INDEX_TYPES[0], None, id="no digest"),
        pytest.param("sha256:oops", INDEX_TYPES[0], None, id="a digest that is none"),
        pytest.param(A, "application/json", None, id="a type that says nothing"),
        pytest.param(A, None, None, id="no type"),
    ],
)
def test_a_head_gives_a_digest_of_its_kind_or_says_that_the_bytes_are_needed(
    digest: str, content_type: str | None, kind: type | None
) -> None:
    head = protocol.head_of(digest, content_type, 7, WHERE)
    assert (type(head.digest) if head else None) is kind


def test_an_image_config_gives_what_the_proof_needs() -> None:
    document = {
        "os": "linux", "architecture": "arm", "variant": "v7", "created": "2026-11-01T10:00:00.123456789Z",
        "config": {"User": "1000", "Labels": {"a": "b"}, "Healthcheck": {"Test": ["CMD", "true"]}},
        "rootfs": {"type": "layers", "diff_ids": [A, B]},
        "history": [{"created_by": "RUN x"}, {"empty_layer": True}],
    }  # fmt: skip
    found = documents.config_of(json.dumps(document).encode(), C, WHERE)
    assert found.platform == Platform("linux", "arm", "v7")
    assert found.created == datetime(2026, 11, 1, 10, 0, 0, 123456, UTC)
    assert (found.diff_ids, found.labels, found.user) == ((A, B), (("a", "b"),), "1000")
    assert (found.healthcheck, found.history) == (("CMD", "true"), ("RUN x", ""))


def test_an_image_config_may_leave_out_everything_but_its_platform() -> None:
    assert documents.config_of(json.dumps(AMD64 | {"config": None}).encode(), C, WHERE).diff_ids == ()
    with pytest.raises(RegistryAnswerInvalid, match="names no platform"):
        documents.config_of(b"{}", C, WHERE)


@pytest.mark.parametrize("text", [None, "", "yesterday", 7, "0001-01-01T00:00:00Z"])
def test_a_time_that_says_nothing_is_unknown_not_ancient(text: object) -> None:
    assert fields.moment(text) is None


def test_junk_in_a_tag_list_is_left_out() -> None:
    junk = [None, 3, "", "sha256:" + "a" * 64, "-x", "a" * 129, "1.2", "latest", {"name": "x"}]
    assert tags.tags_of(json.dumps({"tags": junk}).encode(), WHERE) == ("1.2", "latest")
    assert tags.tags_of(b'{"tags": null}', WHERE) == ()
    with pytest.raises(RegistryAnswerInvalid, match="the tag list is no list"):
        tags.tags_of(b'{"tags": "1.2"}', WHERE)


@pytest.mark.parametrize("size", [b"1e999", b"-1", b"9223372036854775808", b'"many"', b"null"])
def test_a_size_that_no_image_has_is_refused(size: bytes) -> None:
    body = json.dumps({"schemaVersion": 2, "manifests": [entry(A, AMD64)]}).encode()
    with pytest.raises(RegistryAnswerInvalid, match="descriptor"):
        documents.content_of(body.replace(b'"size": 5', b'"size": ' + size), INDEX_TYPES[0], WHERE)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
)
def test_a_date_that_nothing_can_be_added_to_is_none(text: str) -> None:
    assert fields.moment(text) is None
