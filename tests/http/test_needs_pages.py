"""Pages and interface of needs and rounds: reported once however often sent, shown before, reviewed, found again, and led."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from geo.models import Place
from geo.querysets import system_user
from interventions.core.transitions import NeedState
from interventions.models import Admission, Evidence, LogEntry, Need, Organisation, Phase, Programme, Round, Sector
from interventions.services import membership_enter, need_review
from interventions.services.evidence import evidence_file_name, evidence_thumbnail_name
from layers.services.files import MOST_BYTES

pytestmark = pytest.mark.django_db


@pytest.fixture
def round_(demo_city: Place) -> Round:
    """The round of the demo city, whose needs are still in time."""
    found = Round.objects.opened().get(place=demo_city)
    for kind, days in (("needs", 20), ("proposals", 90)):
        due = timezone.now() + timedelta(days=days)
        Phase.objects.filter(round=found, kind=kind).update(due_at=due, first_due_at=due)
    return found


@pytest.fixture
def ngo(demo_city: Place, personas: dict[str, Any]) -> Organisation:
    """The organisation for which the reporter reports."""
    found = Organisation.objects.get(code="ngo-hamdelan")
    membership_enter(user=system_user(), organisation=found, person=personas["reporter"])
    return found


def reader(client_as: Callable[[str], Client], name: str, language: str = "en") -> Client:
    client = client_as(name)
    client.cookies["django_language"] = language
    return client


def said(round_: Round, ngo: Organisation, **changes: Any) -> dict[str, Any]:
    return {
        "round": str(round_.pk),
        "organisation": str(ngo.pk),
        "place": "s01",
        "sector": "sport",
        "approach": "social",
        "severity": "4",
        "people_affected": "۱٬۲۰۰",
        "women": "600",
        "text_fa": "زمین بازي براي كودكان نیست",
        "ticket": str(uuid4()),
    } | changes


def body(round_: Round, ngo: Organisation, **changes: Any) -> dict[str, Any]:
    numbers = {"round": round_.pk, "organisation": ngo.pk, "severity": 4, "people_affected": 1200, "women": 600}
    return said(round_, ngo) | numbers | changes


def post(client: Client, path: str, content: Any) -> Any:
    return client.post(path, json.dumps(content), content_type="application/json")


API = "/api/v1/cities/khorramabad/needs"


# ---- reporting


def test_a_need_is_reported_by_the_form(client_as: Callable[[str], Client], round_: Round, ngo: Organisation) -> None:
    client = reader(client_as, "reporter", "fa")
    page = client.get("/khorramabad/needs/report/").content.decode()
    assert f'name="organisation" value="{ngo.pk}"' in page
    answer = client.post("/khorramabad/needs/report/", said(round_, ngo, lon="48.3", lat="x"))
    assert answer.status_code == 400
    assert "زمین بازي" in answer.content.decode()  # what was typed stays
    assert 'id="f-geometry-wrong"' in answer.content.decode()
    answer = client.post("/khorramabad/needs/report/", said(round_, ngo))
    need = Need.objects.latest("pk")
    assert answer["Location"] == f"/khorramabad/needs/{need.pk}/"
    assert (need.people_affected, need.women_affected, need.text_fa) == (1200, 600, "زمین بازی برای کودکان نیست")
    assert need.reporter is not None
    shown = client.get(answer["Location"]).content.decode()
    assert "زمین بازی برای کودکان نیست" in shown
    assert "۱٬۲۰۰ نفر" in shown


def test_faults_stand_beside_their_fields(client_as: Callable[[str], Client], round_: Round, ngo: Organisation) -> None:
    client = reader(client_as, "reporter")
    empty = {"round": str(round_.pk), "organisation": str(ngo.pk)}
    page = client.post("/khorramabad/needs/report/", empty).content.decode()
    for name in ("place", "sector", "approach", "severity", "people_affected", "text_fa"):
        assert f'id="f-{name}-wrong"' in page, name
    many = said(round_, ngo, women="5000")
    answer = client.post("/khorramabad/needs/report/", many)
    assert answer.status_code == 400
    assert "larger than all the people" in answer.content.decode()
    far = said(round_, ngo, lon="51.4", lat="35.7")
    assert "outside" in client.post("/khorramabad/needs/report/", far).content.decode()
    assert not Need.objects.filter(sector__code="sport", place__code="s01", organisation=ngo, severity=4).exists()


def test_what_is_alike_is_shown_before_it_is_sent(
    client_as: Callable[[str], Client], round_: Round, ngo: Organisation
) -> None:
    client = reader(client_as, "reporter")
    first = said(round_, ngo, lon="", lat="")
    client.post("/khorramabad/needs/report/", first)
    number = Need.objects.latest("pk").pk
    again = said(round_, ngo, text_fa="زمین بازی کودکان نداریم")
    page = client.post("/khorramabad/needs/report/", again)
    assert page.status_code == 200
    assert f"/khorramabad/needs/{number}/" in page.content.decode()
    assert 'name="seen" value="1"' in page.content.decode()
    assert Need.objects.latest("pk").pk == number
    assert client.post("/khorramabad/needs/report/", again | {"seen": "1"}).status_code == 302
    assert Need.objects.latest("pk").pk != number
    rows = post(client, f"{API}/similar", body(round_, ngo)).json()["similar"]
    assert number in [row["number"] for row in rows]
    other = post(client, f"{API}/similar", body(round_, ngo, sector="culture", text_fa="کتابخانه نیست")).json()
    assert number not in [row["number"] for row in other["similar"]]


def test_a_report_sent_twice_makes_one_need(
    client_as: Callable[[str], Client], round_: Round, ngo: Organisation
) -> None:
    client = reader(client_as, "reporter")
    content = body(round_, ngo, geometry={"type": "LineString", "coordinates": [[48.3, 33.4], [48.301, 33.401]]})
    place = Place.objects.get(code="s01")
    centre = place.boundaries.current().get().geometry.point_on_surface
    content["geometry"]["coordinates"] = [[centre.x, centre.y], [centre.x + 0.0005, centre.y]]
    first = post(client, API, content)
    assert first.status_code == 201, first.content
    again = post(client, API, content | {"text_fa": "متن دیگر"})
    assert again.status_code == 200
    assert again.json()["number"] == first.json()["number"]
    assert (first.json()["is_new"], again.json()["is_new"]) == (True, False)
    assert Need.objects.filter(ticket=content["ticket"]).count() == 1
    assert Need.objects.get(ticket=content["ticket"]).geometry.geom_type == "LineString"
    assert post(client, f"{API}/similar", content).json() == {"similar": []}
    # Under the ticket of somebody else nothing is told and nothing made.
    taken = post(reader(client_as, "supervisor"), API, content)
    assert (taken.status_code, taken.json()["code"]) == (409, "ticket_taken")


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"ticket": None}, 400, "ticket"),
        ({"severity": 6}, 400, "body.severity"),
        ({"people_affected": "many"}, 400, "body.people_affected"),
        ({"place": "nowhere"}, 400, "need, place"),
        ({"sector": "castle"}, 400, "need, sector"),
        ({"service": "castle"}, 400, "need, service"),
        ({"geometry": {"type": "Castle"}}, 400, "need, geometry"),
        ({"geometry": {"type": "Point", "coordinates": [51.4, 35.7]}}, 400, "need, point"),
        ({"text_fa": ""}, 400, "need"),
    ],
)
def test_the_interface_says_what_is_wrong_and_where(
    client_as: Callable[[str], Client],
    round_: Round,
    ngo: Organisation,
    changes: dict[str, Any],
    status: int,
    where: str,
) -> None:
    answer = post(reader(client_as, "reporter"), API, body(round_, ngo, **changes))
    assert (answer.status_code, answer.json()["where"]) == (status, where), answer.content


def picture(place: bool = True) -> bytes:
    """A photo with the place in it, as a phone takes it."""
    exif = Image.Exif()
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (33.0, 24.0, 18.0), 3: "E", 4: (48.0, 18.0, 18.0)})
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#2a6").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_photos_come_after_a_need_once_and_without_their_place(
    client_as: Callable[[str], Client], need: Need, ngo: Organisation
) -> None:
    Need.objects.filter(pk=need.pk).update(organisation=ngo)
    client, tickets = reader(client_as, "reporter"), [uuid4(), uuid4()]

    def send(ticket: UUID, data: bytes, by: Client = client, query: str = "") -> Any:
        return by.post(f"{API}/{need.pk}/photos/{ticket}?{query}", data, content_type="image/jpeg")

    assert [send(tickets[0], picture()).status_code for _ in range(3)] == [201, 200, 200]
    assert send(tickets[1], picture(), query="title=The+yard&keeps_location=true").json()["is_new"]
    assert send(tickets[1], picture() + bytes(6_000_000)).status_code == 200  # as large as phones make them
    kept = {one.pk: one for one in Evidence.objects.filter(need=need)}
    assert set(kept) == set(tickets)
    assert (kept[tickets[0]].title, kept[tickets[0]].point) == (need.text[:150], None)
    assert kept[tickets[1]].title == "The yard"
    assert kept[tickets[1]].point is not None
    refused = [
        (send(uuid4(), b"no photo"), 400, "unsafe_type"),
        (send(tickets[0], picture(), reader(client_as, "supervisor")), 409, "ticket_taken"),
        (send(uuid4(), picture(), reader(client_as, "viewer")), 403, "role_missing"),
        (send(uuid4(), b"x" * (MOST_BYTES + 200_000)), 413, "file_too_large"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    # Who sees the need sees its photos; nobody else does, nor a photo behind its address.
    small = f"/evidence/{tickets[0]}/small/"
    page = client.get(f"/khorramabad/needs/{need.pk}/").content.decode()
    assert all(f"/evidence/{ticket}/small/" in page for ticket in tickets)
    assert small in reader(client_as, "viewer").get(f"/khorramabad/needs/{need.pk}/").content.decode()
    known = f'"{evidence_thumbnail_name(kept[tickets[0]]).rsplit("/", 1)[-1]}"'
    assert reader(client_as, "viewer").get(small, headers={"if-none-match": known}).status_code == 304
    assert Client().get(small).status_code == 404
    assert "photo-form" not in reader(client_as, "viewer").get(f"/khorramabad/needs/{need.pk}/").content.decode()
    for one in kept.values():
        default_storage.delete(evidence_file_name(one))
        default_storage.delete(evidence_thumbnail_name(one))


def test_a_photo_is_added_without_a_script_and_put_away(client_as: Callable[[str], Client], need: Need) -> None:
    client = reader(client_as, "supervisor")
    path = f"/khorramabad/needs/{need.pk}/"
    page = client.post(f"{path}photos/", {"title": "The yard"})
    assert page.status_code == 400
    assert "No file was chosen." in page.content.decode()
    assert 'value="The yard"' in page.content.decode()
    photo = SimpleUploadedFile("yard.jpg", picture())
    assert client.post(f"{path}photos/", {"file": photo, "title": ""})["Location"] == path
    made = Evidence.objects.get(need=need)
    assert (made.title, made.is_public, made.point) == (need.text[:150], False, None)
    shown = client.get(path).content.decode()
    assert "Show to everybody" not in shown
    answer = client.post(f"/evidence/{made.pk}/change/", {"do": "archive"})
    assert answer["Location"] == path
    assert f"/evidence/{made.pk}/small/" not in reader(client_as, "viewer").get(path).content.decode()
    default_storage.delete(evidence_file_name(made))
    default_storage.delete(evidence_thumbnail_name(made))


def test_after_the_deadline_only_who_is_let_in_reports(
    client_as: Callable[[str], Client], round_: Round, ngo: Organisation
) -> None:
    past = timezone.now() - timedelta(days=1)
    Phase.objects.filter(round=round_, kind="needs").update(due_at=past, first_due_at=past)
    client = reader(client_as, "reporter")
    late = post(client, API, body(round_, ngo))
    assert (late.status_code, late.json()["code"]) == (403, "deadline_passed")
    leader = reader(client_as, "supervisor")
    path = f"/khorramabad/rounds/{round_.pk}/"
    until = timezone.localdate() + timedelta(days=3)
    form = {"do": "admit", "organisation": str(ngo.pk), "phase": "needs", "until": f"{until} 12:00", "reason": "Snow."}
    assert leader.post(path, form).status_code == 302
    assert timezone.localtime(Admission.objects.get().until).strftime("%H:%M:%S") == "12:00:59"
    assert post(client, API, body(round_, ngo)).status_code == 201


# ---- reviewing


@pytest.fixture
def need(round_: Round, ngo: Organisation, client_as: Callable[[str], Client]) -> Need:
    """A need that the reporter reported."""
    post(reader(client_as, "reporter"), API, body(round_, ngo))
    return Need.objects.latest("pk")


def test_a_supervisor_confirms_rejects_with_a_reason_and_reopens(
    client_as: Callable[[str], Client], need: Need
) -> None:
    client, path = reader(client_as, "supervisor"), f"/khorramabad/needs/{need.pk}/"
    page = client.get(path).content.decode()
    assert "test-reporter" in page
    assert client.post(path, {"do": "confirm"}).status_code == 302
    no = client.post(path, {"do": "reject", "reason": " "})
    assert no.status_code == 400
    assert 'id="reject-reason-wrong"' in no.content.decode()
    assert client.post(path, {"do": "reject", "reason": "Told in another round."}).status_code == 302
    need.refresh_from_db()
    assert need.state == NeedState.REJECTED
    assert "Told in another round." in client.get(path).content.decode()
    assert client.post(path, {"do": "reopen"}).status_code == 302
    assert client.post(path, {"do": "reopen"}).status_code == 409
    events = LogEntry.objects.filter(subject="need", subject_id=need.pk).order_by("pk").values_list("event", flat=True)
    assert list(events) == ["report", "confirm", "reject", "reopen"]


def test_a_duplicate_is_merged_into_one_of_those_alike(
    client_as: Callable[[str], Client], round_: Round, ngo: Organisation, need: Need
) -> None:
    post(reader(client_as, "reporter"), API, body(round_, ngo, text_fa="زمین بازی برای کودکان نداریم"))
    second = Need.objects.latest("pk")
    client, path = reader(client_as, "supervisor"), f"/khorramabad/needs/{second.pk}/"
    assert f'name="into" value="{need.pk}"' in client.get(path).content.decode()
    assert client.post(path, {"do": "merge"}).status_code == 400
    assert client.post(path, {"do": "merge", "into": str(need.pk)}).status_code == 302
    second.refresh_from_db()
    assert (second.state, second.merged_into_id) == (NeedState.MERGED, need.pk)
    assert f"/khorramabad/needs/{need.pk}/" in client.get(path).content.decode()
    assert f"#{second.pk}" in client.get(f"/khorramabad/needs/{need.pk}/").content.decode()


def test_a_reporter_amends_on_the_version_that_stands(client_as: Callable[[str], Client], need: Need) -> None:
    client, path = reader(client_as, "reporter"), f"/khorramabad/needs/{need.pk}/amend/"
    page = client.get(path).content.decode()
    assert 'name="version" value="1"' in page
    form = {
        "place": "s01", "sector": "sport", "approach": "social", "severity": "5", "people_affected": "1300",
        "text_fa": "زمین بازی و نیمکت نیست", "version": "1",
    }  # fmt: skip
    assert client.post(path, form).status_code == 302
    need.refresh_from_db()
    assert (need.severity, need.people_affected, need.version) == (5, 1300, 2)
    stale = client.post(path, form | {"text_fa": "متن من", "severity": "2"})
    assert stale.status_code == 409
    shown = stale.content.decode()
    assert "متن من" in shown  # mine is kept
    assert "زمین بازی و نیمکت نیست" in shown  # theirs is shown
    assert 'name="version" value="2"' in shown
    assert client.post(f"/khorramabad/needs/{need.pk}/", {"do": "withdraw"}).status_code == 302
    assert client.get(path).status_code == 403


def test_the_public_sees_no_need_and_members_no_reporter(client_as: Callable[[str], Client], need: Need) -> None:
    path = f"/khorramabad/needs/{need.pk}/"
    assert client_as("anonymous").get(path).status_code == 302
    assert client_as("planner_elsewhere").get(path).status_code == 403
    page = reader(client_as, "viewer").get(path).content.decode()
    assert "test-reporter" not in page
    assert 'name="do"' not in page
    assert client_as("viewer").post(path, {"do": "confirm"}).status_code == 403


def test_the_indicator_that_a_need_would_move_is_told(client_as: Callable[[str], Client], need: Need) -> None:
    from layers.models import Service

    client = reader(client_as, "supervisor")
    answer = client.get(f"{API}/indicator?place=s01&service=pharmacy").json()
    assert re.search(r"people, [\d.]+%, live more than .* from the nearest", answer["sentence"])
    need.service = Service.objects.get(code="pharmacy")
    need.save(update_fields=["service"])
    assert answer["sentence"] in client.get(f"/khorramabad/needs/{need.pk}/").content.decode()
    assert client.get(f"{API}/indicator?place=s01&service=castle").json() == {"sentence": ""}


# ---- the list


def test_the_list_finds_arabic_letters_and_any_spacing(
    client_as: Callable[[str], Client], round_: Round, ngo: Organisation
) -> None:
    client = reader(client_as, "supervisor", "fa")
    post(client, API, body(round_, ngo, text_fa="پل علی\u200cآباد شکسته است"))
    number = Need.objects.latest("pk").pk
    for text in ("علي آباد شكسته", "علی\u200cآباد", "علیآباد", f"#{number}", str(number)):
        page = client.get("/khorramabad/needs/", {"q": text}).content.decode()
        assert f"/khorramabad/needs/{number}/" in page, text
    assert f"/khorramabad/needs/{number}/" not in client.get("/khorramabad/needs/", {"q": "کتابخانه"}).content.decode()


def test_the_list_is_narrowed(client_as: Callable[[str], Client], demo_city: Place) -> None:
    client = reader(client_as, "viewer")

    def found(**asked: str) -> set[int]:
        page = client.get("/khorramabad/needs/", asked).content.decode()
        return {int(number) for number in re.findall(r'href="/khorramabad/needs/(\d+)/"', page)}

    def there(**asked: Any) -> set[int]:
        return set(Need.objects.within(demo_city).filter(**asked).values_list("pk", flat=True))

    open_ = ["reported", "confirmed"]
    assert found() == there(state__in=open_)
    assert found(area="s03") == there(place__code="s03", state__in=open_)
    assert found(sector="health", severity="4") == there(sector__code="health", severity__gte=4, state__in=open_)
    assert found(standing="confirmed") == there(state="confirmed")
    assert found(area="nowhere") == set()
    unanswered = found(standing="unanswered")
    assert unanswered
    assert not Need.objects.filter(pk__in=unanswered, proposals__state__in=["submitted", "accepted"]).exists()


# ---- rounds


def test_a_round_tells_deadlines_in_the_readers_calendar(client_as: Callable[[str], Client], round_: Round) -> None:
    due = datetime(2126, 4, 20, 20, 29, 59, tzinfo=UTC)  # 31 Farvardin 1505, 23:59:59 in Tehran
    Phase.objects.filter(round=round_, kind="needs").update(due_at=due, first_due_at=due)
    Phase.objects.filter(round=round_, kind="proposals").update(due_at=due + timedelta(days=30))
    path = f"/khorramabad/rounds/{round_.pk}/"
    persian = reader(client_as, "anonymous", "fa").get(path).content.decode()
    assert "۳۱ فروردین ۱۵۰۵، ساعت ۲۳:۵۹" in persian
    assert "20 April 2126, 23:59" in reader(client_as, "anonymous").get(path).content.decode()
    assert "ngo" not in persian
    assert "duties-title" not in persian
    assert "duties-title" in reader(client_as, "viewer").get(path).content.decode()


def test_deadlines_are_moved_with_a_reason_in_either_calendar(
    client_as: Callable[[str], Client], round_: Round
) -> None:
    client, path = reader(client_as, "supervisor", "fa"), f"/khorramabad/rounds/{round_.pk}/"
    first = Phase.objects.get(round=round_, kind="needs").due_at
    Phase.objects.filter(round=round_, kind="proposals").update(due_at=datetime(2127, 1, 1, tzinfo=UTC))
    page = client.get(path).content.decode()
    typed = dict(re.findall(r'name="(\w+_due)" value="([^"]*)"', page)) | {
        "reason": "برف",
        "needs_due": "۱۴۰۵/۱۰/۰۵ ۲۳:۵۹",
    }
    disordered = client.post(path, {"do": "extend", **typed}).content.decode()
    assert "مهلت مرحلهٔ «ارزیابی» پس از مهلت مرحلهٔ «پیشنهادها» نیست" in disordered
    Phase.objects.filter(round=round_, kind__in=("assessment", "decision")).delete()
    Phase.objects.filter(round=round_, kind="proposals").update(due_at=datetime(2127, 1, 1, tzinfo=UTC))
    page = client.get(path).content.decode()
    shown = dict(re.findall(r'name="(\w+_due)" value="([^"]*)"', page))
    no_reason = client.post(path, {"do": "extend", **shown, "needs_due": "۱۵۰۵/۰۱/۳۱ ۲۳:۵۹", "reason": ""})
    assert no_reason.status_code == 400
    assert "۱۵۰۵/۰۱/۳۱ ۲۳:۵۹" in no_reason.content.decode()  # what was typed stays
    assert 'id="extend-reason-wrong"' in no_reason.content.decode()
    wrong = client.post(path, {"do": "extend", **shown, "needs_due": "۱۵۰۵/۱۳/۰۱", "reason": "برف"})
    assert 'id="extend-needs_due-wrong"' in wrong.content.decode()
    answer = client.post(path, {"do": "extend", **shown, "needs_due": "۱۵۰۵/۰۱/۳۱ ۲۳:۵۹", "reason": "برف سنگین"})
    assert answer.status_code == 302, answer.content.decode()
    phase = Phase.objects.get(round=round_, kind="needs")
    assert phase.due_at == datetime(2126, 4, 20, 20, 29, 59, tzinfo=UTC)
    assert phase.first_due_at == first
    after = client.get(path).content.decode()
    assert "<del>" in after
    assert "برف سنگین" in after
    public = reader(client_as, "anonymous", "fa").get(path).content.decode()
    assert "<del>" in public
    assert "برف سنگین" not in public
    nothing = client.post(
        path, {"do": "extend", **dict(re.findall(r'name="(\w+_due)" value="([^"]*)"', after)), "reason": "x"}
    )
    assert nothing.status_code == 400


def test_late_organisations_come_first(client_as: Callable[[str], Client], round_: Round, ngo: Organisation) -> None:
    past = timezone.now() - timedelta(days=2)
    Phase.objects.filter(round=round_, kind="needs").update(due_at=past, first_due_at=past)
    Need.objects.filter(organisation=ngo).delete()
    page = reader(client_as, "supervisor").get(f"/khorramabad/rounds/{round_.pk}/").content.decode()
    rows = re.findall(r'<tr class="(is-\w+)"><th scope="row">([^<]+)</th>', page)
    assert rows[0][0] == "is-late"
    late = [name for css, name in rows if css == "is-late"]
    assert ngo.name_en in late
    assert [css for css, _ in rows] == sorted((css for css, _ in rows), key=lambda css: css != "is-late") or late


def test_a_round_is_opened_and_closed(client_as: Callable[[str], Client], round_: Round, demo_city: Place) -> None:
    client = reader(client_as, "supervisor", "fa")
    programme = Programme.objects.create(place=demo_city, code="more", name_fa="برنامهٔ دیگر", name_en="Another")
    page = client.get("/khorramabad/rounds/open/").content.decode()
    value = f"{programme.pk}/{demo_city.pk}"
    assert f'value="{value}"' in page
    form = {
        "programme": value, "name_fa": "دور تازه", "needs_due": "۱۵۰۵/۰۱/۳۱", "proposals_due": "1505/02/31 12:00",
        "areas": ["s01", "s02"], "approaches": ["social"], "budget": "۲۵٬۰۰۰٬۰۰۰٬۰۰۰",
    }  # fmt: skip
    wrong = client.post("/khorramabad/rounds/open/", form | {"proposals_due": "1505/01/01"})
    assert wrong.status_code == 400
    assert 'id="open-proposals_due-wrong"' in wrong.content.decode()
    assert "دور تازه" in wrong.content.decode()
    answer = client.post("/khorramabad/rounds/open/", form)
    made = Round.objects.latest("pk")
    assert answer["Location"] == f"/khorramabad/rounds/{made.pk}/"
    assert made.phases.get(kind="needs").due_at == datetime(2126, 4, 20, 20, 29, 59, tzinfo=UTC)
    assert made.budget_irr == 25_000_000_000
    assert {area.code for area in made.areas.all()} == {"s01", "s02"}
    assert client.post(answer["Location"], {"do": "close"}).status_code == 302
    assert client.post(answer["Location"], {"do": "close"}).status_code == 400
    made.refresh_from_db()
    assert made.closed_at is not None
    assert client_as("viewer").post(answer["Location"], {"do": "close"}).status_code == 403


def test_the_matrix_counts_what_stands(
    client_as: Callable[[str], Client], round_: Round, need: Need, personas: dict[str, Any]
) -> None:
    client = reader(client_as, "supervisor")

    def row() -> list[str]:
        page = client.get(f"/khorramabad/rounds/{round_.pk}/").content.decode()
        area = re.search(rf"area={need.place.code}\">.*?</tr>", page, re.DOTALL)
        assert area
        return re.findall(r'<td class="num">(?:<a [^>]*>)?([^<]*)<', area.group())

    open_ = Need.objects.filter(round=round_, place=need.place, state__in=["reported", "confirmed"])
    before = row()
    assert before[0] == str(open_.count())
    need_review(user=personas["supervisor"], need=need, event="reject", reason="no")
    assert row()[0] == str(open_.count()) == str(int(before[0]) - 1)
    assert Sector.objects.exists()


def test_each_number_of_the_matrices_leads_to_as_many_needs(
    demo_city: Place, client_as: Callable[[str], Client]
) -> None:
    client = client_as("supervisor")
    client.cookies["django_language"] = "en"
    round_ = Round.objects.filter(place=demo_city).earliest("pk")
    followed = 0
    for page in (f"/khorramabad/rounds/{round_.pk}/", "/khorramabad/actions/"):
        text = client.get(page).content.decode()
        for query, told in re.findall(r'<td[^>]*>(?:<a href="/khorramabad/needs/\?([^"]*)">([^<]+)</a>)', text):
            # "1 of 2 needs answered" leads to the two; "1 of 2" without a decision to the one.
            first, _, last = told.replace(",", "").partition(" of ")
            expected = int((last or first) if "rounds" in page else first)
            listed = client.get(f"/khorramabad/needs/?{html.unescape(query)}").content.decode()
            heading = re.search(r"<h1[^>]*>(\d+) need", listed)
            assert heading, (page, query)
            assert int(heading[1]) == expected, (page, query)
            followed += 1
    assert followed > 80, followed
    public = Client().get(f"/khorramabad/rounds/{round_.pk}/").content.decode()
    assert "/needs/?" not in public, "the public has no list of needs"
