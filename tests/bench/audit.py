"""How right the audit is, and how fast: precision and recall on the corpus, and hadolint beside it.

python -m tests.bench audit

The corpus was written from the guide before the rules were. `python -m tests.bench.audit FOLDER` counts on
another one in the same form (FOLDER/dockerfile/*.txt, FOLDER/nginx/*.txt).
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.commands import hadolint
from tests.unit.audit import auditing, corpus
from tests.unit.audit.corpus import Case, Found

FEWEST = 0.95  # of precision and recall, on each kind


def count(cases: Sequence[Case], audit: Callable[[Case], Found]) -> dict[str, object]:
    """Precision and recall over all cases, the cases that are wholly right, and where it went wrong."""
    right, surplus, missed, exact = 0, Counter[str](), Counter[str](), 0
    for case in cases:
        found = audit(case)
        right += (found & case.expected).total()
        surplus.update(
            rule for (_, rule, _), number in (found - case.expected).items() for _ in range(number)
        )
        missed.update(rule for (_, rule, _), number in (case.expected - found).items() for _ in range(number))
        exact += found == case.expected
    precision = right / (right + surplus.total()) if right else 0.0
    recall = right / (right + missed.total()) if right else 0.0
    return {
        "cases": len(cases),
        "expected": right + missed.total(),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "cases_exact": exact,
        "limit": FEWEST,
        "within_limit": min(precision, recall) >= FEWEST,
        "surplus": dict(surplus),
        "missed": dict(missed),
    }


def seconds(cases: Sequence[Case], audit: Callable[[Case], object]) -> float:
    start = time.perf_counter()
    for case in cases:
        audit(case)
    return time.perf_counter() - start


def speed() -> dict[str, object]:
    """Ours against hadolint, which starts once for each file."""
    cases = corpus.DOCKERFILES
    mine = seconds(cases, auditing.dockerfile)
    result: dict[str, object] = {"files": len(cases), "refit_seconds": round(mine, 2)}
    if program := hadolint.found():
        theirs = seconds(cases, lambda case: hadolint.run(program, case.main, case.files[case.main], None))
        result |= {"hadolint_seconds": round(theirs, 2), "ratio": round(theirs / mine, 1)}
    return result


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir() else corpus.FOLDER
    kinds = {
        "dockerfile": count(corpus.load("dockerfile", "Dockerfile", folder), auditing.dockerfile),
        "nginx": count(corpus.load("nginx", "nginx.conf", folder), auditing.nginx),
    }
    print(json.dumps({"audit": kinds, "speed": speed()}, indent=2))


if __name__ == "__main__":
    main()
