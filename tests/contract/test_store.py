"""The store keeps what it is given, over processes, threads and versions."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from bot.errors import LeaseHeld, StoreError
from bot.model.artifact import Artifact, ArtifactKind, Sbom
from bot.model.exposure import Ignored, Secret
from bot.model.measurement import Baseline, Measurement
from bot.model.published import BaseSource, Published, Shipping
from bot.model.reference import Reference
from bot.model.retention import Expiring
from bot.model.run import CycleState, Decided, Plan, Publication, PublicationKind, PublicationState
from bot.model.snooze import Snooze
from bot.model.target import LINUX_AMD64
from bot.model.update import Abandoned, Current, Failed, Skipped, Waiting
from bot.model.use import Use, UseKind
from bot.model.vulnerability import Database, Package, Scan, Severity, Vulnerability
from bot.store.apart import open_store_apart
from bot.store.lease import lease
from bot.store.sql import SqlStore, open_store, sqlite_url, with_password
from bot.store.tables import TABLES
from tests.postgresql import Cluster

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
FOUND = Vulnerability("CVE-2026-1", Package("openssl", "3", "debian"), Severity.HIGH, None)


def test_an_unfinished_cycle_is_gone_on_with_and_a_finished_one_gets_a_new_attempt(store: SqlStore) -> None:
    first = store.begin("monthly-2026-11", NOW)

    assert store.begin("monthly-2026-11", NOW + timedelta(hours=1)) == first
    assert store.finish(first, '{"done": 1}', NOW).state is CycleState.DONE
    assert store.begin("monthly-2026-11", NOW).id == "monthly-2026-11.2"
    assert store.result(first.id) == '{"done": 1}'


OUTCOMES: list[Current | Waiting | Abandoned | Skipped | Failed] = [
    Current("as it should be"),
    Waiting("too young"),
    Abandoned("stopped in 2025", ("1.29",)),
    Skipped("a stage"),
    Failed("gone", "choose another"),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome.word for outcome in OUTCOMES])
def test_a_plan_comes_back_as_it_was(
    store: SqlStore, outcome: Current | Waiting | Abandoned | Skipped | Failed
) -> None:
    use = Use("Dockerfile", 1, UseKind.FROM, "0", "debian:12", None, skipped="why")
    plan = Plan((), (Decided("acme/shop", "backend", use, outcome),), (), {"HEAD": 1})
    cycle = store.begin("monthly-2026-11", NOW)

    store.save_plan(cycle, plan)

    assert store.plan(cycle) == plan


def test_a_publication_is_found_by_its_slot(store: SqlStore) -> None:
    publication = Publication(
        "slot", PublicationKind.PULL_REQUEST, "acme/shop", "x@y", "url", "b", PublicationState.OPEN
    )

    store.save_publication(publication)

    assert store.publication("slot") == publication
    assert store.publications("acme/shop") == (publication,)
    assert store.publication("other") is None


def test_baselines_and_measurements_come_back_as_they_were(store: SqlStore) -> None:
    baseline = Baseline("acme/shop", "backend", "linux/amd64", 10**10, "x", NOW)
    measurement = Measurement(
        "acme/shop", "backend", "linux/amd64", NOW, "monthly-2026-11", "x", 10**10, None, 3, 1.5, 1, 2, 3, 4,
        applied=True,
    )  # fmt: skip

    store.save_baseline(baseline)
    store.save_measurement(measurement)
    store.save_measurement(measurement)

    assert store.baseline("acme/shop", "backend", "linux/amd64") == baseline
    assert store.measurements(NOW, NOW + timedelta(seconds=1)) == (measurement,)
    assert store.measurements(NOW + timedelta(seconds=1), NOW + timedelta(days=1)) == ()


def test_what_is_published_comes_back_as_it_was_and_the_newest_look_counts(store: SqlStore) -> None:
    one = Published(
        "acme/shop",
        "backend",
        LINUX_AMD64,
        Reference.parse("ghcr.io/acme/app:1"),
        Shipping.NOT_SHIPPED,
        "merged, not shipped",
        NOW,
        base=Reference.parse(f"debian:12@sha256:{'a' * 64}"),
        source=BaseSource.LAYERS,
    )
    other = replace(one, project="acme/blog", state=Shipping.UNKNOWN)

    for published in (one, other, replace(one, state=Shipping.SHIPPED)):
        store.save_published(published)

    assert store.published() == (other, replace(one, state=Shipping.SHIPPED))
    assert store.published("acme/blog") == (other,)


def test_sboms_come_back_newest_first_and_one_of_the_same_base_replaces_the_other(store: SqlStore) -> None:
    first = Sbom("acme/shop#backend", "linux/amd64", "debian@sha256:a", "sha256:1", NOW)
    newer = replace(first, base="debian@sha256:b", digest="sha256:2", at=NOW + timedelta(days=1))
    base = Sbom("", "linux/amd64", "debian@sha256:a", "sha256:3", NOW)

    for one in (replace(first, digest="sha256:0"), first, newer, base):
        store.save_sbom(one)

    assert store.sboms("acme/shop#backend") == (newer, first)
    assert store.sboms("") == (base,)
    assert len(store.sboms()) == 3


def test_each_audience_is_told_of_an_sbom_by_itself_and_forgets_it_with_the_sbom(store: SqlStore) -> None:
    sbom = Sbom("acme/shop#backend", "linux/amd64", "debian@sha256:a", "sha256:1", NOW)
    store.save_sbom(sbom)
    told = Scan(
        subject="debian",
        distribution="debian 12",
        supported=True,
        packages=(),
        vulnerabilities=(FOUND,),
        scanner="trivy 0.74.0",
        database=Database("sha256:d", NOW, 2),
    )
    store.save_told("sha256:1", "service", sbom.subject, told, NOW)
    store.save_told("sha256:1", "", "", replace(told, vulnerabilities=()), NOW - timedelta(days=1))

    assert store.told("sha256:1", "service", sbom.subject) == told
    assert store.told("sha256:1", "person", sbom.subject) is None

    store.save_sbom(replace(sbom, platform="linux/arm64"))
    store.remove_sbom(sbom)
    assert len(store.sboms()) == 1
    assert store.told("sha256:1", "service", sbom.subject) == told, "the other platform has the same SBOM"
    store.save_sbom(replace(sbom, platform="linux/arm64", digest="sha256:2"))
    assert store.told("sha256:1", "service", sbom.subject) is None
    assert store.told("sha256:1", "", "") is None


def test_an_sbom_knows_when_it_was_rescanned_last(store: SqlStore) -> None:
    sbom = Sbom("acme/shop#backend", "linux/amd64", "debian@sha256:a", "sha256:1", NOW)
    store.save_sbom(sbom)
    store.use_sboms(["sha256:1", "sha256:unknown"], NOW + timedelta(days=1))
    assert store.sboms() == (replace(sbom, used=NOW + timedelta(days=1)),)


def test_an_sbom_that_was_replaced_meanwhile_is_not_removed(store: SqlStore) -> None:
    sbom = Sbom("acme/shop#backend", "linux/amd64", "debian@sha256:a", "sha256:1", NOW)
    store.save_sbom(replace(sbom, digest="sha256:2"))
    store.remove_sbom(sbom)
    assert [one.digest for one in store.sboms()] == ["sha256:2"]


def test_a_scan_comes_back_whole_until_it_has_had_its_time(store: SqlStore) -> None:
    scan = Scan(
        "debian@sha256:a", "debian 12.11", supported=True,
        packages=(Package("tar", "1", "debian"),),
        vulnerabilities=(Vulnerability("CVE-2026-1", Package("tar", "1", "debian"), Severity.HIGH),),
        scanner="trivy 0.74.0", database=Database("sha256:d", NOW, 2, "not the newest"),
        ignored=(Ignored("CVE-2026-2", "tar", "not_affected", "vex.json", "not called"),),
        severity_sources=("auto",),
        secrets=(Secret("github-pat", "a token", Severity.CRITICAL, "/app/x", 3),),
        misconfigurations=(),
        artifacts=(Artifact(ArtifactKind.SBOM, "sha256:1", 5, "https://refit.example.com/1"),),
    )  # fmt: skip
    store.save_scan("k", scan, NOW)

    assert store.scan("k") == scan
    assert store.expire(Expiring.SCANS, NOW) == 0
    assert store.expire(Expiring.SCANS, NOW + timedelta(seconds=1)) == 1
    assert store.scan("k") is None


def test_measurements_expire_but_for_the_one_that_a_baseline_stands_on(store: SqlStore) -> None:
    point = Measurement(
        "acme/shop", "backend", "linux/amd64", NOW, "monthly-2026-11", "held", 1, None, 3, 1.5, 1, 2, 3, 4,
        applied=True,
    )  # fmt: skip
    for one in (point, replace(point, base="past")):
        store.save_measurement(one)
    store.save_baseline(Baseline("acme/shop", "backend", "linux/amd64", 1, "held", NOW))

    assert store.expire(Expiring.MEASUREMENTS, NOW + timedelta(days=1)) == 1
    assert [one.base for one in store.measurements(NOW, NOW + timedelta(seconds=1))] == ["held"]


def test_cycles_expire_but_for_what_runs_and_the_newest_with_a_plan(store: SqlStore) -> None:
    names = ("monthly-2026-09", "monthly-2026-10", "observe-2026-10-01")
    for day, name in enumerate(names):
        cycle = store.begin(name, NOW + timedelta(days=day))
        if name.startswith("monthly-"):
            store.save_plan(cycle, Plan((), ()))
        store.finish(cycle, "{}", NOW + timedelta(days=day))
    store.begin("observe-2026-11-24", NOW)

    assert store.expire(Expiring.CYCLES, NOW) == 0
    assert store.expire(Expiring.CYCLES, NOW + timedelta(days=9)) == 2
    assert {one.name for one in store.cycles()} == {"monthly-2026-10", "observe-2026-11-24"}


def test_the_first_sighting_of_a_digest_stays(store: SqlStore) -> None:
    store.observe("debian:12", "sha256:a", NOW)

    assert store.observe("debian:12", "sha256:a", NOW + timedelta(days=3)) == NOW
    assert store.sightings("debian:12") == (("sha256:a", NOW),)


def test_a_time_without_a_zone_is_refused(store: SqlStore) -> None:
    with pytest.raises(Exception, match="without a zone"):
        store.begin("monthly-2026-11", datetime(2026, 11, 24))  # noqa: DTZ001 - the mistake that is refused


def test_the_state_is_private_to_its_owner(tmp_path: Path) -> None:
    open_store(sqlite_url(tmp_path / "state")).close()

    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state" / "refit.sqlite3").stat().st_mode & 0o077 == 0


def test_eight_threads_write_at_once_and_nothing_is_lost(store: SqlStore) -> None:
    def write(number: int) -> None:
        for count in range(25):
            store.cache("test", f"{number}-{count}", b"x", NOW)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(store.cached("test", f"{number}-{count}") for number in range(8) for count in range(25))


@pytest.mark.parametrize("opens", [open_store, open_store_apart], ids=["for a command", "for months"])
def test_a_store_of_a_newer_refit_is_refused(tmp_path: Path, opens: Callable[[str], SqlStore]) -> None:
    url = sqlite_url(tmp_path / "state")
    open_store(url).close()
    with sqlite3.connect(tmp_path / "state" / "refit.sqlite3") as database:
        database.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(StoreError, match="revision 9999, which this Refit does not know"):
        opens(url)


@pytest.mark.parametrize("opens", [open_store, open_store_apart], ids=["for a command", "for months"])
def test_a_file_that_is_no_database_is_refused_with_a_sentence(
    tmp_path: Path, opens: Callable[[str], SqlStore]
) -> None:
    url = sqlite_url(tmp_path / "state")
    (tmp_path / "state" / "refit.sqlite3").write_text(
        "this is no database, and long enough to be read as one"
    )

    with pytest.raises(StoreError, match="cannot open the store"):
        opens(url)


def loads(opened: str) -> str:
    """Which of the libraries that change tables a process holds that has opened a store."""
    code = f"""
