"""Filters of the lists; page, partial and export use the same one."""

import re
from typing import Any, Final

import django_filters
from django.db.models import F, QuerySet
from django.db.models.functions import Left
from django.http import QueryDict
from django.utils import timezone

from catalog.choices import VisitMode
from eldercare.choices import ABILITY_NAMES, Kind
from eldercare.models import Circumstance, Elder
from eldercare.querysets import ElderQuerySet
from organization.areas import COUNTY_DIGITS, area_prefix
from organization.querysets import in_areas
from portal.ages import latest_birth_date
from subsidies.choices import LineKind, Outcome, PaymentState, ReturnReason
from subsidies.models import Entitlement, Payment
from subsidies.querysets import EntitlementQuerySet
from visits.choices import Channel, Result
from visits.models import Visit
from visits.querysets import VisitQuerySet
from visits.records import DAY, MARKS, midnight, with_mark

AREA: Final = re.compile(r"\d{12}\Z")
OLDEST: Final = 130
OUTSIDE: Final = "outside"

STATES: Final = (("", "在册"), ("dead", "已故"), ("moved", "已迁出"), ("all", "全部"))
ABILITY: Final = tuple((f"{Kind.ABILITY_LEVEL}:{n}", name) for n, name in enumerate(ABILITY_NAMES) if n)
CHIPS: Final = (
    ("destitute:分散", "特困分散"),
    ("destitute:集中", "特困集中"),
    ("low_income_allowance:是", "低保"),
    ("low_income_marginal:是", "低保边缘"),
    ("lives_alone:是", "独居"),
    ("empty_nest:是", "空巢"),
    ("left_behind:是", "留守"),
    ("disability_type", "残疾"),
    ("long_term_care:是", "需长期照护"),
    ("family_planning", "计生特殊"),
    ("veteran_category", "优抚"),
    ("institution", "入住机构"),
    *ABILITY,
)


class ElderFilterSet(django_filters.FilterSet):
    """Elders by area, age, present circumstances and state; several circumstances must all hold."""

    area = django_filters.CharFilter(label="区划", method="in_area")
    age_from = django_filters.NumberFilter(label="年龄自", method="at_least", min_value=0, max_value=OLDEST)
    age_to = django_filters.NumberFilter(label="年龄至", method="at_most", min_value=0, max_value=OLDEST)
    has = django_filters.MultipleChoiceFilter(label="情形", choices=CHIPS, method="with_circumstances")
    state = django_filters.ChoiceFilter(label="状态", choices=STATES[1:], method="in_state")

    class Meta:
        model = Elder
        fields: list[str] = []

    def in_area(self, queryset: ElderQuerySet, name: str, value: str) -> QuerySet[Elder]:
        """户籍 or 居住 under the area; a code that is none finds nobody."""
        return queryset.in_area(value) if AREA.match(value) else queryset.none()

    def at_least(self, queryset: ElderQuerySet, name: str, value: Any) -> QuerySet[Elder]:
        """Completed years ≥ value today."""
        return queryset.filter(birth_date__lte=latest_birth_date(int(value), timezone.localdate()))

    def at_most(self, queryset: ElderQuerySet, name: str, value: Any) -> QuerySet[Elder]:
        """Completed years ≤ value today."""
        return queryset.filter(birth_date__gt=latest_birth_date(int(value) + 1, timezone.localdate()))

    def with_circumstances(self, queryset: ElderQuerySet, name: str, value: list[str]) -> QuerySet[Elder]:
        """Each chosen kind (and value) holds today."""
        for choice in value:
            kind, _, wanted = choice.partition(":")
            queryset = queryset.filter(pk__in=holding(Kind(kind), value=wanted))
        return queryset

    def in_state(self, queryset: ElderQuerySet, name: str, value: str) -> QuerySet[Elder]:
        """Dead or moved out as of today; 'all' leaves everyone."""
        if value == "all":
            return queryset
        return queryset.filter(pk__in=holding(Kind.DEATH if value == "dead" else Kind.MOVED_OUT))

    def filter_queryset(self, queryset: QuerySet[Elder]) -> QuerySet[Elder]:
        """Without a chosen state only who is alive and has not moved out."""
        found: QuerySet[Elder] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return found
        return found.exclude(pk__in=holding(Kind.DEATH, Kind.MOVED_OUT))


