"""The rules that read a Dockerfile; `CHECKS` lists them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.audit.dockerfile import (
    rf101_multi_stage,
    rf102_dependency_cache,
    rf103_whole_project,
    rf104_production_dependencies,
    rf105_build_dependencies,
    rf106_stale_dummy,
    rf107_minimal_base,
    rf108_unstripped_binary,
    rf109_source_maps,
    rf110_non_root_user,
    rf111_numeric_user,
    rf112_healthcheck,
    rf113_healthcheck_runs,
    rf114_pinned,
    rf115_secrets,
    rf116_leftovers,
    rf117_dockerignore,
    rf118_end_of_life,
)
from bot.audit.dockerfile.view import Dockerfile
from bot.model.finding import AuditRule, Finding
from bot.model.reference import Reference

Check = Callable[[Dockerfile], Iterator[Finding]]

CHECKS: Final[tuple[tuple[AuditRule, Check], ...]] = (
    (rf101_multi_stage.RULE, rf101_multi_stage.check),
    (rf102_dependency_cache.RULE, rf102_dependency_cache.check),
    (rf103_whole_project.RULE, rf103_whole_project.check),
    (rf104_production_dependencies.RULE, rf104_production_dependencies.check),
    (rf105_build_dependencies.RULE, rf105_build_dependencies.check),
    (rf106_stale_dummy.RULE, rf106_stale_dummy.check),
    (rf107_minimal_base.RULE, rf107_minimal_base.check),
    (rf108_unstripped_binary.RULE, rf108_unstripped_binary.check),
    (rf109_source_maps.RULE, rf109_source_maps.check),
    (rf110_non_root_user.RULE, rf110_non_root_user.check),
    (rf111_numeric_user.RULE, rf111_numeric_user.check),
    (rf112_healthcheck.RULE, rf112_healthcheck.check),
    (rf113_healthcheck_runs.RULE, rf113_healthcheck_runs.check),
    (rf114_pinned.RULE, rf114_pinned.check),
    (rf115_secrets.RULE, rf115_secrets.check),
    (rf116_leftovers.RULE, rf116_leftovers.check),
    (rf117_dockerignore.RULE, rf117_dockerignore.check),
)
RULES: Final = (*(rule for rule, _ in CHECKS), rf118_end_of_life.RULE)


def findings(dockerfile: Dockerfile, ended: Callable[[Reference], str]) -> Iterator[Finding]:
    """Everything the rules say about a Dockerfile.

    Args:
        dockerfile: The Dockerfile, read.
        ended: Says when the support of an image ended; empty where it has not, or is not known.
    """
    for _, check in CHECKS:
        yield from check(dockerfile)
    yield from rf118_end_of_life.check(dockerfile, ended)
