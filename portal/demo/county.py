"""Building the demonstration county, step by step: what was done is noted, so that a build cut short goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from catalog.pack import read_pack
from catalog.services.pack import pack_load
from eldercare.models import Elder
from operations.models import Job
from organization.areas import township_code
from organization.models import Area, Letterhead
from portal.demo.accounts import accounts_create
from portal.demo.applications import applications_make
from portal.demo.areas import COUNTY, COUNTY_NAME, AreaRow, village_codes
from portal.demo.certifications import certifications_make
from portal.demo.enrolments import enrolments_make
from portal.demo.imports import DemoRefusedError, roster_import
from portal.demo.payments import money_before, money_steps
from portal.demo.phones import phone_visits_make
from portal.demo.story import RosterFile, Story, story_of
from portal.demo.todos import todos_raise
from portal.demo.visit_story import (
    call_backs_make,
    follow_ups_make,
    handed_over_make,
    late_make,
    months_submit,
    returns_make,
)
from portal.demo.visiting import visits_make
from portal.demo.visitors import caseloads_make, visitor_leave, visitors_create
from subsidies.models import Month
from subsidies.services.month import month_run
from visits.models import Obligation
from visits.services.obligation import month_refresh

KIND: Final = "demo"
UNFINISHED: Final = "没有做完；再次运行 make_demo 会接着做"
PACKS: Final = (("national", None, ""), ("luliang", COUNTY, COUNTY_NAME))
Report = Callable[[str], None]


class NotEmptyError(DemoRefusedError):
    """There are elders who are not a begun demonstration's."""


def demo_build(*, elders: int, seed: int, report: Report) -> dict[str, Any]:
    """Build the county, or go on with a build that was cut short; return what each step made.

    Raises NotEmptyError for a registry with other elders in it, DemoRefusedError where a step fails.
    """
    with _alone():
        job = _begin(elders, seed)
        story = story_of(
            elders=job.params["elders"],
            seed=job.params["seed"],
            today=date.fromisoformat(job.params["today"]),
        )
        for name, step in _steps(story):
            if name not in job.result:
                report(name)
                job.result[name] = step()
                job.save(update_fields=["result"])
        job.state, job.error, job.finished_at = Job.State.DONE, "", timezone.now()
        job.save(update_fields=["state", "error", "finished_at"])
    return dict(job.result)


def _begin(elders: int, seed: int) -> Job:
    """Return the noted build to go on with, or note a new one."""
    begun = Job.objects.filter(kind=KIND).exclude(state=Job.State.DONE).first()
    if begun is not None:
        return begun
    if Elder.objects.exists():
        raise NotEmptyError("登记册里已有老年人，演示县只建立在空的系统上")
    # Noted as not successful until it is: no worker can go on with it, only the command can.
    return Job.objects.create(
        kind=KIND,
        title="建立演示县",
        params={"elders": elders, "seed": seed, "today": timezone.localdate().isoformat()},
        state=Job.State.FAILED,
        error=UNFINISHED,
        started_at=timezone.now(),
    )


def _steps(story: Story) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "行政区划", partial(_areas_write, story.areas)
    yield "服务清单", _packs_load
    yield "演示账号", partial(_accounts, story)
    for position, (file, month) in enumerate(zip(story.files, story.months, strict=True)):
        yield f"导入 {file.name}", partial(_import, story, file)
        if file is story.files[0]:
            yield "申请登记", partial(enrolments_make, story.people, story.months, story.seed)
        yield from money_before(story.months, position, story.seed)
        if month == story.months[-1]:
            yield "探访员离岗", visitor_leave
        yield f"核定 {month:%Y年%m月}", partial(_run, month)
        yield from money_steps(story.months, position, story.seed)
        yield f"探访 {month:%Y年%m月}", partial(_visit, story, month)
        if month == story.months[-2]:
            yield "享受申请", partial(_applications, story, month)
    yield from _visit_steps(story)
    yield "生存认证", partial(_certifications, story)
    yield "待办", partial(_todos, story)


