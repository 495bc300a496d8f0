"""What is known, as answers in a chat. Pure; each chat's own rendering makes the words harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from bot.errors import NoWorker
from bot.model.answer import Answer, Button
from bot.model.load import Load
from bot.model.measurement import Baseline, Measurement
from bot.model.offer import Offer
from bot.model.run import Cycle, Decided, Plan, Planned, Problem, Proved, Rescan, RunResult
from bot.model.snooze import Snooze
from bot.model.update import Current, Skipped, outcome_reason
from bot.model.vulnerability import Severity
from bot.report import rescan as texts
from bot.report import wording
from bot.report.notices import moves

_DAYS = 14
_DRIVE = "drive"  # whoever is asked drives
_MOST = 20
_BUTTONS = 3


def rescanned(result: Rescan, offers: Sequence[Offer], name: str, page: str = "") -> Answer:
    """The result of one rescan, and what a newer base would fix.

    Args:
        result: What was found.
        offers: Newer bases that fix something.
        name: What to rescan again: `acme/shop#backend`, or an image.
        page: Where the forge shows how it stands; empty where it does not.
    """
    report = (Button("Report", url=page),) if page.startswith("https://") else ()
    return Answer(
        headline=f"{result.subject}: {texts.known(result)}",
        lines=(*texts.changes(result), *(_offered(one) for one in offers)),
        table=_severities(result) if result.scan.supported else (),
        foot=texts.foot(result),
        buttons=(
            *_open_buttons(offers),
            *report,
            Button("Rescan", command=f"rescan {name}"),
            *_snooze(offers),
        ),
    )


def rescanned_all(
    results: Sequence[Rescan], problems: Sequence[Problem], offers: Sequence[Offer] = ()
) -> Answer:
    """The result of a rescan of everything, one row a target.

    Args:
        results: What was found.
        problems: What could not be scanned.
        offers: Newer bases that fix something.
    """
    rows = [_row(one) for one in results]
    lines = [f"{one.subject}: {line}" for one in results for line in texts.news(one)]
    lines += [f"{one.subject}: {one.error} {one.hint}".strip() for one in problems]
    lines += [f"{one.project}#{one.target}: {_offered(one)}" for one in offers]
    seconds = wording.seconds(sum(one.seconds for one in results))
    return Answer(
        headline=f"{wording.count(len(results), 'target')} scanned, {len(problems)} failed",
        lines=tuple(lines),
        table=(("Target", "Critical", "High", "Fixed", "New"), *rows) if rows else (),
        foot=f"took {seconds}",
        buttons=(*_open_each(offers), Button("Rescan all", command="rescan all")),
    )


def checked(plan: Plan, snoozes: Sequence[Snooze], about: str) -> Answer:
    """What is outdated and what waits, of one target or of all."""
    updates = [one for one in plan.updates if about in ("", one.subject)]
    decided = [one for one in plan.decided if about in ("", one.target)]
    lines = [*(_update(one) for one in updates), *(line for one in decided if (line := _held(one)))]
    lines += [f"{one.subject}: {one.error} {one.hint}".strip() for one in plan.problems]
    buttons = tuple(_bring(one) for one in updates if one.target)[:1]
    return Answer(
        headline=f"{about or 'All projects'}: {_outcomes(updates, decided)}",
        lines=(*lines[:_MOST], *_more(len(lines) - _MOST)),
        foot=_snoozed(snoozes),
        buttons=buttons,
    )


def status(
    cycles: Sequence[tuple[Cycle, str]],
    pulls: int,
    snoozes: Sequence[Snooze],
    zone: tzinfo,
    ailing: Sequence[str] = (),
) -> Answer:
    """The last cycles and what became of them.

    Args:
        cycles: Newest first, each with its outcome in words.
        pulls: How many pull requests are open.
        snoozes: Those in force.
        zone: Of the times.
        ailing: What the operator should know of the bot itself.
    """
    begun = [(one, wording.minute(one.started, zone), told) for one, told in cycles]
    lines = [*ailing, *(f"{one.id}: {one.state}, begun {at}{told}" for one, at, told in begun)]
    headline = f"{wording.count(pulls, 'pull request')} open" if cycles else "Nothing ran yet."
    return Answer(headline, tuple(lines), foot=_snoozed(snoozes))


def untaken(loads: Mapping[str, Load]) -> list[str]:
    """Of which work there is some, and no machine at it, as lines for the operator."""
    alone = [
        (role, load.waiting) for role, load in sorted(loads.items()) if load.waiting and not load.running
    ]
    return [
        f"{wording.count(waiting, f'{role} job')} waiting, and no machine is at one. {NoWorker.default_hint}"
        for role, waiting in alone
        if role != _DRIVE
    ]


def coming(due: Sequence[tuple[str, datetime]]) -> Answer:
    """What runs by itself, and when."""
    lines = [f"{name}: {moment:%A, %Y-%m-%d %H:%M %Z}" for name, moment in sorted(due, key=lambda x: x[1])]
    return Answer("What runs next:" if lines else "Nothing is scheduled.", tuple(lines))


def sizes(
    points: Sequence[Measurement], baselines: Mapping[tuple[str, str, str], Baseline], url: str
) -> Answer:
    """How large every target is now; the size report has the rest.

    Args:
        points: The newest measurement of each target.
        baselines: By project, target and platform.
        url: The last size report; empty where there is none.
    """
    rows = [_size_row(one, baselines.get((one.project, one.target, one.platform))) for one in points]
    headline = "Sizes, as of the last cycle" if rows else "Nothing was measured yet."
    buttons = (Button("Size report", url=url),) if url.startswith("https://") else ()
    foot = "" if buttons or not url else f"size report: {url}"
    table = (("Target", "Size", "Against baseline"), *rows) if rows else ()
    lines = () if rows else ("A target is measured when its update is proved, and by: rescan <target> built",)
    return Answer(headline, lines, table=table, foot=foot, buttons=buttons)


def snoozed(made: Sequence[Snooze]) -> Answer:
    """That updates wait from now on, and until when."""
    images = list(dict.fromkeys(one.image for one in made))
    projects = list(dict.fromkeys(one.project for one in made))
    until = f"{'is' if len(images) == 1 else 'are'} snoozed until {made[0].until:%Y-%m-%d}"
    return Answer(
        f"{wording.listed(images)} {until} in {wording.listed(projects)}.",
        (f"Reason: {made[0].reason}",),
        foot="Updates are reported as waiting until then.",
    )


def published(result: RunResult) -> Answer:
    """What became of a pull request that somebody asked for."""
    lines = [_proved(one) for one in result.updates]
    lines += [line for one in result.decided if (line := _held(one))]
    lines += [f"{one.subject}: {one.error} {one.hint}".strip() for one in result.problems]
    urls = [one.publication.url for one in result.updates if one.publication]
    links = tuple(Button("Open PR", url=url) for url in dict.fromkeys(urls) if url.startswith("https://"))
    headline = "Done." if result.updates else "There is nothing to bring: no update is due."
    return Answer(headline, tuple(lines), foot=f"took {wording.seconds(result.seconds)}", buttons=links[:3])


def _severities(result: Rescan) -> tuple[tuple[str, ...], ...]:
    """Now, fixed and new by severity; rows of nothing are left out, and with nothing to compare, columns."""
    now, fixed, new = result.scan.counts(), Counter[Severity](), Counter[Severity]()
    if result.comparison is None:
        found = [(one.capitalize(), str(now[one])) for one in Severity if now[one]]
        return (("Severity", "Now"), *found) if found else ()
    fixed.update(one.vulnerability.severity for one in result.comparison.fixed)
    new.update(one.vulnerability.severity for one in result.comparison.introduced)
    rows = [(one.capitalize(), now[one], fixed[one], new[one]) for one in Severity]
    shown = [(name, *map(str, numbers)) for name, *numbers in rows if any(numbers)]
    return (("Severity", "Now", "Fixed", "New"), *shown) if shown else ()


def _row(result: Rescan) -> tuple[str, ...]:
    counts, compared = result.scan.counts(), result.comparison
    if not result.scan.supported:
        return (result.subject, "unknown", "unknown", "", "")
    fixed, new = (len(compared.fixed), len(compared.introduced)) if compared else (0, 0)
    return (result.subject, *map(str, (counts[Severity.CRITICAL], counts[Severity.HIGH], fixed, new)))


def _offered(offer: Offer) -> str:
    brings = f" and brings {wording.severities(offer.introduced)}" if any(offer.introduced.values()) else ""
    open_ = "its pull request is open" if offer.url else "I can open the pull request"
    fixes = wording.severities(offer.fixed)
    return f"A newer {offer.image} ({offer.to}) fixes {fixes}{brings}: {open_}."


def _open_buttons(offers: Sequence[Offer]) -> tuple[Button, ...]:
    """A page where the pull request is open, else the command that opens it."""
    if not offers:
        return ()
    if url := next((one.url for one in offers if one.url.startswith("https://")), ""):
        return (Button("Open PR", url=url),)
    name = f"{offers[0].project}#{offers[0].target}"
    question = f"Prove {offers[0].image} for {name} now, and open its pull request?"
    return (Button("Open PR", command=f"open {name}", question=question),)


def _open_each(offers: Sequence[Offer]) -> Iterator[Button]:
    """A button for each of the first few targets, which says its name."""
    first = list({(one.project, one.target): one for one in reversed(offers)}.values())[::-1]
    for one in first[:_BUTTONS]:
        for button in _open_buttons([one]):
            yield replace(button, label=f"{button.label}: {one.target}")


def _snooze(offers: Sequence[Offer]) -> tuple[Button, ...]:
    if not offers:
        return ()
    image = offers[0].image
    command = f"snooze {image} {_DAYS} snoozed after a rescan"
    return (Button(f"Snooze {_DAYS} days", command=command, question=f"Hold back updates of {image}?"),)


def _update(planned: Planned) -> str:
    return f"update · {planned.subject}: {moves(planned)} ({planned.update.kind})"


def _bring(planned: Planned) -> Button:
    name = f"{planned.project.name}#{planned.subject}"
    return Button("Open PR", command=f"open {name}", question=f"Prove the update of {name} now, and open it?")


def _held(decided: Decided) -> str:
    """One line for what somebody may want to know of; nothing for what is as it should be."""
    if isinstance(decided.outcome, Current | Skipped):
        return ""
    where = decided.subject
    image = decided.use.unpinned
    return f"{decided.outcome.word} · {where}: {image}: {outcome_reason(decided.outcome)}"


def _outcomes(updates: Sequence[Planned], decided: Sequence[Decided]) -> str:
    counts = Counter({"update": len(updates)} if updates else {})
    counts.update(one.outcome.word for one in decided)
    order = ("update", "waiting", "abandoned", "failed", "current", "skipped")
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word]) or "no image is named"


def _snoozed(snoozes: Sequence[Snooze]) -> str:
    told = [f"{one.image} until {one.until:%Y-%m-%d} by {one.who} ({one.reason})" for one in snoozes]
    return f"snoozed: {'; '.join(told[:5])}" if told else ""


def _more(number: int) -> tuple[str, ...]:
    return (f"… and {number} more",) if number > 0 else ()


def _size_row(point: Measurement, baseline: Baseline | None) -> tuple[str, ...]:
    name = f"{point.project}#{point.target}"
    if baseline is None or point.size is None:
        return (name, wording.megabytes(point.size), wording.NONE)
    return (name, wording.megabytes(point.size), wording.percent_change(baseline.size, point.size))


def _proved(proved: Proved) -> str:
    where = proved.publication.url if proved.publication else proved.publication_note
    return f"{proved.planned.subject}: {proved.verdict.state}, {where or 'nothing published'}"
