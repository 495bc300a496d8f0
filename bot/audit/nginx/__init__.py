"""The rules that read nginx configurations; `CHECKS` lists them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.audit.nginx import (
    rf201_gzip,
    rf202_gzip_level,
    rf203_gzip_types,
    rf204_static_caching,
    rf205_immutable,
    rf206_nosniff,
    rf207_frame_options,
    rf208_content_security_policy,
    rf209_referrer_policy,
    rf210_header_inheritance,
    rf211_xss_protection,
    rf212_hsts,
    rf213_server_tokens,
)
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding

Check = Callable[[Block], Iterator[Finding]]

CHECKS: Final[tuple[tuple[AuditRule, Check], ...]] = (
    (rf201_gzip.RULE, rf201_gzip.check),
    (rf202_gzip_level.RULE, rf202_gzip_level.check),
    (rf203_gzip_types.RULE, rf203_gzip_types.check),
    (rf204_static_caching.RULE, rf204_static_caching.check),
    (rf205_immutable.RULE, rf205_immutable.check),
    (rf206_nosniff.RULE, rf206_nosniff.check),
    (rf207_frame_options.RULE, rf207_frame_options.check),
    (rf208_content_security_policy.RULE, rf208_content_security_policy.check),
    (rf209_referrer_policy.RULE, rf209_referrer_policy.check),
    (rf210_header_inheritance.RULE, rf210_header_inheritance.check),
    (rf211_xss_protection.RULE, rf211_xss_protection.check),
    (rf212_hsts.RULE, rf212_hsts.check),
    (rf213_server_tokens.RULE, rf213_server_tokens.check),
)
RULES: Final = tuple(rule for rule, _ in CHECKS)


def findings(root: Block) -> Iterator[Finding]:
    """Everything the rules say about a configuration."""
    for _, check in CHECKS:
        yield from check(root)