def _visit_steps(story: Story) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What becomes of the visits: the newest past month is called back and submitted, the running one goes on."""
    last, runs = story.months[-2:]
    yield "探访复核", partial(_recount, story)
    yield "探访分工", lambda: caseloads_make(_places(story)["township"])
    yield "探访移交", lambda: handed_over_make(runs, timezone.localtime(), story.seed)
    yield "探访退回", lambda: returns_make(runs)
    yield "探访回访", lambda: call_backs_make(_places(story)["township"], last, story.seed)
    yield "探访跟进", follow_ups_make
    yield "探访月报", lambda: months_submit(story.months[:-1], _places(story)["township"])
    yield "探访补录", lambda: late_make(last, timezone.localtime(), story.seed)


def _areas_write(areas: tuple[AreaRow, ...]) -> int:
    rows = [Area(code=area.code, name=area.name, parent_id=area.parent) for area in areas]
    Area.objects.bulk_create(rows, ignore_conflicts=True)
    _letterhead_write()
    return len(rows)


def _letterhead_write() -> None:
    """The office as the county's papers name it; a number that nobody has."""
    Letterhead.objects.get_or_create(
        area_id=COUNTY,
        defaults={
            "unit": f"{COUNTY_NAME}民政局",
            "phone": "0990-0000000",
            "address": f"{COUNTY_NAME}新民街道永安路 1 号",
            "refund_account": f"户名：{COUNTY_NAME}财政专户（演示）　开户行：演示农商行　账号：9901000000000000000",
        },
    )


def _packs_load() -> int:
    created = 0
    for name, area, area_name in PACKS:
        pack = read_pack((settings.BASE_DIR / "fixtures" / f"{name}.yaml").read_bytes())
        created += pack_load(pack=pack, area_override=area, area_name=area_name).created
    return created


def _accounts(story: Story) -> int:
    places = _places(story)
    accounts = accounts_create(**places)
    visitors_create(township=places["township"], village=places["village"])
    return len(accounts)


def _places(story: Story) -> dict[str, Area]:
    """The county, the township of the demonstration's township users and the village of its worker: a 镇 in each."""
    code = next(one for one in village_codes(list(story.areas), COUNTY) if one[6] == "1" and one[9] == "2")
    areas = Area.objects.in_bulk([COUNTY, township_code(code), code])
    return {"county": areas[COUNTY], "township": areas[township_code(code)], "village": areas[code]}


def _import(story: Story, file: RosterFile) -> dict[str, int]:
    return roster_import(name=file.name, content=story.xlsx(file), as_of=file.as_of)


def _run(month: date) -> int:
    return month_run(county_code=COUNTY, month=month).persons


def _visit(story: Story, month: date) -> int:
    """Visits of a month: from files, in the last two months those of one township from its workers' phones."""
    now = timezone.localtime()
    if month not in story.months[-2:]:
        return visits_make(month=month, seed=story.seed, now=now, gone=story.gone)
    township = _places(story)["township"]
    filed = visits_make(month=month, seed=story.seed, now=now, gone=story.gone, without=township)
    return filed + phone_visits_make(
        month=month, seed=story.seed, now=now, gone=story.gone, township=township
    )


def _recount(story: Story) -> int:
    """Take deaths and moves that were reported late out of the months in which they happened."""
    for month in story.months:
        month_refresh(month=month)
    return Obligation.objects.exclude(exempt_from=None).count()


def _applications(story: Story, month: date) -> int:
    return applications_make(month, _places(story)["township"])


def _certifications(story: Story) -> int:
    return certifications_make(timezone.localdate(), _places(story)["township"])


def _todos(story: Story) -> int:
    month = Month.objects.get(county_code=COUNTY, month=story.months[-1])
    return todos_raise(month=month, today=timezone.localdate(), **_places(story))


@contextmanager
def _alone() -> Iterator[None]:
    """Refuse a second build at the same time; the lock goes with the connection if the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('make_demo'))")
        if not cursor.fetchone()[0]:
            raise DemoRefusedError("另一个 make_demo 正在建立演示县，请等它做完")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('make_demo'))")
