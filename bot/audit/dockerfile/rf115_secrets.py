"""RF115: no secrets in ARG, ENV, COPY or RUN."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF115",
    name="Keep secrets out of the image",
    severity=RuleSeverity.ERROR,
    section="Security Checklist: no secrets in images",
    what="A secret is an ARG, the value of an ENV, part of an address or command, or a file that is copied.",
    why="Whoever pulls the image reads it: build arguments, environment and deleted files all stay in it.",
    fix=(
        "Use a secret mount while building (`RUN --mount=type=secret,id=…`), and the environment of the "
        "container later."
    ),
    bad="ARG NPM_TOKEN\nRUN npm ci",
    good="RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci",
)
_NAME: Final = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_?KEY|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?TOKEN|TOKEN"
    r"|CREDENTIALS?|SECRET_ACCESS_KEY|SECRET_KEY_BASE|(?:DEPLOY|SSH|ENCRYPTION|SIGNING|JWT|MASTER)_?KEY)"
    r"|.*_(?:PASS|PWD|PAT)",
    re.IGNORECASE,
)
# What a front end is built with goes to every browser: it cannot be meant to be secret.
_PUBLIC: Final = re.compile(
    r".*(?:PUBLIC|PUBLISHABLE|ANON)_.*|(?:VITE|REACT_APP|VUE_APP|GATSBY|NG_APP)_.*", re.IGNORECASE
)
_PLACEHOLDER: Final = re.compile(
    r"|changeme|change[-_]me|placeholder|dummy|example|none|null|false|true|xxx+|\*+|<.*>|your[-_].*|/.*|\$.*|file:.*",
    re.IGNORECASE,
)
_LITERAL: Final = re.compile(
    r"\b(?:ghp_[A-Za-z0-9]{36}|gho_[A-Za-z0-9]{36}|ghs_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_-]{20}"
    r"|AKIA[0-9A-Z]{16}|xox[abpr]-[0-9A-Za-z-]{20,}|npm_[A-Za-z0-9]{36}|sk_live_[0-9A-Za-z]{20,}|AIza[0-9A-Za-z_-]{35})"
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
)
_ADDRESS: Final = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://[^\s/:@'\"$]{1,200}:[^\s/@'\"${}]{1,500}@"
)
_LONGEST_NAME: Final = 200
_FILES: Final = re.compile(
    r"(?:.*/)?(?:\.env\*?(?:\.(?!example$|sample$|template$|dist$|defaults?$)[\w.-]+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc"
    r"|\.git-credentials|\.pypirc|\.aws/credentials|\.aws|\.ssh|\.docker/config\.json|[\w.-]+\.(?:key|p12|pfx|jks)"
    r"|(?:service[-_]?account|credentials)[\w.-]*\.json)"
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """Every instruction that holds or asks for a secret."""
    for stage in dockerfile.stages:
        for step in stage.steps:
            if message := _message(step):
                yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _message(step: Step) -> str:
    match step.keyword:
        case "ARG":
            names = (word.partition("=")[0] for word in step.words)
            name = next((name for name in names if _sounds_secret(name)), "")
            return f"ARG {name} is kept in the image's history" if name else _literal(step)
        case "ENV":
            return _environment(step) or _literal(step)
        case "COPY" | "ADD":
            path = next((path for path in step.copied if _FILES.fullmatch(path)), "")
            return f"{path} is copied into the image" if path else _literal(step)
        case _:
            return _literal(step)


def _sounds_secret(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and bool(_NAME.fullmatch(name)) and not _PUBLIC.fullmatch(name)


def _environment(step: Step) -> str:
    for name, value in _assignments(step):
        if _sounds_secret(name) and (not _PLACEHOLDER.fullmatch(value) or _from_argument(step, name)):
            return f"ENV {name} holds a secret that everybody with the image can read"
    return ""


def _assignments(step: Step) -> Iterator[tuple[str, str]]:
    if step.words and "=" not in step.words[0]:
        yield step.words[0], " ".join(step.words[1:])
        return
    for word in step.words:
        name, _, value = word.partition("=")
        yield name, value.strip("'\"")


def _from_argument(step: Step, name: str) -> bool:
    """True where the value is a build argument whose name sounds secret as well: `ENV TOKEN=$TOKEN`."""
    found_value = re.search(rf"\b{re.escape(name)}[= ]\"?\$\{{?(\w+)", step.rest)
    return found_value is not None and _sounds_secret(found_value[1])


def _literal(step: Step) -> str:
    text = f"{step.rest}\n{step.body}"[:200_000]
    if _LITERAL.search(text):
        return f"{step.keyword} holds a token or key in plain text"
    return f"{step.keyword} holds a password in an address" if _ADDRESS.search(text) else ""
