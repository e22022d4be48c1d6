"""Running a month as a background job: asked for once, done as the command does it."""

from datetime import date
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog.models import Item
from operations.models import Job
from operations.services.job import job_create, job_run
from subsidies.models import CertificationDue, Month, PaymentTerms
from subsidies.services.month import month_run
from subsidies.tasks import (
    KIND,
    application_notices_end_daily,
    certifications_refresh_daily,
    month_open,
    month_run_request,
)
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, item, load, publish_list
from visits.models import Visit

JUNE = date(2024, 6, 1)


def waiting_job(month: date) -> Job:
    """A job for a month, with a bell that nobody hears."""
    params = {"county_code": LULIANG, "month": month.isoformat()}
    return job_create(kind=KIND, title="核定", params=params, ring=lambda job_id: None)


@pytest.mark.django_db
def test_a_run_asked_for_twice_is_one_job_until_it_is_over() -> None:
    first = month_run_request(county_code=LULIANG, month=JUNE)
    assert month_run_request(county_code=LULIANG, month=JUNE) == first
    assert month_run_request(county_code=LULIANG, month=date(2024, 7, 1)) != first
    Job.objects.filter(pk=first.pk).update(state=Job.State.DONE)
    assert month_run_request(county_code=LULIANG, month=JUNE) != first


@pytest.mark.django_db
def test_on_the_first_the_month_that_begins_is_asked_for_in_every_county_with_a_list() -> None:
    load("national", "luliang", "chencang")
    assert len(month_open()) == len(month_open()) == 2
    month = timezone.localdate().replace(day=1).isoformat()
    assert sorted(job.params["county_code"] for job in Job.objects.all()) == ["530322000000", "610304000000"]
    assert {job.params["month"] for job in Job.objects.all()} == {month}


@pytest.mark.django_db(transaction=True)
def test_the_job_runs_the_month_and_tells_how_it_went() -> None:
    publish_list(item("AGE", "年龄 >= 80"))
    make_elder(date(1940, 1, 1))
    job = waiting_job(JUNE)
    assert job_run(job_id=str(job.pk))
    job.refresh_from_db()
    month = Month.objects.get()
    told = {"month_id": month.pk, "revision": 1, "persons": 1, "formed": True}
    assert (job.state, job.result) == (Job.State.DONE, told)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_finds_nothing_changed_tells_that_no_version_was_formed() -> None:
    publish_list(item("AGE", "年龄 >= 80"))
    make_elder(date(1940, 1, 1))
    told = []
    for _ in range(2):
        job = waiting_job(JUNE)
        job_run(job_id=str(job.pk))
        job.refresh_from_db()
        told.append((job.result["revision"], job.result["formed"]))
    assert told == [(1, True), (1, False)]


@pytest.mark.django_db(transaction=True)
def test_a_month_without_a_list_fails_the_job_with_a_sentence() -> None:
    publish_list(item("AGE", "年龄 >= 80"))
    job = waiting_job(date(2022, 1, 1))
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (
        Job.State.FAILED,
        "2022年01月没有适用于 530322000000 的服务清单，请先加载清单（load_pack）",
    )


@pytest.mark.django_db
def test_the_daily_passes_of_enrolment_change_nothing_where_there_is_nothing_to_do() -> None:
    assert (application_notices_end_daily(), certifications_refresh_daily()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_daily_pass_opens_the_rounds_of_the_day_and_takes_in_visits() -> None:
    publish_list(item("AGE", "年龄 >= 80"))
    elder = make_elder(date(1940, 1, 1))
    today = timezone.localdate()
    month_run(county_code=LULIANG, month=today.replace(day=1))
    PaymentTerms.objects.create(item=Item.objects.get(), first_month=today.replace(day=1), certify_months=1)
    Visit.objects.create(
        id=uuid4(), elder=elder, at=timezone.now(), mode="上门", result="见到本人", visitor="测试员"
    )
    certifications_refresh_daily()
    assert CertificationDue.objects.get().certification is not None
    assert certifications_refresh_daily() == 0
