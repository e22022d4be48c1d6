"""explain M ID_NUMBER: why an elder is or is not entitled, item by item."""

from argparse import ArgumentParser
from typing import Any

from eldercare.models import Elder
from operations.commands import JsonCommand, Refused, parse_month
from operations.crypto import blind_index
from operations.masking import mask_id_number
from operations.services.audit import audit_record
from subsidies.explanation import explain, explanation_json
from subsidies.models import Month


class Command(JsonCommand):
    """Print the explanation of one elder's month as JSON; audited."""

    help = "逐项说明一位老年人某月为什么享受或不享受"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=parse_month, metavar="M", help="月份，YYYY-MM")
        parser.add_argument("id_number", metavar="ID_NUMBER", help="身份证号码（18 位）")

    def answer(self, **options: Any) -> dict[str, Any]:
        month, id_number = options["month"], options["id_number"]
        number = id_number.strip().upper()
        elder = Elder.objects.filter(id_number_index=blind_index(number)).first()
        if elder is None:
            raise Refused(f"登记中没有证件号为 {mask_id_number(number)} 的老年人")
        months = list(Month.objects.filter(month=month, revision__gt=0))
        if not months:
            raise Refused(f"{month:%Y年%m月}还没有核定，请先运行 run_month {month:%Y-%m}")
        audit_record(action="说明核定", subject=f"老年人 {elder.pk}", data={"month": f"{month:%Y-%m}"})
        explanations = [explain(elder=elder, month=row) for row in months]
        fitting = [e for e in explanations if e.items] or explanations
        return {"id_number": number, "name": elder.name} | explanation_json(fitting[0])
