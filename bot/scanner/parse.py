"""Trivy's JSON report → a scan. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.errors import ScanError
from bot.model.vulnerability import Database, Package, Scan, Vulnerability
from bot.scanner import exposure

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}")
_NVD: Final = re.compile(r"https?://nvd\.nist\.gov/vuln/detail/(CVE-\d{4}-\d{4,})/?")
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9][A-Za-z0-9:._-]*")
# What Trivy writes to its log where it has no vulnerability data for a distribution.
_NO_DATA: Final = ("Unsupported os", "This OS version is not on the EOL list", "OS is not detected")
# Targets that gather the packages of many files, each with its own path.
_GATHERED: Final = frozenset({"Node.js", "Python", "Java", "Ruby", "PHP", "Conda"})
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What a report does not say itself.

    Attributes:
        subject: What was scanned, in our words.
        scanner: Name and version.
        database: What it was scanned with.
        log: What Trivy wrote to standard error.
        exposure: Whether it looked for secrets and mistakes in the image's config.
    """

    subject: str
    scanner: str
    database: Database
    log: str = ""
    exposure: bool = False


def parse(document: bytes, context: Context) -> Scan:
    """Read a report of `trivy image --format json --list-all-pkgs`.

    Findings of one vulnerability that the scanner lists under several ids (CVE, GHSA, DSA,
    TEMP) for one package become one, named by its CVE where there is one.

    Raises:
        ScanError: It is no such report.
    """
    try:
        return _scan(json.loads(document), context)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScanError(
            f"Trivy's report on {context.subject} cannot be read: {type(error).__name__}: {error}",
            hint="Run refit doctor: this version of Trivy may be newer than this Refit knows.",
        ) from error


def _scan(report: _Json, context: Context) -> Scan:
    if report["SchemaVersion"] != 2:
        raise ValueError(f"schema version {report['SchemaVersion']!r} instead of 2")
    metadata: _Json = report.get("Metadata") or {}
    results: Sequence[_Json] = report.get("Results") or ()
    system: _Json = metadata.get("OS") or {}
    found = [v for result in results for v in _vulnerabilities(result)]
    return Scan(
        subject=context.subject,
        distribution=f"{system.get('Family', '')} {system.get('Name', '')}".strip(),
        supported=_supported(system, context.log),
        packages=tuple(sorted((p for r in results for p in _packages(r)), key=_package_order)),
        vulnerabilities=tuple(sorted(_merge(found), key=_order)),
        scanner=context.scanner,
        database=context.database,
        size=_size(metadata),
        diff_ids=tuple(map(str, metadata.get("DiffIDs") or ())),
        ignored=exposure.ignored(results),
        secrets=exposure.secrets(report) if context.exposure else None,
        misconfigurations=exposure.misconfigurations(report) if context.exposure else None,
    )


def _supported(system: _Json, log: str) -> bool:
    known = bool(system.get("Family")) and system.get("Family") != "none"
    return known and not system.get("EOSL") and not any(words in log for words in _NO_DATA)


def _packages(result: _Json) -> Iterable[Package]:
    return [_package(result, raw) for raw in result.get("Packages") or ()]


def _package(result: _Json, raw: _Json) -> Package:
    return Package(
        name=_name(raw, "Name"),
        version=_version(raw),
        kind=_text(result, "Type"),
        path=_path(result, _text(raw, "FilePath")),
        source=_text(raw, "SrcName") or _name(raw, "Name"),
        diff_id=_text(raw.get("Layer") or {}, "DiffID"),
    )


def _version(raw: _Json) -> str:
    """The version as the package manager writes it: `epoch:version-release`."""
    epoch, release, version = raw.get("Epoch") or 0, _text(raw, "Release"), _text(raw, "Version")
    return (f"{epoch}:" if epoch else "") + version + (f"-{release}" if release else "")


def _path(result: _Json, path: str) -> str:
    """The file that lists a package; a result about one lock file or program carries it as its target."""
    target = _text(result, "Target")
    if path or result.get("Class") != "lang-pkgs" or target in _GATHERED:
        return path
    return target


def _vulnerabilities(result: _Json) -> list[Vulnerability]:
    packages = _by_identifier(result)
    return [_vulnerability(result, raw, packages) for raw in result.get("Vulnerabilities") or ()]


