"""The rules that keep builds away from what is no public address: their text, and what nft tells of them."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from bot.builder.firewall import FORBIDDEN, Bridge, leftovers, refused, removal, renewal, rules
from bot.builder.nft import name_servers


def ranges(*networks: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(one) for one in networks]


def listing(*sets: dict[str, Any]) -> str:
    return json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}, *({"set": one} for one in sets)]})


def refusals(table: str, *elements: tuple[str, int, int]) -> dict[str, Any]:
    told = [
        {"elem": {"val": {"concat": ["172.17.0.2", *where]}, "expires": left}} for *where, left in elements
    ]
    return {"name": "refused4", "table": table, "elem": told}


def test_ranges_that_overlap_are_one_for_nft_takes_no_others() -> None:
    text = rules("refit_x", ranges("10.0.0.53"), ranges("10.1.0.0/16", "10.1.2.3", "fd00::5"))
    assert "add element inet refit_x open4 { 10.1.0.0/16 }\n" in text
    assert "add element inet refit_x open6 { fd00::5/128 }\n" in text
    assert "add element inet refit_x servers4 { 10.0.0.53/32 }\n" in text
    assert "servers6 {  }" not in text
    assert len(FORBIDDEN) == len(set(FORBIDDEN))


def test_a_renewal_replaces_what_was_exempt_and_lets_the_rules_live_for_a_while() -> None:
    text = renewal("refit_x", Bridge("docker0", tuple(ranges("172.17.0.0/16"))), ["172.17.0.2", "fd00:9::2"])
    flushed, added = text.index("flush set inet refit_x others4"), text.index("inet refit_x others4 {")
    assert flushed < added
    assert 'guarded { "docker0" timeout 30s }' in text
    assert "bridge refit_x guarded4 { 172.17.0.0/16 timeout 30s }" in text
    assert "add element inet refit_x others6 { fd00:9::2/128 }" in text
    assert "others4 {" not in renewal("refit_x", Bridge("docker0", ()), [])


def test_nothing_is_removed_where_there_is_nothing() -> None:
    assert removal([]) == ""
    assert removal(["refit_x"]).count("delete table") == 2


def test_only_our_own_tables_that_live_no_more_are_left_over() -> None:
    alive = {"name": "guarded", "table": "refit_a", "elem": [{"elem": {"val": "docker0", "expires": 20}}]}
    dead, of_others = {"name": "guarded", "table": "refit_b"}, {"name": "guarded", "table": "fail2ban"}
    assert leftovers(listing(alive, dead, of_others, {"name": "others4", "table": "refit_a"})) == ["refit_b"]


def test_what_was_refused_is_told_by_address_once_and_only_the_latest() -> None:
    ours = refusals("refit_a", ("10.0.0.5", 443, 3599), ("10.0.0.9", 80, 1000))
    theirs = refusals("refit_b", ("10.0.0.5", 443, 3590))
    six = {**refusals("refit_a", ("fd00::5", 443, 3600)), "name": "refused6"}
    assert refused(listing(ours, theirs, six), within=60) == ("10.0.0.5:443", "[fd00::5]:443")
    assert refused(listing({"name": "refused4", "table": "refit_a"}), within=60) == ()


def test_name_servers_are_those_that_an_engine_gives_to_builds() -> None:
    local = "# local\nnameserver 127.0.0.53\nnameserver 10.0.0.53\noptions edns0\n"
    others = "nameserver fe80::1%eth0\nnameserver 1.2.3\nnameserver 192.168.1.1"
    found = [str(one) for one in name_servers([local, others])]
    assert found == ["10.0.0.53/32", "fe80::1/128", "192.168.1.1/32"]
