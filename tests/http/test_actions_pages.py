"""Pages of actions: what everybody is told, what people with a role may do there, files with the names of HDX HAPI."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from geo.models import Place
from interventions.models import Action, Evidence, LogEntry, Need, Organisation, Proposal
from interventions.services.evidence import evidence_file_name, evidence_thumbnail_name

pytestmark = pytest.mark.django_db

CITY = "/khorramabad"
ACTIONS = f"{CITY}/actions/"
LATE, PUMP, SECRET = (
    "Refuse collection with small carts",
    "Booster pump and upper tank",
    "Bringing working children back",
)

PRESENCE = [
    "location_code",
    "location_name",
    "admin1_code",
    "admin1_name",
    "admin2_code",
    "admin2_name",
    "admin_level",
    "org_acronym",
    "org_name",
    "org_type_code",
    "org_type_description",
    "sector_code",
    "sector_name",
    "reference_period_start",
    "reference_period_end",
    "place_code",
    "place_name",
    "actions",
]
NEEDS = [
    "location_code",
    "location_name",
    "admin1_code",
    "admin1_name",
    "admin2_code",
    "admin2_name",
    "admin_level",
    "sector_code",
    "sector_name",
    "category",
    "population_status",
    "population",
    "reference_period_start",
    "reference_period_end",
    "place_code",
    "place_name",
]


def page(client: Client, address: str, status: int = 200, language: str = "en") -> str:
    client.cookies["django_language"] = language
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


def words(part: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", part).split()))


def section(text: str, name: str) -> str:
    found = re.search(rf'<section [^>]*id="{name}".*?</section>', text, re.DOTALL)
    assert found, name
    return found[0]


def action_of(title: str) -> Action:
    return Action.objects.get(title_en__startswith=title)


def post(client: Client, action: Action, what: str, **values: Any) -> Any:
    client.cookies["django_language"] = "en"
    return client.post(f"{ACTIONS}{action.pk}/{what}/", {"version": action.version, **values})


# ---- what everybody is told


def test_the_sentence_counts_what_the_table_shows(demo_city: Place, client: Client) -> None:
    text = page(client, ACTIONS)
    today = timezone.localdate()
    running = Action.objects.within(demo_city).filter(is_public=True, state__in=["planned", "under-way", "suspended"])
    heading = words(re.search(r"<h1.*?</h1>", text, re.DOTALL)[0])  # type: ignore[index]
    assert f"carry out {running.count()} actions" in heading
    assert f"{len({a.organisation_id for a in running})} institutions" in heading
    late = [a for a in running if a.ends_on < today or (a.state == "planned" and a.starts_on < today)]
    assert late, "the demo city has a late action"
    assert f"{len(late)} of them late" in heading
    table = section(text, "list")
    assert table.count("<tr data-number=") == Action.objects.within(demo_city).filter(is_public=True).count()
    first = words(table[table.index("<tbody>") :])
    assert first.startswith(LATE), "late ones come first"
    assert "over budget" in first
    assert "In 2 cases two institutions do the same thing" in heading
    assert "do the same" in words(section(text, "overlaps"))


def test_what_is_not_public_is_told_to_insiders_alone(
    demo_city: Place, client: Client, client_as: Callable[[str], Client]
) -> None:
    secret = action_of(SECRET)
    for name in ("", "csv", "xlsx"):
        address = f"{ACTIONS}export/?format={name}" if name else ACTIONS
        assert SECRET.encode() not in client.get(address).content
    page(client, f"{ACTIONS}{secret.pk}/", 404)
    insider = client_as("viewer")
    assert SECRET in page(insider, ACTIONS)
    text = page(insider, f"{ACTIONS}{secret.pk}/")
    assert "not public" in text
    assert 'name="event"' not in text, "a viewer does nothing"


def test_few_people_are_told_to_insiders_alone(
    demo_city: Place, client: Client, client_as: Callable[[str], Client]
) -> None:
    few = action_of("Sewing workshop")
    assert few.people_reached == 8
    row = re.search(rf'<tr data-number="{few.pk}".*?</tr>', page(client, ACTIONS), re.DOTALL)
    assert row
    assert "withheld" in row[0]
    row = re.search(rf'<tr data-number="{few.pk}".*?</tr>', page(client_as("viewer"), ACTIONS), re.DOTALL)
    assert row
    assert "withheld" not in row[0]
    gaps = words(section(page(client, ACTIONS), "gaps"))
    assert "few people" in gaps
    assert "at least 7 people" not in gaps
    assert "at least 7 people" in words(section(page(client_as("viewer"), ACTIONS), "gaps"))


def test_gaps_are_needs_without_a_decision(demo_city: Place, client: Client) -> None:
    text = section(page(client, ACTIONS), "gaps")
    needs = Need.objects.filter(state__in=["reported", "confirmed"], place__path__startswith=demo_city.path)
    decided = {
        need.pk
        for need in needs
        if need.actions.filter(is_public=True, state__in=["planned", "under-way", "suspended", "done"]).exists()
        or need.proposals.filter(state="accepted").exists()
    }
    assert f"Of {needs.count()} needs, {needs.count() - len(decided)} have no decision yet" in words(text)


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ("state=done", lambda a, today: a.state == "done"),
        ("sector=health", lambda a, today: a.sector.code == "health"),
        ("organisation=relief-committee", lambda a, today: a.organisation.code == "relief-committee"),
        ("area=s04", lambda a, today: a.place.code == "s04"),
        ("since=1405/12/01", lambda a, today: a.ends_on >= date(2027, 2, 20)),
        ("until=2026-10-01", lambda a, today: a.starts_on <= date(2026, 10, 1)),
        (
            "late=1",
            lambda a, today: (
                a.state in ("planned", "under-way", "suspended")
                and (a.ends_on < today or (a.state == "planned" and a.starts_on < today))
            ),
        ),
    ],
)
def test_filters(demo_city: Place, client: Client, query: str, keeps: Callable[[Action, date], bool]) -> None:
    shown = set(re.findall(r'data-number="(\d+)"', page(client, f"{ACTIONS}?{query}")))
    public = Action.objects.within(demo_city).filter(is_public=True).select_related("sector", "organisation", "place")
    assert shown == {str(a.pk) for a in public if keeps(a, timezone.localdate())} != set()


@pytest.mark.parametrize("query", ["state=lost", "sector=none", "area=none", "since=yesterday", "from=1405/13/01"])
def test_choices_that_there_are_not(demo_city: Place, client: Client, query: str) -> None:
    assert client.get(f"{ACTIONS}?{query}").status_code == 400


def test_the_calendar_has_jalali_months_in_persian(demo_city: Place, client: Client) -> None:
    text = section(page(client, f"{ACTIONS}?from=1405/07/15", language="fa"), "calendar")
    months = re.findall(r'<th scope="col"[^>]*>([^<]+)', text)[1:]
    assert months[:6] == ["مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]
    assert len(months) == 12
    assert "۱۴۰۵" in text
    assert "۱۴۰۶" in text
    english = section(page(client, f"{ACTIONS}?from=2026-10-07"), "calendar")
    assert re.findall(r'<th scope="col"[^>]*>([^<]+)', english)[1:3] == ["October", "November"]
    # Time goes from right to left where words do.
    done = action_of("A reading room")
    at = {}
    for language, part in (("fa", text), ("en", english)):
        strip = re.search(
            rf"actions/{done.pk}/.*?planned[^>]* x=\"([\d.]+)\" y=\"4\" width=\"([\d.]+)\"", part, re.DOTALL
        )
        assert strip
        at[language] = (float(strip[1]), float(strip[2]))
    assert at["fa"][0] > 1000
    assert at["en"][0] < 200


def test_the_public_page_of_an_action_names_no_person(
    demo_city: Place, client: Client, client_as: Callable[[str], Client]
) -> None:
    action = action_of(PUMP)
    supervisor = client_as("supervisor")
    post(supervisor, action, "step", event="suspend", reason="The pump has not come")
    outside = page(client, f"{ACTIONS}{action.pk}/")
    assert "supervisor" not in section(outside, "history")
    assert "The pump has not come" not in outside
    inside = page(supervisor, f"{ACTIONS}{action.pk}/")
    assert "The pump has not come" in inside
    assert "supervisor" in section(inside, "history")


# ---- what is done there


def test_steps_and_their_reasons(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    action, supervisor = action_of(PUMP), client_as("supervisor")
    refused = post(supervisor, action, "step", event="suspend", reason="", day="")
    text = refused.content.decode()
    assert refused.status_code == 400
    assert 'class="field has-error"><label for="reason"' in text
    assert post(supervisor, action, "step", event="suspend", reason="Snow").status_code == 302
    action.refresh_from_db()
    assert action.state == "suspended"
    stale = client_as("supervisor").post(
        f"{ACTIONS}{action.pk}/step/", {"event": "start", "version": action.version - 1}
    )
    assert stale.status_code == 409
    buttons = re.findall(r'name="event" value="([\w-]+)"', page(supervisor, f"{ACTIONS}{action.pk}/"))
    assert buttons == ["start", "cancel", "hand-over"]
    # An agency of another institution does nothing here, whatever its form says.
    assert post(client_as("agency"), action, "step", event="start").status_code == 403
    action.refresh_from_db()
    assert action.state == "suspended"


def test_progress_is_typed_in_persian_digits_and_kept_after_a_mistake(
    demo_city: Place, client_as: Callable[[str], Client]
) -> None:
    action, supervisor = action_of(PUMP), client_as("supervisor")
    good = {"done_percent": "۲۵", "spent_irr": "۲۰٬۰۰۰٬۰۰۰٬۰۰۰", "people_reached": "۴۰", "text": ""}
    refused = post(supervisor, action, "progress", **good | {"people_reached": "many"})
    text = refused.content.decode()
    assert refused.status_code == 400
    assert 'value="۲۰٬۰۰۰٬۰۰۰٬۰۰۰"' in text
    assert post(supervisor, action, "progress", **good).status_code == 302
    assert post(supervisor, action, "progress", **good).status_code == 409, "sent twice, stored once"
    action.refresh_from_db()
    assert (action.spent_irr, action.people_reached, action.reports.count()) == (Decimal(20_000_000_000), 40, 2)
    smaller = post(supervisor, action, "progress", **good | {"done_percent": "20"})
    assert smaller.status_code == 400
    assert "smaller" in smaller.content.decode()


def test_an_action_is_entered_changed_and_handed_over(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    supervisor = client_as("supervisor")
    office = Organisation.objects.get(code="sport-youth")
    need = Need.objects.filter(place__code="s08", sector__code="sport").get()
    form = {
        "title_fa": "زمین بازی", "organisation": office.pk, "place": "s08", "sector": "sport", "approach": "infrastructural",
        "starts_on": "۱۴۰۵/۱۰/۰۱", "ends_on": "2027-06-01", "budget_irr": "۹۰۰٬۰۰۰٬۰۰۰", "people_targeted": "", "needs": [need.pk],
        "is_public": "1",
    }  # fmt: skip
    assert "1405/10/01" not in page(supervisor, f"{ACTIONS}new/?place=s08")
    for wrong, field in (({"ends_on": "1405/09/01"}, "زمین بازی"), ({"starts_on": "soon"}, 'value="soon"')):
        refused = supervisor.post(f"{ACTIONS}new/", form | wrong)
        assert refused.status_code == 400
        assert field in refused.content.decode()
    made = supervisor.post(f"{ACTIONS}new/", form)
    action = Action.objects.get(title_fa="زمین بازی")
    assert made.status_code == 302
    assert made["Location"] == f"{ACTIONS}{action.pk}/"
    assert (action.starts_on, action.budget_irr, set(action.needs.all())) == (
        date(2026, 12, 22),
        Decimal(900_000_000),
        {need},
    )
    supervisor.cookies["django_language"] = "en"
    assert 'value="2026-12-22"' in page(supervisor, f"{ACTIONS}{action.pk}/edit/")
    centre = Place.objects.get(code="s08").boundaries.current().get().geometry.point_on_surface
    line = {"type": "LineString", "coordinates": [[centre.x, centre.y], [centre.x + 0.0003, centre.y]]}
    geometries: tuple[tuple[dict[str, str], str | None], ...] = (
        ({"geometry": json.dumps(line)}, "LineString"),
        ({"geometry": json.dumps(line), "lon": f"{centre.x}", "lat": f"{centre.y}"}, "Point"),
        ({}, None),
    )
    for marked, kind in geometries:
        action.refresh_from_db()
        assert post(supervisor, action, "edit", **form | {"needs": [need.pk]} | marked).status_code == 302
        action.refresh_from_db()
        assert (action.geometry.geom_type if action.geometry else None) == kind
    assert post(supervisor, action, "edit", **form | {"needs": [need.pk], "geometry": "[[["}).status_code == 400
    assert f'href="/khorramabad/needs/{need.pk}/"' in page(supervisor, f"{ACTIONS}{action.pk}/")
    assert f'href="{ACTIONS}{action.pk}/"' in page(supervisor, f"/khorramabad/needs/{need.pk}/")
    changed = post(supervisor, action, "edit", **form | {"title_en": "Playground", "needs": [need.pk]})
    assert changed.status_code == 302
    action.refresh_from_db()
    assert action.title_en == "Playground"
    assert action.version == 5  # with the three places it was given
    assert post(supervisor, action, "milestones", milestone_fa="گودبرداری", due_on="1405/10/10").status_code == 302
    to = Organisation.objects.get(code="municipality")
    over = post(supervisor, action, "step", event="hand-over", to=to.pk, reason="They have the machines")
    successor = Action.objects.get(handed_from=action)
    assert over["Location"] == f"{ACTIONS}{successor.pk}/"
    assert successor.organisation == to
    assert successor.milestones.get().title_fa == "گودبرداری"
    assert "Handed over to" in page(supervisor, f"{ACTIONS}{action.pk}/")


def test_an_accepted_proposal_is_carried_out_once(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    supervisor = client_as("supervisor")
    proposal = Proposal.objects.filter(state="submitted", needs__place__code="s03").first()
    assert proposal is not None
    address = f"{ACTIONS}new/?proposal={proposal.pk}"
    assert "carries out its accepted proposal" in page(supervisor, address)
    days = {"proposal": proposal.pk, "starts_on": "1405/10/01", "ends_on": "1406/03/01", "sector": ""}
    assert supervisor.post(f"{ACTIONS}new/", days).status_code == 409
    Proposal.objects.filter(pk=proposal.pk).update(state="accepted")
    assert supervisor.post(f"{ACTIONS}new/", {**days, "ends_on": ""}).status_code == 400
    first, second = (supervisor.post(f"{ACTIONS}new/", days)["Location"] for _ in range(2))
    assert first == second
    assert Action.objects.filter(proposal=proposal).count() == 1


def test_photos_come_in_and_go_out_under_rights(
    demo_city: Place, client: Client, client_as: Callable[[str], Client]
) -> None:
    action, supervisor = action_of(PUMP), client_as("supervisor")
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#2a6").save(out, "JPEG")

    def sent() -> SimpleUploadedFile:
        return SimpleUploadedFile("pump.jpg", out.getvalue(), "image/jpeg")

    assert post(supervisor, action, "evidence", title="").status_code == 400
    assert post(client_as("viewer"), action, "evidence", title="The pump", file=sent()).status_code == 403
    assert post(supervisor, action, "evidence", title="The pump", file=sent()).status_code == 302
    made = Evidence.objects.get(action=action)
    try:
        for suffix in ("", "small/"):
            assert client.get(f"/evidence/{made.pk}/{suffix}").status_code == 404
            answer = supervisor.get(f"/evidence/{made.pk}/{suffix}")
            assert answer.status_code == 200
            assert answer["Content-Type"] == "image/jpeg"
            assert "sandbox" in answer["Content-Security-Policy"]
            answer.getvalue()
        assert "The pump" not in page(client, f"{ACTIONS}{action.pk}/")
        assert supervisor.post(f"/evidence/{made.pk}/change/", {"do": "publish"}).status_code == 302
        assert "The pump" in page(client, f"{ACTIONS}{action.pk}/")
        client.get(f"/evidence/{made.pk}/").getvalue()
        assert supervisor.post(f"/evidence/{made.pk}/change/", {"do": "burn"}).status_code == 400
        assert LogEntry.objects.filter(subject="action", subject_id=action.pk, event="attach").count() == 2
    finally:
        default_storage.delete(evidence_file_name(made))
        default_storage.delete(evidence_thumbnail_name(made))


# ---- files


def rows_of(client: Client, of: str) -> list[dict[str, str]]:
    answer = client.get(f"{ACTIONS}export/?format=csv&of={of}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    reader = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert reader.fieldnames == (PRESENCE if of == "operational_presence" else NEEDS)
    return list(reader)


def test_who_works_where_reads_back(demo_city: Place, client: Client, client_as: Callable[[str], Client]) -> None:
    public, inside = (rows_of(one, "operational_presence") for one in (client, client_as("viewer")))
    of_all = {
        (a.place.code, a.organisation.code, a.sector.code, a.is_public)
        for a in Action.objects.within(demo_city).select_related("place", "organisation", "sector")
    }
    keys = ("place_code", "org_acronym", "sector_code")
    assert {tuple(row[key] for key in keys) for row in public} == {key[:3] for key in of_all if key[3]}
    assert {tuple(row[key] for key in keys) for row in inside} == {key[:3] for key in of_all}
    for row in inside:
        assert (row["admin1_code"], row["admin2_code"], row["admin_level"]) == ("lorestan", "khorramabad-county", "2")
        assert row["location_code"] == "IRN"
        assert row["reference_period_start"] <= row["reference_period_end"]


def test_people_in_need_read_back_with_few_left_out(
    demo_city: Place, client: Client, client_as: Callable[[str], Client]
) -> None:
    public, inside = (rows_of(one, "humanitarian_needs") for one in (client, client_as("viewer")))
    assert {row["population_status"] for row in inside} == {"AFF", "INN", "TGT", "REA"}
    exact = {
        (row["place_code"], row["sector_code"], row["category"], row["population_status"]): row["population"]
        for row in inside
    }
    assert exact["s05", "civil-works", "total", "TGT"] == "2600"
    assert exact["s03", "health", "total", "AFF"] == "7"
    # What is done is needed no more.
    assert exact["s01", "culture", "total", "AFF"] == "900"
    assert ("s01", "culture", "total", "INN") not in exact
    told = {
        (row["place_code"], row["sector_code"], row["category"], row["population_status"]): row["population"]
        for row in public
    }
    assert told["s03", "health", "total", "AFF"] == ""
    assert ("s04", "social-harms", "total", "TGT") not in told, "of an action that is not public"
    for key, value in told.items():
        assert value in ("", exact[key])
        assert not value or int(value) >= 10


def test_the_workbook_has_both_and_a_codebook(demo_city: Place, client: Client) -> None:
    answer = client.get(f"{ACTIONS}export/")
    assert answer["Content-Disposition"] == 'attachment; filename="khorramabad-actions.xlsx"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        book = file.read("xl/workbook.xml").decode()
        sheets = re.findall(r'<sheet name="(\w+)"', book)
        text = file.read("xl/worksheets/sheet3.xml").decode()
    assert sheets == ["operational_presence", "humanitarian_needs", "codebook"]
    for name in ("population_status", "org_type_code", "reference_period_end"):
        assert name in text


def test_no_text_of_a_file_is_a_formula(demo_city: Place, client: Client) -> None:
    Organisation.objects.filter(code="water-company").update(name_fa="=HYPERLINK(1)")
    names = {row["org_name"] for row in rows_of(client, "operational_presence")}
    assert "'=HYPERLINK(1)" in names
    assert "=HYPERLINK(1)" not in names


def test_a_city_without_actions_says_how_they_come(demo_city: Place, client: Client) -> None:
    Action.objects.update(is_public=False)
    text = page(client, ACTIONS)
    assert "No action has been entered yet" in text
    assert "No action runs in" in text
