"""The queue of many machines: Procrastinate on the store's PostgreSQL, nothing else to run.

A worker beats while it lives. The jobs of one that does not are given to others, so a job may run more
than once: whatever carries it out must be repeatable. One in flight when its process is told to stop is
handed back at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from bot.errors import NotHere, StoreError
from bot.model.load import Load
from bot.ports import Task
from bot.queue.again import Again, HandedBack
from bot.queue.role import Role, lock_of, role_of
from bot.queue.tables import bring_up_to_date

log: Final = logging.getLogger(__name__)
T = TypeVar("T")
_TASK: Final = "refit"
_POOL_SECONDS: Final = 60.0
_CALL_SECONDS: Final = 90.0
_LAST_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 2.0
# New jobs are told at once, in 10 to 100 ms. Nobody is told of one that was handed back, and Procrastinate's
# worker loses what it is told in the middle of a look: looking costs 0.1 % of a processor at this pace.
_POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a machine looks, and how long it waits.

    Attributes:
        beat: Seconds between two heartbeats.
        stalled: Seconds without one, after which a worker's jobs are given to others.
        attempts: How often a job is done again for lack of a store before it is given up.
        look: Seconds between two looks whether this machine is able again.
        patience: Seconds that the database may take for an answer.
    """

    beat: float = 10.0
    stalled: float = 30.0
    attempts: int = 50
    look: float = 30.0
    patience: float = _CALL_SECONDS


USUAL: Final = Pace()


