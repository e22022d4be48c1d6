"""Making, fetching and giving up a batch's payment file."""

import hashlib
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from python_calamine import CalamineWorkbook

from operations.models import AuditEntry, Job, StoredFile
from operations.services.job import job_run
from operations.services.stored_file import stored_file_read
from subsidies.bank_tasks import bank_file_request
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.models import BankFile, BankProfile, Batch, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services import bank as service
from subsidies.services.bank import bank_file_discard, bank_file_download, bank_file_make
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.subsidies.bank import confirmed, county, drafted, file_of, profile, sent
from tests.subsidies.money import Staff, without_triggers

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "竖线分隔文本（GBK）"


@pytest.fixture
def people(db: None) -> Staff:
    return county()


def rows(file: BankFile) -> list[list[Any]]:
    content = stored_file_read(stored=file.stored)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return [list(cells) for cells in sheet.iter_rows()][1:]


def make(batch: Batch, people: Staff, name: str = "通用 Excel") -> BankFile:
    return bank_file_make(batch_id=batch.pk, profile_id=profile(name).pk, actor=people.finance)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(MoneyRefusedError) as caught:
        act()
    return str(caught.value)


def test_the_file_has_every_line_and_the_totals_of_the_batch(people: Staff) -> None:
    batch = confirmed(people)
    file = make(batch, people)
    assert (file.lines, file.amount) == (batch.lines, batch.amount) == (3, Decimal("150.00"))
    found = rows(file)
    assert [(cells[0], cells[1], cells[5]) for cells in found] == [(batch.number, n, 50.0) for n in (1, 2, 3)]
    assert found[0][8:10] == ["测试县项目POOR2024年11月", "2024-11"]
    assert found[0][7].startswith("99")


def test_what_is_kept_is_encrypted_and_known_by_its_digest(people: Staff) -> None:
    file = make(confirmed(people), people)
    kept = Path(file.stored.content.path).read_bytes()
    content = stored_file_read(stored=file.stored)
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert content[:2] == b"PK" and b"sheet1.xml" not in kept


def test_the_step_and_the_audit_tell_of_the_file(people: Staff) -> None:
    batch = confirmed(people)
    file = make(batch, people)
    step = batch.steps.get(action=BatchAction.FILE)
    assert (step.state, step.lines, step.note) == (BatchState.CONFIRMED, 3, "通用 Excel，3 笔 150.00 元")
    entry = AuditEntry.objects.get(action="批次生成银行文件")
    assert entry.subject == f"batch:{batch.number}" and entry.data["sha256"] == file.sha256


def test_asked_for_again_it_is_the_same_file(people: Staff) -> None:
    batch = confirmed(people)
    assert make(batch, people) == make(batch, people)
    assert batch.steps.filter(action=BatchAction.FILE).count() == 1


def test_another_format_is_refused_while_a_file_stands(people: Staff) -> None:
    batch = confirmed(people)
    make(batch, people)
    assert "已由 财务甲 于" in refusal(lambda: make(batch, people, OTHER))


def test_a_file_the_bank_was_not_told_of_can_be_given_up_and_made_in_another_format(people: Staff) -> None:
    batch = confirmed(people)
    first = make(batch, people)
    bank_file_discard(bank_file_id=first.pk, actor=people.finance, reason="银行要另一种格式")
    second = make(batch, people, OTHER)
    assert second.stored.name == f"{batch.number}.txt"
    assert StoredFile.objects.filter(pk=first.stored_id).exists(), "what was made stays kept"
    assert batch.steps.filter(note="作废“通用 Excel”文件：银行要另一种格式").count() == 1


@pytest.mark.parametrize("who", ["finance", "finance_two"])
def test_who_made_or_downloaded_a_file_does_not_give_it_up(people: Staff, who: str) -> None:
    file = make(confirmed(people), people)
    for _ in range(2):
        bank_file_download(bank_file_id=file.pk, actor=people.finance_two)
    said = refusal(lambda: bank_file_discard(bank_file_id=file.pk, actor=getattr(people, who), reason="不对"))
    assert said == (
        f"银行文件由 {people.finance} 生成，已由 {people.finance_two} 下载 2 次，可能已在流转；"
        "请由没有生成也没有下载过它的人员核实未报银行后作废"
    )
    assert BankFile.objects.filter(pk=file.pk).exists()


