"""Pages of organisations, councils and capacities: found in any spelling, approved many at once, and people's names kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from geo.models import Assignment, Place
from geo.querysets import system_user
from interventions.models import Capacity, Council, LogEntry, Membership, Need, Organisation, Seat
from interventions.services import (
    MemberSpec,
    OrganisationSpec,
    members_enter,
    membership_apply,
    organisation_apply,
    organisations_review,
)

pytestmark = pytest.mark.django_db

LIST = "/khorramabad/organisations/"
ClientAs = Callable[[str], Client]


def reader(client_as: ClientAs, name: str, language: str = "en") -> Client:
    client = client_as(name)
    client.cookies["django_language"] = language
    return client


def people(count: int, first: int = 0) -> list[Any]:
    users = get_user_model().objects
    return [
        users.create_user(f"zzperson{n:03d}", email=f"zz{n:03d}@example.org", last_name=f"Zzname{n:03d}")
        for n in range(first, first + count)
    ]


def applied(city: Place, count: int) -> list[Organisation]:
    """Organisations that wait, of one founder each; that of the demo waits no more."""
    Organisation.objects.filter(state="applied").update(state="refused")
    return [
        organisation_apply(user=founder, spec=OrganisationSpec(city, "", "ngo", f"سمن نو {n}", f"New Ngo {n}"))
        for n, founder in enumerate(people(count))
    ]


# ---- the list


def test_the_list_says_who_works_here_and_finds_any_spelling(client_as: ClientAs) -> None:
    client = reader(client_as, "anonymous", "fa")
    page = client.get(LIST).content.decode()
    assert "۲۶ سازمان" in page
    assert "سمن همدلان" in page
    for text in ("علي آباد", "علی‌آباد", "علیاباد"):
        found = client.get(LIST, {"q": text})
        names = [view.name for _, views in found.context["groups"] for view in views]
        assert "سمن همدلان" in names, text  # that works in Aliabad
        assert "سمن باران مهر" not in names
    ngos = client.get(LIST, {"kind": "ngo"}).context["groups"]
    assert [len(views) for _, views in ngos] == [10]
    area = client.get(LIST, {"area": "s05"}).content.decode()
    assert "مسجد صاحب‌الزمان" in area
    assert "سمن همدلان" not in area


def test_what_is_asked_wrongly_is_located(client_as: ClientAs) -> None:
    for query in ("kind=bank", "standing=lost", "page=0", "page=x", "page=99999999"):
        answer = client_as("viewer").get(f"{LIST}?{query}")
        assert answer.status_code == 400, query
        assert answer.headers.get("Content-Type", "").startswith("text/html")


def test_counts_are_of_the_work_that_one_may_see(client_as: ClientAs, demo_city: Place) -> None:
    def counts(name: str) -> dict[str, list[str]]:
        groups = reader(client_as, name).get(LIST, {"kind": "ngo"}).context["groups"]
        return {view.name: [text for text, _ in view.counts] for _, views in groups for view in views}

    needs = Need.objects.filter(organisation__code="ngo-hamdelan", state__in=("reported", "confirmed")).count()
    assert f"{needs} needs" in counts("viewer")["Hamdelan Association"]
    assert not any("need" in text for texts in counts("anonymous").values() for text in texts)


# ---- approval


def test_ten_organisations_with_a_hundred_members_are_two_forms(client_as: ClientAs, demo_city: Place) -> None:
    made = applied(demo_city, 10)
    for n, person in enumerate(people(90, 10)):
        membership_apply(user=person, organisation=made[n % 10])
    client = reader(client_as, "supervisor")
    page = client.get(LIST)
    assert page.context["waiting_sentence"] == "10 organisations wait for your approval."
    assert [view.name for view in page.context["waiting"]][:2] == ["New Ngo 0", "New Ngo 1"]
    chosen = [str(one.pk) for one in made]
    answer = client.post(LIST, {"do": "approve", "organisations": chosen}, follow=True)
    assert "10 organisations are approved." in answer.content.decode()
    assert answer.context["waiting_sentence"] == "100 members wait for your approval."
    answer = client.post(LIST, {"do": "approve-members", "bodies": chosen}, follow=True)
    assert "100 members are approved." in answer.content.decode()
    assert answer.context["waiting_sentence"] == ""
    mine = Membership.objects.filter(organisation__in=made)
    assert set(mine.values_list("state", flat=True)) == {"approved"}
    assert Assignment.objects.filter(user__username__startswith="zzperson", role="reporter").count() == 100
    assert LogEntry.objects.filter(subject="membership", event="approve", organisation__in=made).count() == 100


def test_several_are_refused_for_a_reason_or_none_at_all(client_as: ClientAs, demo_city: Place) -> None:
    made = applied(demo_city, 3)
    chosen = [str(one.pk) for one in made]
    client = reader(client_as, "supervisor")
    answer = client.post(LIST, {"do": "refuse", "organisations": chosen, "reason": " "})
    assert answer.status_code == 400
    assert 'id="refuse-reason-wrong"' in answer.content.decode()
    organisations_review(user=system_user(), organisations=made[:1], event="approve")
    answer = client.post(LIST, {"do": "refuse", "organisations": chosen, "reason": "No papers"})
    assert answer.status_code == 409
    assert set(Organisation.objects.filter(pk__in=chosen).values_list("state", flat=True)) == {"approved", "applied"}
    answer = client.post(LIST, {"do": "refuse", "organisations": chosen[1:], "reason": "No papers"})
    assert answer.status_code == 302
    assert LogEntry.objects.filter(event="refuse", note="No papers").count() == 2


@pytest.mark.parametrize("sent", [{}, {"do": "burn"}, {"do": "approve"}, {"do": "approve", "organisations": ["x"]},
    {"do": "approve", "organisations": ["999999999"]}, {"do": "approve-members", "bodies": ["-1"]}])  # fmt: skip
def test_a_form_that_is_wrong_changes_nothing(client_as: ClientAs, sent: dict[str, Any]) -> None:
    before = LogEntry.objects.count()
    answer = client_as("supervisor").post(LIST, sent)
    assert answer.status_code == 400
    assert 'id="refusal"' in answer.content.decode()
    assert LogEntry.objects.count() == before


def test_only_those_who_lead_approve(client_as: ClientAs, demo_city: Place) -> None:
    (made,) = applied(demo_city, 1)
    works = Organisation.objects.get(code="municipality", place=demo_city)
    for name in ("viewer", "reporter", "agency", "analyst", "planner", "planner_elsewhere"):
        client = client_as(name)
        # What waits is nothing that they may know of.
        answer = client.post(LIST, {"do": "approve", "organisations": str(made.pk)})
        assert answer.status_code == 400, name
        assert client.get(f"{LIST}{made.code}/").status_code == 404, name
        assert client.post(f"{LIST}{works.code}/", {"do": "suspend", "reason": "r"}).status_code == 403, name
        assert client.get(f"{LIST}{works.code}/amend/").status_code == 403, name
    made.refresh_from_db()
    works.refresh_from_db()
    assert (made.state, works.state) == ("applied", "approved")


# ---- one organisation


def test_anybody_signed_in_applies_and_is_told_how_it_goes(client_as: ClientAs, demo_city: Place) -> None:
    said = {
        "name_fa": "سمن  ياران", "name_en": "Yaran", "kind": "ngo", "place": demo_city.path, "about_fa": "کمک به کودکان",
    }  # fmt: skip
    client = reader(client_as, "planner_elsewhere")
    answer = client.post(f"{LIST}new/", said | {"name_en": " "})
    assert answer.status_code == 400
    assert "سمن  ياران" in answer.content.decode()  # what was typed stays
    for wrong in ({"kind": "bank"}, {"place": "nowhere"}, {"name_en": "N" * 201}, {"about_fa": "ن" * 2001}):
        assert client.post(f"{LIST}new/", said | wrong).status_code == 400, wrong
    answer = client.post(f"{LIST}new/", said, follow=True)
    made = Organisation.objects.get(name_en="Yaran")
    assert (made.code, made.state, made.name_fa) == ("yaran", "applied", "سمن یاران")
    assert "You have asked to be a member; the supervisor of the place decides." in answer.content.decode()
    again = client.post(f"{LIST}new/", said, follow=True)
    assert again.redirect_chain[-1][0] == f"{LIST}yaran-2/"  # a code of its own
    entered = reader(client_as, "supervisor").post(f"{LIST}new/", said | {"name_en": "Entered"}, follow=True)
    assert "The organisation is entered." in entered.content.decode()
    assert Organisation.objects.get(name_en="Entered").state == "approved"


def test_an_organisation_is_led_by_its_page(client_as: ClientAs, demo_city: Place) -> None:
    client = reader(client_as, "supervisor")
    page = f"{LIST}municipality/"
    assert client.post(page, {"do": "suspend", "reason": ""}).status_code == 400
    assert client.post(page, {"do": "approve"}).status_code == 409
    assert client.post(page, {"do": "suspend", "reason": "Papers"}).status_code == 302
    shown = client.get(page).content.decode()
    assert "suspended" in shown
    assert "Papers" in shown
    assert "Papers" not in client_as("anonymous").get(page).content.decode()
    assert client.post(page, {"do": "restore"}).status_code == 302
    form = client.get(f"{page}amend/")
    values = dict(form.context["typed"].values) | {"about_en": "Roads and parks."}
    assert client.post(f"{page}amend/", values).status_code == 302
    assert "Roads and parks." in client_as("anonymous").get(page).content.decode()


def test_two_of_one_code_have_each_an_address(client_as: ClientAs, demo_city: Place) -> None:
    settlement = Place.objects.get(code="s01", parent=demo_city)
    twin = Organisation.objects.create(place=settlement, code="municipality", kind="ngo", name_fa="ه", name_en="Twin")
    hidden = Organisation.objects.create(place=settlement, code="new", kind="ngo", name_fa="ن", name_en="Newest")
    client = reader(client_as, "anonymous")
    assert client.get(f"{LIST}municipality/").status_code == 404
    for one in (twin, hidden):
        assert f'href="{LIST}{one.pk}/"' in client.get(LIST).content.decode()
        assert one.name_en in client.get(f"{LIST}{one.pk}/").content.decode()


# ---- members


def test_members_come_by_a_table_all_or_none(client_as: ClientAs, demo_city: Place) -> None:
    people(3)
    client = reader(client_as, "supervisor")
    page = f"{LIST}municipality/"
    for table, told in (
        ("", "The table is empty."),
        ("zzperson000\nnobody-like-this", "Line 2: there is no account “nobody-like-this”."),
        ("zzperson000, علي آباد, Atlantis", "Line 1: there is no place “Atlantis”"),
        ("zzperson000\n\nzz000@example.org", "Line 3: this person stands in line 1 already."),
    ):
        answer = client.post(page, {"do": "members-enter", "table": table})
        assert answer.status_code == 400, table
        assert told in answer.context["typed"].wrong["table"].replace("'", "“", 1).replace("'", "”", 1), table
        assert table.split("\n")[0][:11] in answer.content.decode()
    assert not Membership.objects.filter(user__username__startswith="zzperson").exists()
    table = "zzperson000\tعلي آباد\ts02\nZZ001@example.org\nzzperson002؛ماسور"
    answer = client.post(page, {"do": "members-enter", "table": table}, follow=True)
    assert "3 members are approved." in answer.content.decode()
    held = Assignment.objects.filter(user__username__startswith="zzperson", role="agency")
    assert sorted(held.values_list("user__username", "place__code")) == [
        ("zzperson000", "s01"), ("zzperson000", "s02"), ("zzperson001", "khorramabad"), ("zzperson002", "s09"),
    ]  # fmt: skip
    answer = client.post(page, {"do": "members-enter", "table": "zzperson001"})
    assert answer.status_code == 409
    assert answer.context["typed"].wrong["table"].startswith("Line 1: ")


def test_who_does_not_lead_learns_of_no_account(client_as: ClientAs) -> None:
    people(1)
    for table in ("zzperson000", "nobody-like-this"):
        for name in ("viewer", "agency", "planner_elsewhere"):
            answer = client_as(name).post(f"{LIST}municipality/", {"do": "members-enter", "table": table})
            assert answer.status_code == 403, (name, table)
            sent = {
                "do": "seat",
                "council": str(Council.objects.latest("pk").pk),
                "position": "member",
                "account": table,
            }
            assert client_as(name).post("/khorramabad/councils/", sent).status_code == 403, (name, table)


def test_those_ticked_are_approved_with_places_refused_and_ended(client_as: ClientAs, demo_city: Place) -> None:
    body = Organisation.objects.get(code="municipality", place=demo_city)
    pks = [str(membership_apply(user=one, organisation=body).pk) for one in people(4)]
    client = reader(client_as, "supervisor")
    page = f"{LIST}municipality/"
    s01, s02 = (str(Place.objects.get(code=code, parent=demo_city).pk) for code in ("s01", "s02"))
    assert client.post(page, {"do": "members-approve", "members": pks[:2], "places": [s01, s02]}).status_code == 302
    first = Membership.objects.get(pk=pks[0])
    assert sorted(first.places.values_list("code", flat=True)) == ["s01", "s02"]
    assert client.post(page, {"do": "members-refuse", "members": pks[2:]}).status_code == 400  # without a reason
    assert client.post(page, {"do": "members-refuse", "members": pks, "reason": "r"}).status_code == 409
    assert client.post(page, {"do": "members-refuse", "members": pks[2:3], "reason": "r"}).status_code == 302
    assert client.post(page, {"do": "members-waiting"}).status_code == 302
    assert client.post(page, {"do": "members-places", "members": pks[:1], "places": [s02]}).status_code == 302
    assert client.post(page, {"do": "members-contact", "members": pks[:1]}).status_code == 302
    assert client.post(page, {"do": "members-end", "members": pks[1:2]}).status_code == 302
    assert list(Membership.objects.filter(pk__in=pks).order_by("pk").values_list("state", "is_contact")) == [
        ("approved", True), ("ended", False), ("refused", False), ("approved", False),
    ]  # fmt: skip
    for wrong in ({"members": ["x"]}, {"members": []}, {"members": pks[:1], "places": ["999999999"]}):
        assert client.post(page, {"do": "members-approve"} | wrong).status_code == 400, wrong


def test_a_person_asks_and_leaves(client_as: ClientAs, demo_city: Place) -> None:
    client = reader(client_as, "planner_elsewhere")
    page = f"{LIST}municipality/"
    assert "Ask to be a member" in client.get(page).content.decode()
    assert client.post(page, {"do": "leave"}).status_code == 400
    assert client.post(page, {"do": "join"}).status_code == 302
    assert client.post(page, {"do": "join"}).status_code == 409
    assert "You have asked to be a member" in client.get(page).content.decode()
    assert client.post(page, {"do": "leave"}).status_code == 302
    assert client_as("anonymous").post(page, {"do": "join"})["Location"].startswith("/accounts/login/")


def test_names_of_people_are_for_leaders_and_members(
    client_as: ClientAs, demo_city: Place, personas: dict[str, Any]
) -> None:
    body = Organisation.objects.get(code="municipality", place=demo_city)
    member, asking, contact = people(3)
    members_enter(
        user=system_user(),
        organisation=body,
        members=[MemberSpec(one) for one in (member, contact, personas["agency"])],
    )
    membership_apply(user=asking, organisation=body)
    county = Council.objects.get(name_en__startswith="Steering")
    Seat.objects.create(council=county, user=member, position="secretary")
    Seat.objects.create(council=county, user=contact, organisation=body)
    settlement = Place.objects.get(code="s01", parent=demo_city)
    gift = Capacity.objects.create(
        place=settlement, kind="donor", organisation=body, text_en="A gift", contact="Zzname call", reporter=member
    )
    pages = (
        LIST, f"{LIST}municipality/", "/khorramabad/councils/", "/khorramabad/capacities/",
        f"/khorramabad/capacities/{gift.pk}/",
    )  # fmt: skip

    def told(name: str) -> list[str]:
        client = reader(client_as, name)
        found = (client.get(path).content.decode() for path in pages)
        return [path for path, text in zip(pages, found, strict=True) if "Zzname" in text or "zzperson" in text]

    assert told("anonymous") == told("planner_elsewhere") == []
    for name in ("viewer", "reporter", "analyst", "planner"):
        assert told(name) == [], name
    # A member reads the other members and the contact of what the organisation recorded; who asks is nobody's but the leaders'.
    assert told("agency") == [f"{LIST}municipality/", "/khorramabad/capacities/", f"/khorramabad/capacities/{gift.pk}/"]
    assert "Zzname001" not in reader(client_as, "agency").get(f"{LIST}municipality/").content.decode()
    assert told("supervisor") == [
        f"{LIST}municipality/",
        "/khorramabad/capacities/",
        f"/khorramabad/capacities/{gift.pk}/",
    ]
    assert told("administrator") == [path for path in pages if path != LIST]


# ---- councils


def test_the_councils_say_what_waits_and_leaders_give_seats(client_as: ClientAs, demo_city: Place) -> None:
    anonymous = reader(client_as, "anonymous")
    page = anonymous.get("/khorramabad/councils/")
    assert len(page.context["committees"]) == 6
    shown = page.content.decode()
    assert "Khorramabad County Governorate" in shown
    assert "/needs/?" not in shown  # the public does not read single needs
    assert "/khorramabad/needs/?sector=" in client_as("viewer").get("/khorramabad/councils/").content.decode()
    client = reader(client_as, "supervisor")
    said = {"do": "council", "place": demo_city.path, "name_fa": "شورا", "name_en": "City council", "house_en": "Hall"}
    assert client.post("/khorramabad/councils/", said | {"name_fa": ""}).status_code == 400
    assert client.post("/khorramabad/councils/", said).status_code == 302
    council = Council.objects.get(place=demo_city)
    people(1)
    body = Organisation.objects.get(code="municipality", place=demo_city)
    seat = {
        "do": "seat",
        "council": str(council.pk),
        "position": "chair",
        "organisation": str(body.pk),
        "account": "zzperson000",
    }
    for wrong in ({"council": "x"}, {"position": "king"}, {"organisation": "0"}, {"account": "nobody"}, {"committee": "0"},
                  {"organisation": "", "account": ""}):  # fmt: skip
        assert client.post("/khorramabad/councils/", seat | wrong).status_code == 400, wrong
    assert client.post("/khorramabad/councils/", seat).status_code == 302
    assert "Zzname000" in client.get("/khorramabad/councils/").content.decode()
    assert "Zzname000" not in anonymous.get("/khorramabad/councils/").content.decode()
    given = council.seats.get()
    county = Seat.objects.filter(council__name_en__startswith="Steering").first()
    assert county is not None
    assert client.post("/khorramabad/councils/", {"do": "unseat", "seat": str(county.pk)}).status_code == 403
    assert client.post("/khorramabad/councils/", {"do": "unseat", "seat": str(given.pk)}).status_code == 302
    assert client.post("/khorramabad/councils/", {"do": "unseat", "seat": str(given.pk)}).status_code == 400
    assert [one.event for one in LogEntry.objects.filter(subject="council", subject_id=council.pk).order_by("pk")] == [
        "enter", "seat", "unseat",
    ]  # fmt: skip


# ---- capacities


def test_a_capacity_is_recorded_amended_and_withdrawn_by_its_organisation(
    client_as: ClientAs, demo_city: Place, personas: dict[str, Any]
) -> None:
    body = Organisation.objects.get(code="municipality", place=demo_city)
    members_enter(user=system_user(), organisation=body, members=[MemberSpec(personas["agency"])])
    client = reader(client_as, "agency", "fa")
    empty = client.post("/khorramabad/capacities/new/", {"organisation": str(body.pk), "amount": "many"})
    assert empty.status_code == 400
    assert set(empty.context["typed"].wrong) == {"place", "kind", "text_fa", "amount"}
    for name in ("place", "kind", "text_fa", "amount"):
        assert f'id="f-{name}-wrong"' in empty.content.decode(), name
    said = {
        "organisation": str(body.pk), "place": "s01", "kind": "place", "text_fa": "زميني براي بازي", "amount": "۱٬۲۰۰",
        "contact": "شهرداری ۱۲۳", "sectors": ["sport"], "ticket": "0e9c8f8e-5a0b-4c39-8a77-000000000001",
    }  # fmt: skip
    for wrong in (
        {"lon": "48.3", "lat": "x"},
        {"lon": "51.4", "lat": "35.7"},
        {"geometry": "{"},
        {"contact": "ت" * 301},
        {"sectors": ["sport", "castle"]},
        {"place": "nowhere"},
        {"organisation": "999999999"},
        {"ticket": "x"},
    ):
        answer = client.post("/khorramabad/capacities/new/", said | wrong)
        assert answer.status_code == 400, wrong
        assert "زميني براي بازي" in answer.content.decode()  # what was typed stays
    first = client.post("/khorramabad/capacities/new/", said)
    second = client.post("/khorramabad/capacities/new/", said)
    made = Capacity.objects.get(text_fa="زمینی برای بازی")
    assert first["Location"] == second["Location"] == f"/khorramabad/capacities/{made.pk}/"
    assert (made.amount, [sector.code for sector in made.sectors.all()]) == (1200, ["sport"])
    amend = f"/khorramabad/capacities/{made.pk}/amend/"
    assert client.post(amend, said | {"version": "1", "amount": "5"}).status_code == 302
    stale = client.post(amend, said | {"version": "1", "amount": "6"})
    assert stale.status_code == 409
    assert 'name="version" value="2"' in stale.content.decode()
    assert client.post(amend, said | {"version": "2", "amount": "6"}).status_code == 302
    page = f"/khorramabad/capacities/{made.pk}/"
    assert client.post(page, {"do": "burn"}).status_code == 400
    assert client.post(page, {"do": "withdraw"}).status_code == 302
    assert client.post(page, {"do": "withdraw"}).status_code == 409
    assert client.post(page, {"do": "restore"}).status_code == 403
    assert client_as("supervisor").post(page, {"do": "restore"}).status_code == 302


def test_the_public_is_told_how_many_and_no_small_numbers(client_as: ClientAs) -> None:
    page = reader(client_as, "anonymous").get("/khorramabad/capacities/")
    assert {count for _, count, _ in page.context["counts"]} == {"fewer than ten"}
    shown = page.content.decode()
    assert "donor who pays" not in shown
    assert "need-filters" not in shown
    inside = reader(client_as, "viewer").get("/khorramabad/capacities/")
    assert "A donor who pays" in inside.content.decode()
    assert len(inside.context["views"]) == 12
    narrowed = reader(client_as, "viewer").get("/khorramabad/capacities/", {"kind": "people", "area": "s01"})
    assert [view.place for view in narrowed.context["views"]] == ["Aliabad"]
    assert client_as("viewer").get("/khorramabad/capacities/?kind=gold").status_code == 400


def test_a_need_and_a_proposal_lead_to_the_capacities_there(client_as: ClientAs) -> None:
    client = reader(client_as, "viewer")
    need = Need.objects.get(place__code="s01", sector__code="culture", organisation__code="ngo-hamdelan")
    page = client.get(f"/khorramabad/needs/{need.pk}/").content.decode()
    assert "/khorramabad/capacities/?area=s01&amp;sector=culture" in page
    assert "1 capacity recorded here could help." in page
    other = Need.objects.filter(place__code="s10", sector__code="health").first()
    assert (
        other is None
        or "recorded here could help" not in client.get(f"/khorramabad/needs/{other.pk}/").content.decode()
    )
    proposal = next(iter(client.get("/khorramabad/proposals/").context["rows"]))
    assert client.get(f"/khorramabad/proposals/{proposal.pk}/").status_code == 200
