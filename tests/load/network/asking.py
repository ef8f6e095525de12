"""What is asked for: every list, map and matrix of the network, by address and by who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.test import Client

from geo.models import Assignment, Place
from interventions.models import Action, Membership, Need, Organisation, Proposal, Round
from tests.load.network.building import COUNTRY, METROPOLIS

PUBLIC: Final = "public"
_HELD: Final = {
    "ministry": ("supervisor", COUNTRY),
    "governor": ("supervisor", f"{COUNTRY}/p1"),
    "supervisor": ("supervisor", f"{COUNTRY}/p1/c1"),
    "reporter": ("reporter", f"{COUNTRY}/p1/c1/{METROPOLIS}"),
}
"""Who asks, besides the public: each has one role in one place."""


@dataclass(frozen=True, slots=True)
class Question:
    """One address asked for by one person.

    Attributes
    ----------
    body
        What is sent, made anew each time; None for a page that is only read.
    before
        What happens before each time, and is not counted.
    status
        Of the answer.
    """

    address: str
    who: str
    body: Callable[[], Mapping[str, Any]] | None = None
    before: Callable[[], Any] = field(default=lambda: None)
    status: int = 200

    def asked(self, clients: Mapping[str, Client]) -> Any:
        """Ask once and return the answer, read to its end."""
        client = clients[self.who]
        if self.body is None:
            answer = client.get(self.address)
        elif self.address.startswith("/api/"):
            answer = client.post(self.address, self.body(), content_type="application/json")
        else:
            answer = client.post(self.address, self.body())
        if answer.streaming:
            b"".join(answer.streaming_content)
        if answer.status_code != self.status:
            raise AssertionError(f"{self.address} answers {self.who} with {answer.status_code}.")
        return answer


def clients_made() -> dict[str, Client]:
    """Make who asks, each signed in, and all of them Persian readers."""
    clients = {PUBLIC: Client()}
    for name, (role, path) in _HELD.items():
        user = get_user_model().objects.create_user(f"load-{name}")
        Assignment.objects.create(user=user, role=role, place=Place.objects.get(path=path))
        clients[name] = Client()
        clients[name].force_login(user)
        if role == "reporter":
            ngo = Organisation.objects.get(code="ngo", place__path=path.rpartition("/")[0])
            Membership.objects.create(organisation=ngo, user=user, state="approved")
    return clients


def questions() -> Iterator[Question]:
    """Give every question."""
    city = Place.objects.get(code=METROPOLIS)
    province = city.path.rsplit("/", 2)[0]
    rounds = {
        "city": Round.objects.get(place=city),
        "province": Round.objects.get(place__path=province),
    }
    world = SimpleNamespace(city=city, root=f"/{city.code}", rounds=rounds, province=province)
    yield from _of_network(world)
    yield from _of_rounds(world)
    yield from _of_needs(world)
    yield from _of_proposals(world)
    yield from _of_actions(world)
    yield from _of_writing(world)


def _each(who: Iterable[str], *addresses: str) -> Iterator[Question]:
    for address in addresses:
        for one in who:
            yield Question(address, one)


def _of_network(world: SimpleNamespace) -> Iterator[Question]:
    paths = (COUNTRY, world.province, world.city.path.rpartition("/")[0], world.city.path)
    yield Question("/network/", PUBLIC, before=somebody_writes)
    for path in paths:
        for who in (PUBLIC, "ministry", "governor", "supervisor"):
            yield Question(f"/network/{path}/", who, before=somebody_writes)
        yield from _each((PUBLIC, "ministry"), f"/network/{path}/changed/")
    everybody = (PUBLIC, "ministry", "supervisor")
    yield from _each(everybody, *(f"{world.root}/{page}/" for page in ("changed", "organisations", "councils")))
    yield from _each(("ministry", "supervisor"), f"{world.root}/capacities/", f"{world.root}/organisations/ngo/")


def somebody_writes() -> None:
    """Write in two counties, as somebody always has when a page of sums is asked for."""
    for need in Need.objects.filter(place__path__startswith=f"{COUNTRY}/p2/c")[:2]:
        Need.objects.filter(pk=need.pk).update(severity=need.severity)


def _of_rounds(world: SimpleNamespace) -> Iterator[Question]:
    yield from _each((PUBLIC, "ministry", "supervisor"), f"{world.root}/rounds/")
    yield from _each(("supervisor",), f"{world.root}/rounds/open/")
    for round_ in world.rounds.values():
        page = f"{world.root}/rounds/{round_.pk}/"
        yield from _each((PUBLIC, "ministry", "governor", "supervisor"), page)
        yield from _each((PUBLIC,), f"{page}decisions/")
        yield from _each(("governor",), f"{page}decision/", f"{page}decision/?propose=1")


def _of_needs(world: SimpleNamespace) -> Iterator[Question]:
    page, need = f"{world.root}/needs/", Need.objects.filter(round=world.rounds["city"], state="confirmed").first()
    assert need is not None
    yield from _each(("ministry", "supervisor", "reporter"), page, f"{page}?standing=unanswered", f"{page}{need.pk}/")
    yield from _each(
        ("supervisor", "reporter"),
        *(f"{page}?standing={standing}" for standing in ("all", "reported", "confirmed", "rejected", "mine")),
        f"{page}?severity=5",
        f"{page}?sector=load-3",
        f"{page}?area={need.place.code}",
        f"{page}?round={world.rounds['province'].pk}",
        f"{page}?standing=all&page={Need.objects.within(world.city).count() // 50 + 1}",
        f"{page}?q=علي آباد",
        f"{page}?q=هیچ‌جا نیست",
        f"{page}?q={need.pk}",
        f"{page}report/",
        f"/api/v1/cities/{world.city.code}/needs/indicator?place={need.place.code}&service=clinic",
    )


def _of_proposals(world: SimpleNamespace) -> Iterator[Question]:
    page = f"{world.root}/proposals/"
    proposal = Proposal.objects.filter(round=world.rounds["city"], state="submitted").first()
    assert proposal is not None
    yield from _each(
        ("ministry", "supervisor", "reporter"),
        page,
        f"{page}?round={world.rounds['province'].pk}",
        f"{page}{proposal.pk}/",
    )
    yield from _each(("supervisor",), f"{page}new/")


def _of_actions(world: SimpleNamespace) -> Iterator[Question]:
    page = f"{world.root}/actions/"
    action = Action.objects.within(world.city).running().filter(is_public=True).first()
    assert action is not None
    yield from _each(
        (PUBLIC, "ministry", "supervisor"),
        page,
        f"{page}?state=under-way&sector=load-2",
        f"{page}?late=1",
        f"{page}?area={action.place.code}",
        f"{page}{action.pk}/",
        f"{page}export/?format=csv&of=operational_presence",
        f"{page}export/?format=csv&of=humanitarian_needs",
        f"{page}export/",
    )
    yield from _each(("supervisor",), f"{page}new/")


def _of_writing(world: SimpleNamespace) -> Iterator[Question]:
    round_ = world.rounds["city"]
    some = Need.objects.filter(round=round_, state="reported")
    first = some.filter(geometry__isnull=False).select_related("place", "sector").first()
    ngo = Organisation.objects.get(code="ngo", place__path=world.city.path.rpartition("/")[0])
    assert first is not None
    told = {
        "round": round_.pk, "place": first.place.code, "sector": first.sector.code, "organisation": ngo.pk, "approach": "social",
        "severity": 3, "people_affected": 40, "text_fa": "درمانگاه نیست", "geometry": {"type": "Point", "coordinates": first.geometry.coords},
    }  # fmt: skip
    address = f"/api/v1/cities/{world.city.code}/needs"
    yield Question(f"{address}/similar", "reporter", body=lambda: {**told, "ticket": str(uuid4())})
    yield Question(address, "reporter", body=lambda: {**told, "ticket": str(uuid4())}, status=201)

    def reopened() -> None:
        Need.objects.filter(pk=first.pk).update(state="reported")

    page = f"{world.root}/needs/{first.pk}/"
    yield Question(page, "supervisor", body=lambda: {"do": "confirm"}, before=reopened, status=302)