def test_somebody_else_gives_up_a_downloaded_file_and_its_checksum_is_audited(people: Staff) -> None:
    batch = confirmed(people)
    file = file_of(batch, people)
    bank_file_discard(bank_file_id=file.pk, actor=people.finance_two, reason="银行退回，原件已收回")
    entry = AuditEntry.objects.get(actor=people.finance_two)
    assert (entry.data["sha256"], entry.data["downloads"]) == (file.sha256, 1)
    assert not BankFile.objects.exists()


def test_a_downloaded_file_is_not_given_up_without_a_reason(people: Staff) -> None:
    batch = confirmed(people)
    file = file_of(batch, people)
    said = refusal(lambda: bank_file_discard(bank_file_id=file.pk, actor=people.finance_two, reason=" "))
    assert said == "请填写作废原因"


def test_a_file_the_bank_has_cannot_be_given_up(people: Staff) -> None:
    batch = sent(people)
    give_up = BankFile.objects.get(batch=batch)
    said = refusal(lambda: bank_file_discard(bank_file_id=give_up.pk, actor=people.finance, reason="不对"))
    assert said == f"批次 {batch} 已报送银行，银行文件不能作废；请等银行回盘"


def test_a_batch_that_is_not_confirmed_has_no_file(people: Staff) -> None:
    batch = drafted(people, 1)
    assert refusal(lambda: make(batch, people)).startswith(f"批次 {batch} 现为“草稿”，财政确认后")


def test_the_maker_of_the_batch_does_not_make_its_file(people: Staff) -> None:
    batch, chosen = confirmed(people), profile().pk
    said = refusal(lambda: bank_file_make(batch_id=batch.pk, profile_id=chosen, actor=people.maker))
    assert "没有“银行文件与回盘”的权限" in said


@pytest.mark.parametrize("change", [{"county_code": "610304000000"}, {"active": False}])
def test_a_format_of_another_county_or_out_of_use_is_refused(people: Staff, change: dict[str, Any]) -> None:
    batch, chosen = confirmed(people), profile()
    BankProfile.objects.filter(pk=chosen.pk).update(**change)
    said = refusal(lambda: bank_file_make(batch_id=batch.pk, profile_id=chosen.pk, actor=people.finance))
    assert said == "选的银行文件格式不属于本县或已停用；请另选一种"


def test_a_faulty_format_is_refused_naming_the_key(people: Staff) -> None:
    batch, chosen = confirmed(people), profile()
    BankProfile.objects.filter(pk=chosen.pk).update(layout={"format": "xlsx", "columns": []})
    said = refusal(lambda: bank_file_make(batch_id=batch.pk, profile_id=chosen.pk, actor=people.finance))
    assert "columns：应是一个列表" in said


def test_lines_and_totals_that_do_not_tie_make_no_file(people: Staff) -> None:
    batch = confirmed(people)
    Batch.objects.filter(pk=batch.pk).update(amount=Decimal("150.01"))
    said = refusal(lambda: make(batch, people))
    assert "登记 3 笔 150.01 元，明细待发 3 笔 150.00 元" in said
    assert not BankFile.objects.exists()


def test_a_held_line_is_not_in_the_file(people: Staff) -> None:
    batch = confirmed(people)
    Payment.objects.filter(batch=batch, number=2).update(state=PaymentState.HELD)
    Batch.objects.filter(pk=batch.pk).update(lines=2, amount=Decimal(100))
    assert [cells[1] for cells in rows(make(batch, people))] == [1, 3]


def test_an_offset_lowers_what_the_bank_pays_and_a_line_kept_back_whole_is_left_out(people: Staff) -> None:
    batch = confirmed(people)
    without_triggers('UPDATE subsidies_payment SET "offset" = CASE number WHEN 1 THEN 50 ELSE 20 END')
    Batch.objects.filter(pk=batch.pk).update(amount=Decimal(60))
    file = make(batch, people)
    assert [(cells[1], cells[5]) for cells in rows(file)] == [(2, 30.0), (3, 30.0)]
    assert (file.lines, file.amount) == (2, Decimal(60))


