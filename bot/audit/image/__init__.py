"""The rules that read image contents; `CHECKS` lists them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.audit.image import (
    rf301_source_maps,
    rf302_unstripped,
    rf303_dev_dependencies,
    rf304_build_packages,
    rf305_caches,
    rf306_duplicates,
    rf307_shadowed,
    rf308_world_writable,
    rf309_setuid,
    rf310_secrets,
    rf311_running_user,
    rf312_exposed_ports,
    rf313_history,
)
from bot.audit.image.contents import Image
from bot.model.finding import Audit, AuditRule, Finding, in_order

Check = Callable[[Image], Iterator[Finding]]

CHECKS: Final[tuple[tuple[AuditRule, Check], ...]] = (
    (rf301_source_maps.RULE, rf301_source_maps.check),
    (rf302_unstripped.RULE, rf302_unstripped.check),
    (rf303_dev_dependencies.RULE, rf303_dev_dependencies.check),
    (rf304_build_packages.RULE, rf304_build_packages.check),
    (rf305_caches.RULE, rf305_caches.check),
    (rf306_duplicates.RULE, rf306_duplicates.check),
    (rf307_shadowed.RULE, rf307_shadowed.check),
    (rf308_world_writable.RULE, rf308_world_writable.check),
    (rf309_setuid.RULE, rf309_setuid.check),
    (rf310_secrets.RULE, rf310_secrets.check),
    (rf311_running_user.RULE, rf311_running_user.check),
    (rf312_exposed_ports.RULE, rf312_exposed_ports.check),
    (rf313_history.RULE, rf313_history.check),
)
RULES: Final = tuple(rule for rule, _ in CHECKS)


def audit_image(image: Image) -> Audit:
    """Everything the rules say about an image."""
    found = in_order(finding for _, check in CHECKS for finding in check(image))
    notes = () if image.secrets is not None else (NO_SECRETS,)
    return Audit(found, subjects=(image.name,), notes=notes)


NO_SECRETS: Final = "no scanner looked for secrets in the image: Trivy is needed for that"
