"""The page on which a former release is brought back: what would change is shown first, and who may, does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from layers.models import Layer, Release
from tests.http.test_catalogue import layer_made, page, release_made, words

pytestmark = pytest.mark.django_db

ClientAs = Callable[[str], Client]
PATH = "/khorramabad/layers/comes-back/"


@pytest.fixture
def layer(demo_city: Any) -> Layer:
    made = layer_made(demo_city, "comes-back")
    release_made(made, 1, 6)
    release_made(made, 2, 4)
    return made


@pytest.mark.parametrize("language", ["en", "fa"])
def test_it_is_shown_first_and_then_done(layer: Layer, client_as: ClientAs, language: str) -> None:
    client = client_as("analyst")
    listed = page(client, PATH, language)
    assert f"{PATH}releases/1/restore/" in listed
    assert f"{PATH}releases/2/restore/" not in listed
    shown = page(client, f"{PATH}releases/1/restore/", language)
    if language == "en":
        assert "as release 3, just as release 1 was" in words(shown)
        assert "2 added" in words(shown)
    assert Release.objects.filter(layer=layer).count() == 2, "looking changes nothing"
    answer = client.post(f"{PATH}releases/1/restore/", {"seen": "2"})
    assert (answer.status_code, answer["Location"]) == (302, PATH)
    made = layer.releases.get(number=3)
    assert (made.row_count, made.how["restored"]) == (6, 1)
    after = page(client, PATH, language)
    if language == "en":
        assert "Release 3 of the layer is now as release 1 was." in words(after)
        assert "as release 1 was" in words(after)


def test_what_cannot_be_done_is_said(layer: Layer, client_as: ClientAs) -> None:
    client = client_as("planner")
    client.cookies["django_language"] = "en"
    at = f"{PATH}releases/1/restore/"
    for seen in ("", "1", "x", "-1", "9" * 40, "²"):
        answer = client.post(at, {"seen": seen})
        assert answer.status_code == 409
        assert "Another release was stored while you were looking" in answer.content.decode()
        assert 'name="seen" value="2"' in answer.content.decode(), "with what is there now, one may decide again"
    answer = client.get(f"{PATH}releases/2/restore/")
    assert answer.status_code == 409
    assert "holds the same already" in answer.content.decode()
    assert 'name="seen"' not in answer.content.decode()
    assert client.get(f"{PATH}releases/7/restore/").status_code == 404
    assert client.get(f"{PATH}releases/{'9' * 30}/restore/").status_code == 404
    client.post(f"{PATH}archive/", {"do": "archive"})
    assert f"{PATH}releases/1/restore/" not in page(client, PATH)
    assert client.post(at, {"seen": "2"}).status_code == 409
    assert client.put(at).status_code == 405
    assert layer.releases.count() == 2


def test_it_is_offered_to_those_who_may_bring_data(layer: Layer, client: Client, client_as: ClientAs) -> None:
    at = f"{PATH}releases/1/restore/"
    assert "/restore/" not in page(client, PATH)
    assert client.get(at).status_code == 302
    for name, status in (("viewer", 403), ("supervisor", 403), ("planner_elsewhere", 403), ("administrator", 200)):
        assert client_as(name).get(at).status_code == status, name
        assert (client_as(name).post(at, {"seen": "2"}).status_code == 403) is (status == 403)
