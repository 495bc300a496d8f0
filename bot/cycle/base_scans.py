"""The bases of a proof, scanned: those of the update, and of other images that its edit moves along."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from bot.cycle.bases import registry_pairs
from bot.cycle.compare import KnownBase, compare
from bot.cycle.job import ProofJob
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_scan
from bot.model.evidence import BaseImage, BasePair, Side
from bot.model.update import Update, UpdateKind
from bot.model.vulnerability import Comparison, Scan
from bot.ports import ScanRequest


@dataclass(frozen=True, slots=True)
class Bases:
    """The base images on one platform, with their own scans.

    Attributes:
        pair: The images.
        before: Scan of the old one; None where there is none.
        after: Scan of the new one.
        others: Those of images that move along: what they bring is a base's doing, too.
    """

    pair: BasePair
    before: Scan | None
    after: Scan
    others: tuple[Bases, ...] = ()

    def sides(self) -> tuple[Side | None, Side]:
        """What they are at level base; before is None for a pin, or where the old image is gone."""
        old = self.pair.before
        before = _base_side(old, self.before) if old is not None and self.before is not None else None
        return before, _base_side(self.pair.after, self.after)

    def compared(self, before: Side | None, after: Side) -> Comparison | None:
        """How what was made on them differs; None where there is no before."""
        every = [one.known for one in (self, *self.others) if one.known is not None]
        if before is None or self.known is None:
            return None
        return compare(before.scan, after.scan, *map(_joined, zip(*every, strict=True)))

    @property
    def known(self) -> tuple[KnownBase, KnownBase] | None:
        """The old and the new one; None where there is no old one, which says nothing about a difference."""
        if self.pair.before is None or self.before is None:
            return None
        return KnownBase(self.pair.before.diff_ids, self.before), KnownBase(
            self.pair.after.diff_ids, self.after
        )


def scan_bases(pair: BasePair, parts: Parts) -> Bases:
    """Scan both bases at the same time.

    Raises:
        ScanError: A scan did not finish.
    """
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(_scan_base, pair.before, pair, parts) if pair.before else None
        after = _scan_base(pair.after, pair, parts, keep=True)
        return Bases(pair, before.result() if before else None, after)


def with_others(bases: Bases, job: ProofJob) -> Bases:
    """The same, and the bases of what moves along with the update, since it shares an `ARG`.

    Raises:
        RegistryError: Such an image cannot be read.
        ScanError: A scan did not finish.
    """
    updates = [(use, Update(UpdateKind.DIGEST, to, "it moves along")) for use, to in job.planned.along]
    found = [registry_pairs(job.parts, *one, [job.pair.platform]) for one in updates]
    return replace(bases, others=tuple(scan_bases(pair, job.parts) for pairs in found for pair in pairs))


def base_comparison(pair: BasePair, parts: Parts) -> Comparison | None:
    """What changes from one base image to the other; None where there is no before.

    Raises:
        ScanError: A scan did not finish.
    """
    bases = scan_bases(pair, parts)
    return bases.compared(*bases.sides())


def _scan_base(image: BaseImage, pair: BasePair, parts: Parts, *, keep: bool = False) -> Scan:
    request = ScanRequest(
        image.reference, remote=True, digest=image.digest, platform=pair.platform, keep=keep
    )
    return cached_scan(request, parts)


def _base_side(image: BaseImage, scan: Scan) -> Side:
    return Side(image.reference, scan, base_pushed_size=image.pushed_size, base_size=scan.size)


def _joined(bases: Sequence[KnownBase]) -> KnownBase:
    """Several bases as if they were one: what an image has of any of them, it has of its base."""
    scans = [one.scan for one in bases if one.scan is not None]
    packages = tuple(package for scan in scans for package in scan.packages)
    found = tuple(vulnerability for scan in scans for vulnerability in scan.vulnerabilities)
    layers = tuple(layer for one in bases for layer in one.diff_ids)
    return KnownBase(layers, replace(scans[0], packages=packages, vulnerabilities=found))