def holding(*kinds: Kind, value: str = "") -> QuerySet[Circumstance, int]:
    """Ids of elders for whom one of the kinds holds today, with the value if one is given."""
    held = Circumstance.objects.filter(kind__in=kinds, valid__contains=timezone.localdate())
    return (held.filter(value=value) if value else held).values_list("elder_id", flat=True)


def without_position(params: QueryDict) -> QueryDict:
    """The query without the page that it stands on."""
    kept = params.copy()
    for key in ("after", "before", "from", "page"):
        kept.pop(key, None)
    return kept


class LineFilterSet(django_filters.FilterSet):
    """Lines of a month by item, township or village, outcome, and with money alone."""

    item = django_filters.NumberFilter(label="项目", field_name="item_id")
    area = django_filters.CharFilter(label="区划", method="in_area")
    outcome = django_filters.ChoiceFilter(label="结果", choices=Outcome.choices)
    paid = django_filters.ChoiceFilter(label="金额", choices=(("1", "有金额"),), method="with_money")

    class Meta:
        model = Entitlement
        fields: list[str] = []

    def in_area(self, queryset: EntitlementQuerySet, name: str, value: str) -> QuerySet[Entitlement]:
        """Lines of villages under the area; a code that is none finds nothing."""
        return queryset.in_area(value) if AREA.match(value) else queryset.none()

    def with_money(self, queryset: EntitlementQuerySet, name: str, value: str) -> QuerySet[Entitlement]:
        """Lines with an amount above zero."""
        return queryset.filter(amount__gt=0)


class PaymentFilterSet(django_filters.FilterSet):
    """Lines of a batch by item, township or village, kind, state and reason of failure."""

    item = django_filters.NumberFilter(label="项目", field_name="item_id")
    area = django_filters.CharFilter(label="区划", method="in_area")
    kind = django_filters.ChoiceFilter(label="类别", choices=LineKind.choices)
    state = django_filters.MultipleChoiceFilter(label="状态", choices=PaymentState.choices)
    reason = django_filters.ChoiceFilter(label="失败原因", choices=ReturnReason.choices)
    paying = django_filters.ChoiceFilter(label="实发", choices=(("1", "计入本批"),), method="paid_here")

    class Meta:
        model = Payment
        fields: list[str] = []

    def in_area(self, queryset: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        """Lines of villages under the area; 县外 is everything else; a code that is none finds nothing."""
        if value == OUTSIDE:
            return queryset.exclude(area_code__startswith=Left(F("batch__county_code"), COUNTY_DIGITS))
        return (
            queryset.filter(area_code__startswith=area_prefix(value))
            if AREA.match(value)
            else queryset.none()
        )

    def paid_here(self, queryset: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        """Lines that the batch pays: neither held nor void."""
        return queryset.exclude(state__in=[PaymentState.HELD, PaymentState.VOID])


class RecordFilterSet(django_filters.FilterSet):
    """Records by village, person, mode, result, source, mark and days (Asia/Shanghai, both included)."""

    day_from = django_filters.DateFilter(label="自", method="since")
    day_to = django_filters.DateFilter(label="至", method="until")
    area = django_filters.CharFilter(label="区划", method="in_area")
    worker = django_filters.NumberFilter(label="探访人", field_name="recorder_id")
    mode = django_filters.ChoiceFilter(label="方式", choices=VisitMode.choices)
    result = django_filters.ChoiceFilter(label="结果", choices=Result.choices)
    channel = django_filters.ChoiceFilter(label="来源", choices=Channel.choices)
    mark = django_filters.ChoiceFilter(
        label="标记", choices=[(mark, mark) for mark in MARKS], method="marked"
    )

    class Meta:
        model = Visit
        fields: list[str] = []

    def since(self, queryset: VisitQuerySet, name: str, value: Any) -> QuerySet[Visit]:
        """From the day on."""
        return queryset.filter(at__gte=midnight(value))

    def until(self, queryset: VisitQuerySet, name: str, value: Any) -> QuerySet[Visit]:
        """To the end of the day."""
        return queryset.filter(at__lt=midnight(value + DAY))

    def in_area(self, queryset: VisitQuerySet, name: str, value: str) -> QuerySet[Visit]:
        """Visits to who lives under the area; a code that is none finds nothing."""
        return (
            in_areas(queryset, [area_prefix(value)], "elder__residence_code")
            if AREA.match(value)
            else queryset.none()
        )

    def marked(self, queryset: VisitQuerySet, name: str, value: str) -> QuerySet[Visit]:
        """Records with the mark."""
        return with_mark(queryset, value)
