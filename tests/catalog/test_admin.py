"""The list in the admin is there to look at."""

import pytest
from django.test import Client

from catalog.models import Item
from catalog.services.pack import pack_load
from organization.models import User
from tests.catalog.packs import pack

pytestmark = pytest.mark.django_db
MODELS = ("document", "item", "datedvalue", "exclusiongroup", "visittier", "target")


@pytest.fixture
def administrator() -> Client:
    """A signed-in superuser of a system with the small list."""
    pack_load(pack=pack())
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_offers_nothing_to_add(administrator: Client, model: str) -> None:
    page = administrator.get(f"/admin/catalog/{model}/")
    assert page.status_code == 200
    assert administrator.get(f"/admin/catalog/{model}/add/").status_code == 403


def test_an_item_shows_its_versions_with_period_standard_and_bureaus(administrator: Client) -> None:
    page = administrator.get(f"/admin/catalog/item/{Item.objects.get(code='A1').pk}/change/").content.decode()
    for text in ("2024-01-01 起", "不低于 50", "县财政局", "年龄 &gt;= 高龄"):
        assert text in page


def test_a_published_item_cannot_be_changed(administrator: Client) -> None:
    item = Item.objects.get(code="A1")
    assert administrator.post(f"/admin/catalog/item/{item.pk}/change/", {"name": "别名"}).status_code == 403
    assert administrator.post(f"/admin/catalog/item/{item.pk}/delete/", {"post": "yes"}).status_code == 403
