"""Which addresses a connection may end at."""

from __future__ import annotations

import pytest

from bot.registry.guard import AddressRefused, Zone, check_literal, foreign_zones, is_loopback, zone_of


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("1.1.1.1", Zone.PUBLIC),
        ("2606:4700::1111", Zone.PUBLIC),
        ("10.1.2.3", Zone.PRIVATE),
        ("100.64.0.1", Zone.PRIVATE),
        ("fd00::1", Zone.PRIVATE),
        ("127.0.0.53", Zone.LOOPBACK),
        ("::1", Zone.LOOPBACK),
        ("::ffff:127.0.0.1", Zone.LOOPBACK),
        ("::ffff:10.0.0.1", Zone.PRIVATE),
        ("169.254.169.254", Zone.FORBIDDEN),
        ("::ffff:169.254.169.254", Zone.FORBIDDEN),
        ("fe80::1%eth0", Zone.FORBIDDEN),
        ("0.0.0.0", Zone.FORBIDDEN),
        ("::", Zone.FORBIDDEN),
        ("224.0.0.1", Zone.FORBIDDEN),
        ("168.63.129.16", Zone.FORBIDDEN),
        ("100.100.100.200", Zone.FORBIDDEN),
        ("fd00:ec2::254", Zone.FORBIDDEN),
        ("64:ff9b::a9fe:a9fe", Zone.FORBIDDEN),
        ("64:ff9b::10.0.0.1", Zone.PRIVATE),
        ("64:ff9b::101:101", Zone.PUBLIC),
        ("2002:a9fe:a9fe::1", Zone.FORBIDDEN),
        ("2002:7f00:1::", Zone.LOOPBACK),
    ],
)
def test_an_address_is_as_far_inside_as_its_block_says(address: str, zone: Zone) -> None:
    assert zone_of(address) is zone


@pytest.mark.parametrize("own", list(Zone))
def test_a_registry_may_send_us_to_the_internet_and_to_its_own_zone_only(own: Zone) -> None:
    allowed = foreign_zones(own)
    assert Zone.FORBIDDEN not in allowed
    assert allowed == {Zone.PUBLIC, own} - {Zone.FORBIDDEN}


def test_an_address_in_numbers_is_refused_before_a_packet_is_sent() -> None:
    check_literal("registry.example", frozenset({Zone.PUBLIC}))
    check_literal("[::1]", frozenset({Zone.LOOPBACK}))
    with pytest.raises(AddressRefused, match=r"169\.254\.169\.254 is at a forbidden address"):
        check_literal("169.254.169.254", frozenset({Zone.PUBLIC, Zone.PRIVATE, Zone.LOOPBACK}))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("LOCALHOST", True),
     ("localhost.example", False), ("10.0.0.1", False), ("registry", False)],
)  # fmt: skip
def test_loopback_is_told_by_name_without_a_look_up(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