import sys
from bot.store.apart import open_store_apart
from bot.store.sql import open_store
{opened}.cycles()
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"alembic", "sqlalchemy"}}))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_store_whose_tables_are_up_to_date_is_opened_without_what_changes_them(
    store: SqlStore, store_url: str
) -> None:
    del store  # it is open: its tables are made

    assert loads(f"open_store({store_url!r})") == "[]"


def test_a_store_that_is_opened_for_months_does_not_keep_what_makes_its_tables(store_url: str) -> None:
    assert loads(f"open_store_apart({store_url!r})") == "[]"


def test_a_password_may_hold_any_character_and_is_not_shown(postgresql: Cluster) -> None:
    password, name = "p@ss:w/rd %41?#ä'", "postgresql://odd@127.0.0.1"
    with psycopg.connect(postgresql.database(), autocommit=True) as connection:
        statement = sql.SQL("CREATE ROLE odd LOGIN SUPERUSER PASSWORD {}").format(sql.Literal(password))
        connection.execute(statement)
        database = connection.info.dbname
    url = with_password(f"{name}:{postgresql.port}/{database}", password)

    open_store(url).close()
    with pytest.raises(StoreError, match="cannot open the store postgresql") as refused:
        open_store(with_password(f"{name}:{postgresql.port}/missing", password))

    assert quote(password, safe="") not in refused.value.message
    assert password not in refused.value.message