def test_a_rare_name_makes_no_gbk_file_but_a_workbook(people: Staff) -> None:
    batch = confirmed(people)
    without_triggers("UPDATE subsidies_payment SET holder = '张𬭚' WHERE number = 2")
    assert "序号 2 的“户名”有 GBK 编码没有的字（𬭚）" in refusal(lambda: make(batch, people, OTHER))
    assert not BankFile.objects.exists()
    assert rows(make(batch, people))[1][2] == "张𬭚"


def test_downloads_are_counted_and_the_second_one_is_audited_as_such(people: Staff) -> None:
    batch = confirmed(people)
    file = make(batch, people)
    first = bank_file_download(bank_file_id=file.pk, actor=people.finance, address="10.0.0.1")
    second = bank_file_download(bank_file_id=file.pk, actor=people.finance_two)
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest() == file.sha256
    file.refresh_from_db()
    assert file.downloads == 2
    entries = AuditEntry.objects.filter(action__contains="下载银行文件").order_by("id")
    assert [(entry.action, entry.actor, entry.address) for entry in entries] == [
        ("下载银行文件", people.finance, "10.0.0.1"),
        ("再次下载银行文件", people.finance_two, ""),
    ]


def test_a_file_that_is_no_longer_what_was_made_is_not_given_out(people: Staff) -> None:
    file = make(confirmed(people), people)
    BankFile.objects.filter(pk=file.pk).update(sha256="0" * 64)
    said = refusal(lambda: bank_file_download(bank_file_id=file.pk, actor=people.finance))
    assert "校验码不一致" in said
    file.refresh_from_db()
    assert file.downloads == 0


def test_the_job_makes_the_file_and_is_not_put_on_the_list_twice(
    people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subsidies.bank_tasks.job_run.delay", lambda job_id: None)
    batch = confirmed(people)
    jobs = [
        bank_file_request(batch_id=batch.pk, profile_id=profile().pk, created_by=people.finance)
        for _ in range(2)
    ]
    assert jobs[0] == jobs[1]
    job_run(job_id=str(jobs[0].pk))
    job = Job.objects.get()
    assert (job.state, job.result["lines"], job.result["amount"]) == (Job.State.DONE, 3, "150.00")


def test_a_refusal_fails_the_job_with_its_sentence(people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subsidies.bank_tasks.job_run.delay", lambda job_id: None)
    batch = drafted(people, 1)
    job = bank_file_request(batch_id=batch.pk, profile_id=profile().pk, created_by=people.finance)
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error[:9]) == (Job.State.FAILED, f"批次 {batch}"[:9])


def make_twice_at_once(
    batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch, wait: float
) -> list[Exception]:
    """Two people ask for the file at once; both have looked whether there is one before either writes."""
    chosen = profile().pk
    monkeypatch.setattr(service, "_control", met_after(service._control, wait))
    results = at_once(
        lambda: bank_file_make(batch_id=batch.pk, profile_id=chosen, actor=people.finance),
        lambda: bank_file_make(batch_id=batch.pk, profile_id=chosen, actor=people.finance_two),
    )
    return raised(results)


def test_without_the_lock_two_at_once_write_two_files(people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "batch_lock", lambda pk: Batch.objects.select_related("made_by").get(pk=pk))
    failures = make_twice_at_once(confirmed(people), people, monkeypatch, SURELY)
    assert [type(failure) for failure in failures] == [IntegrityError], "only the constraint held it back"


def test_two_at_once_give_one_file(people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = confirmed(people)
    assert make_twice_at_once(batch, people, monkeypatch, IN_VAIN) == []
    assert BankFile.objects.count() == StoredFile.objects.count() == 1
    assert batch.steps.filter(action=BatchAction.FILE).count() == 1


def test_the_fetched_file_is_what_finance_sends(people: Staff) -> None:
    assert file_of(confirmed(people), people).stored.name.endswith(".xlsx")
