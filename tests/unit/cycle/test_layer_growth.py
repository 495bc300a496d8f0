"""Which paths made a layer grow."""

from __future__ import annotations

from dataclasses import replace

from bot.cycle.layer_growth import paired, with_growth, without_files
from bot.model.evidence import Build, Layer, PathSize


def build(*layers: Layer) -> Build:
    return Build("sha256:x", 1.0, (), sum(layer.size for layer in layers), layers)


def layer(instruction: str, files: dict[str, int]) -> Layer:
    return Layer(f"sha256:{instruction}", sum(files.values()), instruction, files=files)


BASE = layer("ADD file:1", {"libssl": 100, "doc": 50})
NEW_BASE = layer("ADD file:2", {"libssl": 90, "doc": 20, "libnew": 10})


def test_a_larger_layer_names_the_paths_that_grew_most_and_by_how_much() -> None:
    before = build(BASE, layer("RUN apt", {"curl": 100, "same": 7}))
    after = build(NEW_BASE, layer("RUN apt", {"curl": 130, "same": 7, "libcurl": 400}))
    grown = [one.grown for one in with_growth(before, after).layers]
    assert grown == [(), (PathSize("libcurl", 400), PathSize("curl", 30))]


def test_the_layers_of_two_bases_are_partners_though_their_instructions_differ() -> None:
    pairs = list(paired((BASE, layer("RUN a", {})), (NEW_BASE, layer("RUN a", {}), layer("RUN b", {}))))
    assert [(old and old.instruction, new and new.instruction) for old, new in pairs] == [
        ("ADD file:1", "ADD file:2"), ("RUN a", "RUN a"), (None, "RUN b"),
    ]  # fmt: skip


def test_a_layer_that_is_new_has_grown_from_nothing_and_names_no_path() -> None:
    assert with_growth(build(BASE), build(BASE, layer("RUN b", {"x": 5}))).layers[1].grown == ()


def test_what_is_kept_has_no_list_of_files() -> None:
    assert all(not one.files for one in without_files(build(BASE)).layers)


def test_what_is_kept_names_the_largest_files_of_its_own_layers() -> None:
    base = replace(BASE, base=True)
    own = layer("COPY", {"/app/shop": 900, "/app/map": 30}), layer("RUN strip", {"/app/shop": 400})

    kept = without_files(build(base, *own))

    assert kept.largest == (PathSize("/app/shop", 400), PathSize("/app/map", 30))
