"""What all tests stand on: a database with both cities, copied from the one that was loaded once, and people with roles.

A missing part fails. Only the real data that users lack may be absent, which is said in one line; under CI=true that is a failure too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.environment import CLUSTER, REAL_DATA, VAR, WORKER
from tests.prepared import LOADED, demo_folder, make_once, rasters_copy


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first where workers share them; leave out the tests of real data where there are none.

    What is left out is said; under CI=true it stays and fails.
    """
    if WORKER:
        place = {file: number for number, file in enumerate(FIRST)}
        items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))
    if REAL_DATA.is_dir() or os.environ.get("CI") == "true":
        return
    needs = [
        item
        for item in items
        if "real_data" in getattr(item, "fixturenames", ()) or "sao_vicente" in getattr(item, "fixturenames", ())
    ]
    if needs:
        config.hook.pytest_deselected(items=needs)
        items[:] = [item for item in items if item not in needs]
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            reporter.write_line(
                f"No real data at {REAL_DATA}: {len(needs)} tests that need them are left out (set MAHALLEH_DATA)."
            )


FIRST = (
    "tests/browser/test_workbench.py",
    # Makes a cluster of its own: it runs while the other worker makes what all the others copy.
    "tests/benchmarks/test_benchmarks_run.py",
    "tests/http/test_access.py",
    # These wait for processes that are killed and started again.
    "tests/db/test_worker.py",
    "tests/db/test_national.py",
    "tests/db/test_workbench_load.py",
    "tests/db/test_imports_killed.py",
    "tests/browser/test_imports.py",
    "tests/browser/test_main_job.py",
    "tests/browser/test_what_if.py",
    "tests/db/test_workbench_properties.py",
    "tests/browser/test_workbench_touch.py",
    "tests/browser/test_workbench_review.py",
    "tests/browser/test_catalogue.py",
    "tests/http/test_odd_towns.py",
    "tests/unit/layers/test_hostile_sizes.py",
    "tests/http/test_ogc.py",
    "tests/db/test_loading.py",
    "tests/http/test_measures_pages.py",
    "tests/http/test_tiles.py",
    "tests/db/test_coverage.py",
    "tests/unit/layers/test_reading_streams.py",
    "tests/http/test_workbench_hostile.py",
    "tests/http/test_ogc_writing.py",
    "tests/http/test_ogc_clients.py",
    "tests/http/test_published.py",
    "tests/http/test_pages.py",
    "tests/unit/geo/test_partition.py",
    "tests/browser/test_published_offline.py",
)
"""Files that take long, the longest first: begun last, one would keep a worker busy when all else is over."""
SEPARABLE = {"tests/db/test_workbench_properties.py"}
"""Files whose tests share nothing that is dear to make: each test may go to another worker."""


class LongestFirst(LoadFileScheduling):
    """Gives workers whole files, as ``--dist loadfile`` does, in the order of collection; of some files, single tests."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid.partition("[")[0] if file in SEPARABLE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Spread the tests over the workers so that all have something to do until the end."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return LongestFirst(config, log)


@pytest.fixture(autouse=True)
def _no_network(socket_disabled_outside: None) -> None:
    """Block every connection but those to this machine."""


@pytest.fixture
def socket_disabled_outside() -> Iterator[None]:
    """Allow Unix sockets and loopback alone."""
    import pytest_socket

    pytest_socket.socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture(scope="session", autouse=True)
def _loaded_once() -> Iterator[None]:
    """Let all test clients of a process use the middleware that the first has loaded, as all requests to a server do.

    Django loads it for each client anew, and with it WhiteNoise looks through all static files: longer than most requests take.
    """
    from django.test.client import ClientHandler

    load = ClientHandler.load_middleware
    loaded: dict[str, Any] = {}

    def load_once(handler: ClientHandler) -> None:
        if not loaded:
            load(handler)
            names = ("_middleware_chain", "_view_middleware", "_template_response_middleware", "_exception_middleware")
            loaded.update((name, getattr(handler, name)) for name in names)
        vars(handler).update(loaded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", load_once)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data."""
    assert REAL_DATA.is_dir(), f"There are no real data at {REAL_DATA}."
    return REAL_DATA


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city's files, as the first start of the demonstration built them."""
    return Path(shutil.copytree(demo_folder(), tmp_path_factory.mktemp("demo") / "files"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Let the test database be a copy of the one that has the taxonomy, the demo city and, where its data are, São Vicente."""
    from django.db import connection

    make_once(LOADED)
    rasters_copy(LOADED, VAR)
    connection.settings_dict["TEST"]["TEMPLATE"] = LOADED


@pytest.fixture
def demo_city(db: None) -> Any:
    """The demo city."""
    from geo.models import Place

    return Place.objects.get(kind="city", code="khorramabad")


@pytest.fixture
def sao_vicente(db: None, real_data: Path) -> Any:
    """The real city."""
    from geo.models import Place

    return Place.objects.get(kind="city", code="sao-vicente")


@pytest.fixture
def no_files_left(db: None) -> Iterator[None]:
    """Take away what a test leaves in the folder of uploads."""
    from layers.models import Upload
    from layers.services.uploads import folder_remove, incoming_folder

    yield
    for upload in Upload.objects.all():
        folder_remove(upload.pk)
    for part in incoming_folder().iterdir():
        part.unlink()


@pytest.fixture
def personas(db: None) -> dict[str, Any]:
    """People by what they may do; all but the last two have their role in Khorramabad."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import AnonymousUser

    from geo.models import Assignment, Place

    user = get_user_model()
    city = Place.objects.get(kind="city", code="khorramabad")
    elsewhere, _ = Place.objects.get_or_create(
        path="zz",
        defaults={
            "code": "zz",
            "kind": "country",
            "name_fa": "جای دیگر",
            "name_en": "Elsewhere",
            "search_name": "elsewhere",
        },
    )
    roles = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor")
    names = (*roles, "planner_elsewhere", "administrator")
    people = {name: user(username=f"test-{name.replace('_', '-')}", password=make_password(None)) for name in names}
    people["administrator"].is_superuser = people["administrator"].is_staff = True
    user.objects.bulk_create(people.values())  # at once: hundreds of tests begin with these people
    Assignment.objects.bulk_create(
        [Assignment(user=people[role], role=role, place=city) for role in roles]
        + [Assignment(user=people["planner_elsewhere"], role="planner", place=elsewhere)]
    )
    return {"anonymous": AnonymousUser(), **people}


@pytest.fixture
def client_as(personas: dict[str, Any]) -> Callable[[str], Any]:
    """Return a function that gives a Django test client signed in as a persona."""
    from django.test import Client

    def client(name: str) -> Any:
        made = Client()
        if name != "anonymous":
            made.force_login(personas[name])
        return made

    return client


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make sure that nothing but the throwaway cluster can be written to."""
    from django.conf import settings

    assert str(CLUSTER.socket_dir) == settings.DATABASES["default"]["HOST"]
    assert settings.VAR_DIR == VAR