def test_the_tables_are_what_the_migrations_make(store: SqlStore, store_url: str) -> None:
    from sqlalchemy import create_engine, inspect  # noqa: PLC0415 - only this test needs it

    del store  # it is open: its tables are made
    engine = create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    made = inspect(engine)
    names = set(made.get_table_names()) - {"alembic_version"}
    keys = {name: tuple(made.get_pk_constraint(name)["constrained_columns"]) for name in names}
    columns = {name: {column["name"] for column in made.get_columns(name)} for name in names}
    engine.dispose()

    assert keys == {table.name: table.key for table in TABLES}
    assert columns == {table.name: {*table.key, *table.columns, *table.large} for table in TABLES}


def test_one_process_at_a_time_holds_the_lease_and_a_killed_one_gives_it_back(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from bot.store.lease import lease\n"
        f"with lease(Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(60)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"

    with pytest.raises(LeaseHeld, match=f"process {other.pid}"), lease(tmp_path):
        pass

    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    with lease(tmp_path):
        pass


def test_a_lease_whose_holder_cannot_be_noted_is_held_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "lease.pid").mkdir()

    with lease(tmp_path), pytest.raises(LeaseHeld, match="process unknown"), lease(tmp_path):
        pass


def test_a_snooze_is_kept_until_it_ends_and_a_later_one_replaces_it(store: SqlStore) -> None:
    first = Snooze("acme/shop", "debian:12", "slack:U1", "release freeze", NOW, NOW + timedelta(days=3))
    later = replace(first, reason="the freeze goes on", until=NOW + timedelta(days=9))
    store.save_snooze(first)
    store.save_snooze(later)

    assert store.snoozes(NOW) == (later,)
    assert store.snoozes(later.until) == ()


def test_of_many_who_note_the_same_in_the_ledger_one_goes_on(store: SqlStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        went_on = list(pool.map(lambda _: store.remember("delivery", "slack:1", NOW), range(40)))

    assert sum(went_on) == 1


def test_the_ledger_tells_a_change_and_lets_go_of_what_is_old(store: SqlStore) -> None:
    assert store.remember("notice", "chat", NOW, "down")
    assert not store.remember("notice", "chat", NOW, "down")
    assert store.remember("notice", "chat", NOW + timedelta(hours=1), "up")
    assert store.remembered("notice", "chat") == "up"

    store.forget("notice", before=NOW + timedelta(minutes=30))
    assert store.remembered("notice", "chat") == "up"
    store.forget("notice", "chat")
    assert store.remembered("notice", "chat") is None
