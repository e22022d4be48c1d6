"""Server time of the list of elders, filters and searches mixed, through Django's test client."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.county import SEED
from benchmarks.database import bench_database
from benchmarks.report import figures, introduce, say
from eldercare.models import Elder
from organization.choices import Role
from organization.models import Assignment, User
from portal.demo.areas import COUNTY
from portal.demo.chance import chance
from portal.filtersets import CHIPS

REQUESTS: Final = 200
WARM_UP: Final = 10
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
# what a production process would have: no query log, static files as they are
LIKE_PRODUCTION: Final = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["testserver"],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}
Visit = tuple[str, Callable[[Client], Any]]


def pages_benchmark(*, elders: int) -> dict[str, Any]:
    """Return the 95th percentile of the list's server time in seconds, and the most queries that one request made."""
    with bench_database() as database:
        introduce(database)
        say(f"preparing {elders:,} elders")
        database.step("benchmarks.county:county_prepare", elders=elders)
        measured = database.step(f"{__name__}:run")
    found: dict[str, Any] = measured.result
    return figures("pages", {"elders": elders}, found.pop("p95"), {}, measured.peak_mb) | found


@override_settings(**LIKE_PRODUCTION)
def run() -> dict[str, Any]:
    """Sign a clerk of the county in and look at the list in many ways."""
    client = _signed_in()
    visits = list(itertools.islice(_visits(chance(SEED, "pages")), REQUESTS))
    for _, visit in visits[:WARM_UP]:
        visit(client)
    seconds: dict[str, list[float]] = {}
    for kind, visit in visits:
        started = time.perf_counter()
        visit(client)
        seconds.setdefault(kind, []).append(time.perf_counter() - started)
    every = sorted(itertools.chain.from_iterable(seconds.values()))
    for kind, taken in seconds.items():
        say(
            f"{kind}: {len(taken)} requests, median {statistics.median(taken):.3f} s, slowest {max(taken):.3f} s"
        )
    return {
        "p95": round(statistics.quantiles(every, n=20)[-1], 4),
        "median": round(statistics.median(every), 4),
        "slowest": round(every[-1], 4),
        "requests": len(every),
        "queries": max(_queries(client, visit) for kind, visit in visits if not kind.startswith("search")),
    }


def _signed_in() -> Client:
    user = User.objects.create_user("bench-clerk")
    Assignment.objects.create(user=user, role=Role.BUREAU_CLERK, area_id=COUNTY)
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def _queries(client: Client, visit: Callable[[Client], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        visit(client)
    return len(captured)


def _visits(random: Random) -> Iterator[Visit]:
    """Requests as clerks make them, without end."""
    some = list(
        Elder.objects.order_by("id_last4").values("pk", "name", "pinyin", "id_last4", "hukou_code")[:500]
    )
    while True:
        elder = random.choice(some)
        code, initials = elder["hukou_code"], elder["pinyin"].split()[0]
        chip, other = (value for value, _ in random.sample(CHIPS, 2))
        age = random.randint(60, 95)
        yield "first page", _list()
        yield "a page in the middle", _list(after=elder["pk"], **{"from": 51})
        yield "township", _list(area=f"{code[:9]}000")
        yield "village", _list(area=code)
        yield "ages", _list(age_from=age, age_to=age + 4)
        yield "circumstance", _list(has=chip)
        yield "two circumstances in a township", _list(area=f"{code[:9]}000", has=[chip, other])
        yield "the dead", _list(state="dead")
        yield "last page", _list(page="last")
        yield "search by name", _find(elder["name"])
        yield "search by initials", _find(initials)
        yield "search by last four digits", _find(elder["id_last4"])
        yield (
            "search in a township with a circumstance",
            _find(elder["name"][:1], area=f"{code[:9]}000", has=chip),
        )


def _list(**query: Any) -> Callable[[Client], Any]:
    def visit(client: Client) -> None:
        _expect(client.get(reverse("portal:elder-list"), query, secure=True).status_code, 200)

    return visit


def _find(text: str, **query: Any) -> Callable[[Client], Any]:
    """Post the search and follow to the list; both requests count."""

    def visit(client: Client) -> None:
        answer = client.post(reverse("portal:elder-find"), {"q": text, **query}, secure=True)
        _expect(answer.status_code, 302)
        _expect(client.get(answer["Location"], secure=True).status_code, 200)

    return visit


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"expected {wanted}, got {status}")
