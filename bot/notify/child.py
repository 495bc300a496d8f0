"""The program: checks URLs, or sends to one. Knows nothing of Refit; reads JSON, answers in JSON.

`{"urls": [...]}` is answered with the numbers of those that are none; `{"url", "title", "body"}` with `[]`
where it was taken, else `[1]`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import apprise


def main() -> None:
    """Answer what is asked on standard input, in the last line of standard output."""
    asked: dict[str, Any] = json.load(sys.stdin)
    wrong = _unusable(asked["urls"]) if "urls" in asked else _sent(**asked)
    sys.stdout.write(f"\n{json.dumps(wrong)}\n")


def _unusable(urls: list[str]) -> list[int]:
    return [number for number, url in enumerate(urls, 1) if apprise.Apprise.instantiate(url) is None]


def _sent(url: str, title: str, body: str) -> list[int]:
    one = apprise.Apprise()
    taken = one.add(url) and one.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    return [] if taken else [1]


if __name__ == "__main__":
    main()