class PostgresQueue:
    """The `Queue` port on PostgreSQL; one event loop in a thread of its own.

    Args:
        connecting: What psycopg connects with.
        work: Carries out a task. A `StoreError` or a KeyboardInterrupt leaves it to be done again.
        slots: How many jobs of each role run here at once; none of them: this process only asks.
        able: Says why this machine cannot take a role's jobs now; empty where it can.
        undone: Told of each task that is given up after many attempts, with its last `StoreError`.
        pace: How often it looks, and how long it waits.

    Raises:
        StoreError: The database does not answer, or its queue was made by a newer version.
    """

    def __init__(  # noqa: PLR0913 - what it does, asks and tells is a function each
        self,
        connecting: Mapping[str, Any],
        work: Callable[[Task], None],
        slots: Mapping[Role, int],
        *,
        able: Callable[[Role], str] = lambda _: "",
        undone: Callable[[Task, StoreError], None] = lambda _task, _error: None,
        pace: Pace = USUAL,
    ) -> None:
        bring_up_to_date(connecting)
        self._work, self._undone, self._slots = work, undone, dict(slots)
        self._able, self._pace = able, pace
        self._app = App(connector=_connector(connecting, slots))
        self._app.task(name=_TASK, retry=Again(pace.attempts), pass_context=True)(self._carry_out)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(sum(slots.values()) + 2, "refit-work"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="refit-queue", daemon=True)
        self._thread.start()
        self._call(self._open())
        self._stop = asyncio.Event()
        self._unable = {role: asyncio.Event() for role in slots}
        self._why = dict.fromkeys(slots, "")
        self._ended: Future[None] | None = None

    def start(self) -> None:
        """Begin to take jobs."""
        self._ended = asyncio.run_coroutine_threadsafe(self._serve(), self._loop)

    def submit(self, task: Task, key: str) -> bool:
        """Take the task; False where work with this key is waiting or running, on any machine.

        Raises:
            StoreError: The database does not answer.
        """
        return self._call(self._defer(task, key), self._pace.patience)

    def depth(self) -> int:
        """How many tasks wait or run, on all machines.

        Raises:
            StoreError: The database does not answer.
        """
        return sum(load.waiting + load.running for load in self.loads().values())

    def loads(self) -> Mapping[str, Load]:
        """How much waits and runs, by role, on all machines.

        Raises:
            StoreError: The database does not answer.
        """
        return self._call(self._loads(), self._pace.patience)

    def drain(self, seconds: float) -> bool:
        """Take no more, wait for what runs here; True when all of it ended in time. The rest stays queued."""
        if self._ended is None:
            return True
        self._loop.call_soon_threadsafe(self._stop.set)
        try:
            self._ended.result(seconds)
        except (NotYet, ConnectorException):
            return self._ended.done()
        return True

    def close(self) -> None:
        """Give the connections back; nothing runs any more."""
        with suppress(StoreError):
            self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        """Close the connections, once what was given up has let go of its own."""
        if given_up := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(given_up, timeout=_LAST_SECONDS)
        await self._app.close_async()

    async def _open(self) -> None:
        await self._app.open_async()

    async def _defer(self, task: Task, key: str) -> bool:
        jobs = self._app.job_manager
        for status in ("todo", "doing"):
            if list(await jobs.list_jobs_async(queueing_lock=key, status=status)):
                return False
        role = role_of(task)
        job = self._app.configure_task(
            _TASK, queue=role.value, queueing_lock=key, lock=lock_of(task, role, key)
        )
        try:
            await job.defer_async(name=task.name, key=key, value=dict(task.value))
        except AlreadyEnqueued:
            return False
        return True

    async def _loads(self) -> dict[str, Load]:
        queues = await self._app.job_manager.list_queues_async()
        return {queue["name"]: Load(queue["todo"], queue["doing"]) for queue in queues}

    async def _serve(self) -> None:
        """A worker for each role, so that one who waits for proofs cannot keep them from being made."""
        async with asyncio.TaskGroup() as group:
            for role, slots in self._slots.items():
                group.create_task(self._take(role, slots))
            rescuing = group.create_task(self._rescue())
            await self._stop.wait()
            rescuing.cancel()

    async def _take(self, role: Role, slots: int) -> None:
        """Take jobs of a role until the end, while able to; a database that went away is asked again."""
        while not self._stop.is_set():
            if not await self._can(role):
                continue
            worker = asyncio.create_task(
                self._app.run_worker_async(
                    queues=[role.value],
                    name=role.value,
                    concurrency=slots,
                    listen_notify=True,  # new jobs are told at once
                    fetch_job_polling_interval=_POLL_SECONDS,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=self._pace.beat,
                    stalled_worker_timeout=self._pace.stalled,
                )
            )
            ends = [asyncio.create_task(event.wait()) for event in (self._stop, self._unable[role])]
            await asyncio.wait({worker, *ends}, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
            await self._end(worker, role)

    async def _can(self, role: Role) -> bool:
        """Tell whether this machine can take a role's jobs; where it cannot, after a while."""
        self._unable[role].clear()
        why = await asyncio.to_thread(self._able, role)
        if why != self._why[role]:  # said once, and not at every look
            self._why[role] = why
            log.warning("this machine takes %s", f"no {role} jobs: {why}" if why else f"{role} jobs again")
        if why:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._pace.look)
        return not why

    async def _end(self, worker: asyncio.Task[None], role: Role) -> None:
        """Let a worker finish what it runs; tell why one ended by itself."""
        if not worker.done():
            worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            return
        except ConnectorException as error:
            log.warning("the queue cannot be reached: %s", _first_line(error))
        log.warning("the %s worker begins again", role)
        await asyncio.sleep(_AGAIN_SECONDS)

    async def _rescue(self) -> None:
        """Give the jobs of workers whose heart stopped to whoever is free."""
        while True:
            await asyncio.sleep(self._pace.beat)
            try:
                stalled = await self._app.job_manager.get_stalled_jobs(
                    seconds_since_heartbeat=self._pace.stalled
                )
                for job in stalled:
                    log.warning("job %s of a worker that stands still is given to others", job.queueing_lock)
                    await self._app.job_manager.retry_job(job)
            except ConnectorException as error:  # also where another one was faster
                log.info("stalled jobs were not given back: %s", _first_line(error))

    def _carry_out(self, context: JobContext, name: str, key: str, value: Mapping[str, str]) -> None:
        """One job, in a thread of the pool."""
        log.info("%s is begun", key)
        try:
            self._work(Task(name, value))
        except NotHere as error:
            log.warning("job %s is handed back: %s", key, error.message)
            self._loop.call_soon_threadsafe(self._unable[role_of(Task(name))].set)
            raise HandedBack from None
        except StoreError as error:
            if context.job.attempts >= self._pace.attempts:
                self._undone(Task(name, value), error)
            raise
        except KeyboardInterrupt:  # a program it waited for was ended: the process is stopping
            log.warning("job %s was cut off, and is handed back", key)
            raise HandedBack from None

    def _call(self, coroutine: Coroutine[Any, Any, T], seconds: float = _CALL_SECONDS) -> T:
        """Run a coroutine on the queue's loop, from any other thread."""
        asked = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return asked.result(seconds)
        except NotYet as error:
            asked.cancel()
            raise StoreError(
                "the queue cannot be used: its database does not answer",
                hint="Is the database of `store:` up, and nothing locked in it?",
            ) from error
        except ConnectorException as error:
            raise StoreError(
                f"the queue cannot be used: {_first_line(error)}", hint="Is the database of `store:` up?"
            ) from error


def _connector(connecting: Mapping[str, Any], slots: Mapping[Role, int]) -> PsycopgConnector:
    """Connections for what is asked here, and two for each worker: its jobs, and what it is told."""
    options = dict(connecting)
    conninfo = options.pop("conninfo")
    size = 2 + 2 * len(slots)
    return PsycopgConnector(
        conninfo=conninfo, kwargs=options, min_size=1, max_size=size, timeout=_POOL_SECONDS
    )


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(cause).partition("\n")[0]