def _by_identifier(result: _Json) -> dict[str, Package]:
    raws = result.get("Packages") or ()
    return {_uid(raw.get("Identifier")): _package(result, raw) for raw in raws if _uid(raw.get("Identifier"))}


def _uid(identifier: _Json | None) -> str:
    return str((identifier or {}).get("UID", ""))


def _vulnerability(result: _Json, raw: _Json, packages: Mapping[str, Package]) -> Vulnerability:
    name, aliases = _canonical(raw)
    package = packages.get(_uid(raw.get("PkgIdentifier"))) or _package_of(result, raw)
    return Vulnerability(
        id=name,
        package=package,
        severity=exposure.severity(raw),
        fixed_version=_text(raw, "FixedVersion") or None,
        title=_text(raw, "Title"),
        status=_text(raw, "Status"),
        aliases=aliases,
        severity_source=_text(raw, "SeveritySource"),
    )


def _package_of(result: _Json, raw: _Json) -> Package:
    """The package as the finding names it, where the report lists no packages."""
    return Package(
        name=_name(raw, "PkgName"),
        version=_text(raw, "InstalledVersion"),
        kind=_text(result, "Type"),
        path=_path(result, _text(raw, "PkgPath")),
        source=_name(raw, "PkgName"),
        diff_id=_text(raw.get("Layer") or {}, "DiffID"),
    )


def _text(raw: _Json, key: str) -> str:
    """A text; empty where there is none.

    Raises:
        TypeError: It is something else.
    """
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{key} is no text but {str(value)[:40]!r}")
    return value or ""


def _name(raw: _Json, key: str) -> str:
    """A text whose key has to be there."""
    if key not in raw:
        raise KeyError(key)
    return _text(raw, key)


def _size(metadata: _Json) -> int | None:
    size = metadata.get("Size")
    return size if isinstance(size, int) and size >= 0 else None


def _canonical(raw: _Json) -> tuple[str, tuple[str, ...]]:
    """The id to use and its aliases, sorted: the CVE where exactly one is known."""
    own = str(raw["VulnerabilityID"])
    others = {str(name) for name in raw.get("VendorIDs") or () if _ID.fullmatch(str(name))}
    if _CVE.fullmatch(own):
        return own, tuple(sorted(others - {own}))
    cves = {name for name in others if _CVE.fullmatch(name)}
    cves = cves or {found[1] for link in raw.get("References") or () if (found := _NVD.fullmatch(link))}
    name = cves.pop() if len(cves) == 1 else own
    return name, tuple(sorted((others | {own}) - {name}))


def _merge(found: Iterable[Vulnerability]) -> list[Vulnerability]:
    """One finding for each vulnerability, package and version: the worst severity, any fix, all aliases."""
    merged: defaultdict[Package, list[Vulnerability]] = defaultdict(list)
    for one in sorted(found, key=lambda one: not _CVE.fullmatch(one.id)):  # a CVE gives its name
        listed = merged[one.package]
        same = next((number for number, other in enumerate(listed) if _same(one, other)), None)
        if same is None:
            listed.append(one)
        else:
            listed[same] = _join(listed[same], one)
    return [one for listed in merged.values() for one in listed]


def _same(one: Vulnerability, other: Vulnerability) -> bool:
    """Under one id, or under an id that the other has as well; a third in common may be a DSA about both."""
    return one.id == other.id or (one.is_also(other) and (one.id in other.names or other.id in one.names))


def _join(first: Vulnerability, second: Vulnerability) -> Vulnerability:
    worse = min(first, second, key=lambda one: one.severity.rank)
    return replace(
        first,
        severity=worse.severity,
        severity_source=worse.severity_source,
        fixed_version=first.fixed_version or second.fixed_version,
        title=first.title or second.title,
        status=first.status if first.fixed_version or not second.fixed_version else second.status,
        aliases=tuple(sorted((first.names | second.names) - {first.id})),
    )


def _package_order(package: Package) -> tuple[str, str, str, str]:
    return (package.kind, package.name, package.path, package.version)


def _order(found: Vulnerability) -> tuple[int, str, str, str, str]:
    package = found.package
    return (found.severity.rank, found.id, package.name, package.path, package.version)
