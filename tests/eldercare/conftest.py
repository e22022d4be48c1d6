"""Areas for rosters: two townships, a village name that both have, one township name short and long."""

import pytest
from django.conf import LazySettings

from organization.models import Area


@pytest.fixture
def villages(db: None, county: Area) -> Area:
    """The fixed county and more villages."""
    for code, name in (
        ("530322101202", "城东社区"),
        ("530322101203", "东门村委会"),
        ("530322102202", "东门村委会"),
        ("530322102203", "下坝村民委员会"),
    ):
        Area.objects.create(code=code, name=name, parent_id=f"{code[:9]}000")
    return county


@pytest.fixture(autouse=True)
def _private_files(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")
