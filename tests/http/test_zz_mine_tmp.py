"""Only the rows of the catalogue, asked by everybody."""
import pytest
from tests.http.test_access import *
from tests.http.test_access import world, clients, Ask, everybody, answer, hide_things
from tests.http.access_catalogue import catalogue_rows
pytestmark = pytest.mark.django_db
@pytest.mark.parametrize("hidden",[False,True])
def test_mine(world, clients, hidden):
    if hidden: hide_things(world)
    wrong=[]
    for address, asks in catalogue_rows(Ask, everybody).items():
        for ask in asks(world):
            for name, client in clients.items():
                r = answer(client, ask)
                if r.status_code != ask.status[name]:
                    wrong.append(f"{name}: {ask.method} {ask.path} {r.status_code} for {ask.status[name]}")
    assert not wrong, "\n".join(wrong)
from django.test import Client as C
def test_mine_token(world, personas):
    hide_things(world)
    client = C(enforce_csrf_checks=True)
    client.force_login(personas["administrator"])
    for asks in catalogue_rows(Ask, everybody).values():
        for ask in asks(world):
            if ask.method == "POST":
                assert answer(client, ask).status_code == 403, ask.path
