"""Running a month: freeze, decide, publish, and the due lines of earlier months (design §2)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import pairwise

from django.db import connection, transaction

from catalog.policy import Policy
from catalog.selectors import policy_get
from eldercare.facts import month_last_day
from eldercare.services.monthly_facts import elders_changed, partition_ensure, registry_version, townships_of
from organization.areas import area_prefix
from subsidies.county_lock import county_locked
from subsidies.lookback import months_within, version_reaches
from subsidies.models import Chunk, Month
from subsidies.services.adjustment import adjustments_store, month_settle
from subsidies.services.anomaly import anomalies_refresh
from subsidies.services.chunk import ChunkTask, chunk_decide
from subsidies.services.publication import month_publish
from visits.services.month import visit_months_open
from visits.services.obligation import obligations_refresh

WORKERS = 2
# more elders than this are refreshed faster by reading the whole month
REFRESH_AT_MOST = 50_000
# Every task reads the whole registry once: few enough not to read it too often, enough to resume from.
TASKS = 4
Report = Callable[[str, int, int], None]


class MonthRefusedError(Exception):
    """The month cannot be run; the message is a Chinese sentence."""


def _silent(step: str, done: int, total: int) -> None:
    return None


def month_run(
    *,
    county_code: str,
    month: date,
    area_code: str | None = None,
    report: Report = _silent,
    workers: int = WORKERS,
) -> Month:
    """Decide month M of a county by the newest facts and compute what earlier months still owe or are owed.

    month: first day. area_code: only the townships under it; such a run leaves earlier months and due lines alone.
    Safe to repeat: unchanged inputs change nothing, and an interrupted run goes on where it stopped. Raises
    MonthRefusedError where no list is in force or nobody lives in the area.
    """
    with county_locked(county_code):
        policy = _policy_for(county_code, month)
        _refuse_empty(county_code, area_code)
        row, _ = Month.objects.get_or_create(county_code=county_code, month=month)
        reach = _review(row, workers, report) if area_code is None else None
        version = _decide(row, policy, area_code, report, workers)
        if reach is not None:
            adjustments_store(run=row, earlier=reach)
        report("更新探访任务", 0, 0)
        _visits_refresh(row, version)
        report("查找异常", 0, 0)
        anomalies_refresh(month=row)
    row.refresh_from_db()
    return row


def _policy_for(county_code: str, month: date) -> Policy:
    """Policy of month M: what is in force on its last day (design §2 step 2)."""
    policy = policy_get(county_code=county_code, day=month_last_day(month))
    if policy is None or not policy.items:
        raise MonthRefusedError(
            f"{month:%Y年%m月}没有适用于 {county_code} 的服务清单，请先加载清单（load_pack）"
        )
    return policy


def _refuse_empty(county_code: str, area_code: str | None) -> None:
    if area_code is not None and not any(
        _covers(township, area_code) for township in townships_of(county_code)
    ):
        raise MonthRefusedError(f"区划 {area_code} 没有登记的老年人，请核对区划代码")


def _review(row: Month, workers: int, report: Report) -> list[Month]:
    """Settle the earlier months and decide those within look-back again where something changed; return these."""
    earlier = list(Month.objects.filter(county_code=row.county_code, month__lt=row.month, revision__gt=0))
    for past in earlier:
        month_settle(month=past)
    reach = months_within(earlier, row.month, version_reaches(row.county_code))
    policies = [_policy_for(row.county_code, past.month) for past in reach]
    for past, policy in zip(reach, policies, strict=True):
        report(f"复核 {past.month:%Y年%m月}", 0, 0)
        chunks = list(Chunk.objects.filter(month=past))
        seen = min((c.facts_version for c in chunks if c.facts_version), default=0)
        unpublished = any(c.decided_revision > past.revision for c in chunks)
        if unpublished or any(c.policy != policy.digest for c in chunks) or elders_changed(seen):
            version = _decide(past, policy, None, _silent, workers, opens_visits=False)
            _visits_refresh(past, version)
    return reach


def _visits_refresh(month: Month, version: int) -> None:
    """Bring the month's visit figures in line with the registry: of those who changed since the last time, or of all.

    The version is noted in the same transaction, so that a run cut short here is made up for by the next one.
    """
    changed = elders_changed(month.visits_version) if month.visits_version else None
    few = changed if changed is not None and len(changed) <= REFRESH_AT_MOST else None
    with transaction.atomic():
        obligations_refresh(month=month.month, county_code=month.county_code, elder_ids=few)
        Month.objects.filter(pk=month.pk).update(visits_version=version)


def _decide(
    month: Month,
    policy: Policy,
    area_code: str | None,
    report: Report,
    workers: int,
    *,
    opens_visits: bool = True,
) -> int:
    """Decide and publish a month; return the registry version that it read."""
    with connection.cursor() as cursor:
        partition_ensure(cursor, "eldercare_monthlyfacts", month.month)
        partition_ensure(cursor, "subsidies_entitlement", month.month)
    revision = month.revision + 1
    version = registry_version()
    _chunks_ensure(month, policy)
    if opens_visits:
        visit_months_open(month=month.month, county_code=month.county_code)
    with _shared_snapshot() as snapshot:
        tasks = _tasks(
            month,
            policy,
            area_code,
            ChunkTask((), month.month, None, revision, None, False, version, snapshot, opens_visits),
        )
        _run_tasks(tasks, policy, report, workers)
    report("汇总与发布", len(tasks), len(tasks))
    month_publish(month=month, policy=policy, revision=revision)
    return version


def _chunks_ensure(month: Month, policy: Policy) -> None:
    """One chunk per township; after the registry version was noted, so that nobody below it lives in a missing one."""
    Chunk.objects.bulk_create(
        [Chunk(month=month, township=township) for township in townships_of(policy.county_code)],
        ignore_conflicts=True,
    )


def _tasks(month: Month, policy: Policy, area_code: str | None, base: ChunkTask) -> list[ChunkTask]:
    """A few tasks of several townships, or a single one if only changed elders have to be decided again.

    Reads inside the run's snapshot: a chunk that anyone else writes from now on fails to be written by this run.
    """
    every = list(Chunk.objects.filter(month=month).order_by("township"))
    base = replace(base, first=not any(c.facts_version for c in every))
    chunks = [c for c in every if _covers(c.township, area_code)]
    if area_code is None and chunks and all(c.facts_version and c.policy == policy.digest for c in chunks):
        return [
            replace(base, chunk_ids=tuple(c.pk for c in chunks), since=min(c.facts_version for c in chunks))
        ]
    known = [c.facts_version if c.facts_version and c.policy == policy.digest else None for c in chunks]
    return [
        replace(
            base,
            chunk_ids=tuple(c.pk for c in some),
            townships=tuple(c.township for c in some),
            since=since,
        )
        for since in dict.fromkeys(known)
        for some in _dealt([c for c, version in zip(chunks, known, strict=True) if version == since])
    ]


def _dealt(chunks: list[Chunk]) -> list[list[Chunk]]:
    """Deal townships into at most TASKS runs of neighbours."""
    bounds = [len(chunks) * place // TASKS for place in range(TASKS + 1)]
    return [chunks[start:end] for start, end in pairwise(bounds) if start < end]


def _covers(township: str, area_code: str | None) -> bool:
    if area_code is None:
        return True
    prefix = area_prefix(area_code)
    return bool(township) and (township.startswith(prefix) or prefix.startswith(township))


def _run_tasks(tasks: list[ChunkTask], policy: Policy, report: Report, workers: int) -> None:
    """Decide the chunks side by side; the first failure stops the run, finished chunks stay for the next one."""
    done = 0
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(_in_thread, task, policy) for task in tasks]
        try:
            for task, future in zip(tasks, futures, strict=True):
                future.result()
                done += 1
                report(f"核定{_places(task)}", done, len(tasks))
        finally:
            pool.shutdown(cancel_futures=True)


def _places(task: ChunkTask) -> str:
    return "全县" if task.townships is None else f" {len(task.townships)} 个乡镇（街道）"


def _in_thread(task: ChunkTask, policy: Policy) -> int:
    try:
        return chunk_decide(task=task, policy=policy)
    finally:
        connection.close()


@contextmanager
def _shared_snapshot() -> Iterator[str]:
    """Hold a snapshot that other connections can read from."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]
