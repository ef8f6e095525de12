"""What all tests stand on: a throwaway PostGIS cluster, both cities loaded once, and people with roles.

A missing part fails. Only the real data that users lack may be absent, which is said in one line; under CI=true that is a failure too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.environment import CLUSTER, REAL_DATA, ROOT, VAR


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of real data where there are none, saying so; under CI=true they stay and fail."""
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


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data."""
    assert REAL_DATA.is_dir(), f"There are no real data at {REAL_DATA}."
    return REAL_DATA


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city's files, built once for all tests."""
    from fixtures.khorramabad.build import build

    folder = tmp_path_factory.mktemp("demo")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, demo_files: Path) -> Iterator[None]:
    """Load the taxonomy, the demo city and, where its data are, São Vicente into the test database, once."""
    from config.loading import city_load, taxonomy_load
    from config.people import demo_people_put
    from geo.models import Place
    from interventions.loading import network_load

    with django_db_blocker.unblock():
        taxonomy_load()
        city_load(ROOT / "fixtures" / "cities" / "khorramabad.toml", data=demo_files)
        if REAL_DATA.is_dir():
            city_load(ROOT / "fixtures" / "cities" / "sao-vicente.toml", data=REAL_DATA / "sao_vicente")
        network_load(Place.objects.get(kind="city", code="khorramabad"), ROOT / "fixtures/khorramabad/network.toml")
        demo_people_put(password="a-password-for-tests-only")  # noqa: S106
    return


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
def personas(db: None) -> dict[str, Any]:
    """People by what they may do; all but the last two have their role in Khorramabad."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import AnonymousUser

    from geo.models import Assignment, Place

    users = get_user_model().objects
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
    people: dict[str, Any] = {"anonymous": AnonymousUser()}
    for role in ("viewer", "reporter", "agency", "analyst", "planner", "supervisor"):
        user = users.create_user(f"test-{role}", password=None)
        Assignment.objects.create(user=user, role=role, place=city)
        people[role] = user
    people["planner_elsewhere"] = users.create_user("test-planner-elsewhere", password=None)
    Assignment.objects.create(user=people["planner_elsewhere"], role="planner", place=elsewhere)
    people["administrator"] = users.create_superuser("test-administrator", password=None)
    return people


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
