"""The county's list on its pages, and the guide."""

from django.test import Client
from django.urls import reverse

from organization.models import Area, User
from portal.views.guide import guide_pages, page_of
from subsidies.models import Month
from tests.conftest import COUNTY
from tests.portal.conftest import SignIn, an_item


def items(client: Client) -> list[str]:
    """Codes on the list's page."""
    return [row.version.item.code for row in client.get("/items/").context["rows"]]


def test_the_list_shows_the_items_in_printed_order(sign_in: SignIn, clerk_a: User, month: Month) -> None:
    assert sorted(items(sign_in(clerk_a))) == ["A1", "A2", "A3", "A4"]


def test_a_county_without_a_list_says_how_to_get_one(sign_in: SignIn, clerk_a: User) -> None:
    assert "还没有有效的服务清单" in sign_in(clerk_a).get("/items/").content.decode()


def test_an_item_shows_rule_and_official_source_side_by_side(
    sign_in: SignIn, clerk_a: User, month: Month
) -> None:
    response = sign_in(clerk_a).get(reverse("portal:item-detail", args=[an_item("A1").pk]))
    text = response.content.decode()
    assert "文件怎么写" in text
    assert "年龄 ≥ 80" in text
    assert "第1项" in text


def test_an_item_of_another_county_does_not_exist(sign_in: SignIn, clerk_a: User, month: Month) -> None:
    item = an_item("A1")
    item.document.area = Area.objects.create(code="530399000000", name="邻县")
    item.document.save()
    url = reverse("portal:item-detail", args=[item.pk])
    assert sign_in(clerk_a).get(url).status_code == 404
    assert not item.document.area_id.startswith(COUNTY[:6])


def test_the_guide_has_a_page_for_every_screen() -> None:
    slugs = [page.slug for page in guide_pages()]
    assert slugs == [
        "start",
        "elders",
        "record",
        "import",
        "month",
        "list",
        "payment",
        "application",
        "certification",
        "recovery",
        "papers",
        "phone",
        "visits",
        "rates",
        "followup",
        "callback",
    ]


def test_each_page_of_the_guide_opens(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    for page in guide_pages():
        assert page.title in client.get(reverse("portal:guide-page", args=[page.slug])).content.decode()


def test_a_page_of_the_guide_that_is_not_there_is_not_found(sign_in: SignIn, clerk_a: User) -> None:
    assert sign_in(clerk_a).get(reverse("portal:guide-page", args=["nothing"])).status_code == 404


def test_a_page_is_read_into_headings_lists_and_paragraphs() -> None:
    page = page_of("x", "# 题\n\n一段\n话\n\n## 节\n- 甲\n- 乙\n\n1. 先\n2. 后\n")
    assert page.title == "题"
    assert [(block.kind, block.lines) for block in page.blocks] == [
        ("paragraph", ("一段话",)),
        ("heading", ("节",)),
        ("bullets", ("甲", "乙")),
        ("steps", ("先", "后")),
    ]
