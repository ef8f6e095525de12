"""Pages of what changed: the finding, marks and numbers in both languages, forms that keep what was typed, tables whole or not."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analysis.models import IndicatorValue
from geo.models import Place
from interventions.models import LogEntry
from interventions.services.outcomes import COLUMNS

pytestmark = pytest.mark.django_db

CITY = "/khorramabad/changed/"
NETWORK = "/network/ir/changed/"
ENTER = f"{CITY}enter/"
OF_S02 = {"place": "s02", "indicator": "refuse-collected", "year": "1404"}


def page(client: Client, address: str, language: str = "en", status: int = 200) -> str:
    client.cookies["django_language"] = language
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


def words(part: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", part).split())).translate(
        dict.fromkeys(range(0x2066, 0x206A))
    )


def main_of(text: str) -> str:
    found = re.search(r"<main.*</main>", text, re.DOTALL)
    assert found
    return words(found[0])


def test_the_finding_comes_first_and_counts_areas(demo_city: Place, client: Client) -> None:
    text = page(client, CITY)
    assert (
        "In 1404 (2025/26), 6 of 18 measured areas of Khorramabad became really better, and something became really worse in 1."
        in words(text)
    )
    assert "Refuse collected regularly: where something was done it changed by +24.5 percentage points more" in words(
        text
    )
    rows = re.findall(r'<tr data-code="(\w+)">.*?class="finding-word is-(\w+)">(.)', text, re.DOTALL)
    assert {("s02", "better", "▲"), ("s09", "worse", "▼"), ("s01", "unclear", "○")} <= set(rows)
    assert len(rows) == 18
    assert text.count('class="dot better"') == 7
    assert text.count('class="dot worse"') == 1
    assert f'href="{CITY}"' in text  # the tab
    assert "10 actions were at work in 1404 (2025/26): 10 finished, 2 late; 33.7 billion rials" in words(text)


def test_persian_pages_have_persian_digits_alone(demo_city: Place, client: Client) -> None:
    for address in (CITY, f"{CITY}1405/", NETWORK, "/network/ir/lorestan/khorramabad-county/changed/"):
        told = main_of(page(client, address, "fa"))
        # Codes of the query string and CSV are no reading matter; the links to them are words.
        assert not re.search(r"\d", re.sub("[۰-۹]", "", told)), (address, re.findall(r".{20}[0-9].{10}", told)[:3])
        assert "۱۴۰۴" in told


def test_a_year_that_is_not_measured_yet_says_so(demo_city: Place, client: Client) -> None:
    text = words(page(client, f"{CITY}1405/"))
    assert "what changed in 1405 (2026/27) has not been measured yet" in text
    assert "nothing was entered for 1390" in words(page(client, f"{CITY}1390/"))


def test_small_numbers_of_people_are_withheld_from_the_public(
    demo_city: Place, client: Client, personas: dict[str, Any]
) -> None:
    assert main_of(page(client, CITY)).count("withheld") > 4
    client.force_login(personas["viewer"])
    told = page(client, CITY)
    assert "withheld" not in main_of(told)
    masur = re.search(r'<tr data-code="s09">.*?</tr>', told, re.DOTALL)
    assert masur
    assert "−3" in words(masur[0])  # 11 people, then 8


def test_provinces_are_told_by_counts_and_counties_area_by_area(demo_city: Place, client: Client) -> None:
    country, county = page(client, NETWORK), page(client, "/network/ir/lorestan/khorramabad-county/changed/")
    assert "6 of 18 measured areas of Iran became really better" in words(country)
    row = re.search(
        r'<tbody><tr><th scope="row"><a href="/network/ir/lorestan/changed/1404/">.*?</tr>', country, re.DOTALL
    )
    assert row
    assert re.findall(r'<td class="num">(\d+)</td>', row[0])[:4] == ["6", "11", "0", "1"]
    assert "data-code=" not in country
    assert county.count("data-code=") == 18
    assert 'href="/khorramabad/changed/1404/"' in county


@pytest.mark.parametrize(
    ("name", "may"),
    [("viewer", False), ("reporter", False), ("planner", False), ("analyst", True), ("supervisor", True)],
)
def test_who_may_enter_is_shown_the_way(
    demo_city: Place, client: Client, personas: dict[str, Any], name: str, may: bool
) -> None:
    client.force_login(personas[name])
    assert (f'href="{ENTER}"' in page(client, CITY)) == may
    page(client, ENTER, status=200 if may else 403)


def seen_in(text: str) -> dict[str, str]:
    return dict(re.findall(r'name="(seen_\w+)" value="(\d+)"', text))


def test_a_value_is_corrected_in_persian_digits_and_the_old_one_stays(
    demo_city: Place, client: Client, personas: dict[str, Any]
) -> None:
    client.force_login(personas["analyst"])
    address = f"{ENTER}?place=s02&indicator=refuse-collected&year=۱۴۰۴"
    text = page(client, address, "fa")
    assert 'id="measured" name="measured" value="۷۰"' in text
    old = IndicatorValue.objects.get(
        place__code="s02", indicator__code="refuse-collected", kind="measured", replaced_at=None
    )
    sent = OF_S02 | seen_in(text) | {
        "baseline": "۳۶", "baseline_error": "۳٫۹", "target": "۶۶", "measured": "۶۸٫۵", "measured_error": "۳٫۸",
        "source": "بازشماری", "reason": "دو خانه دو بار",
    }  # fmt: skip
    before = IndicatorValue.objects.count()
    assert client.post(ENTER, sent).status_code == 302
    new = IndicatorValue.objects.get(
        place__code="s02", indicator__code="refuse-collected", kind="measured", replaced_at=None
    )
    assert (new.value, new.error, new.source, IndicatorValue.objects.count()) == (68.5, 3.8, "بازشماری", before + 1)
    entry = LogEntry.objects.filter(subject="outcome").latest("pk")
    assert (entry.event, entry.note, entry.details["replaces"]) == ("correct", "دو خانه دو بار", old.pk)
    assert "۷۰٪" in main_of(page(client, address, "fa"))  # among what was said before
    # The same page sent again names a value that is in force no more.
    again = client.post(ENTER, sent | {"measured": "۶۹"})
    assert again.status_code == 400
    assert 'value="۶۹"' in again.content.decode()
    assert IndicatorValue.objects.count() == before + 1


def test_what_is_wrong_stands_in_the_form_with_what_was_typed(
    demo_city: Place, client: Client, personas: dict[str, Any]
) -> None:
    client.force_login(personas["supervisor"])
    client.cookies["django_language"] = "en"
    before = IndicatorValue.objects.count()
    for changes, told in (
        ({"measured": "many"}, "is no number in range"),
        ({"measured": "1,200"}, "may be a thousand times"),
        ({"measured_error": "-3"}, "is no standard error"),
        ({"measured": "", "measured_error": "3"}, "There is an error and no value"),
        ({"measured": "50", "source": ""}, "The source is missing"),
        ({"year": "2025"}, "is no year of the Iranian calendar"),
        ({"place": "zz"}, "Nothing is chosen"),
    ):
        sent = OF_S02 | {"measured": "71", "measured_error": "3", "source": "x"} | changes
        response = client.post(ENTER, sent)
        text = response.content.decode()
        assert response.status_code == 400, changes
        assert told in words(text), changes
        assert "zz" in changes.values() or "2025" in changes.values() or f'value="{sent["measured_error"]}"' in text, (
            changes
        )
    assert IndicatorValue.objects.count() == before


def test_a_value_is_taken_back_with_a_reason(demo_city: Place, client: Client, personas: dict[str, Any]) -> None:
    told = IndicatorValue.objects.get(
        place__code="s02", indicator__code="refuse-collected", kind="target", year_begins_on="2025-03-21"
    )
    sent = {"outcome": str(told.pk), "reason": "چنین هدفی نبود"}
    client.force_login(personas["planner"])
    assert client.post(f"{CITY}retract/", sent).status_code == 403
    client.force_login(personas["supervisor"])
    assert client.post(f"{CITY}retract/", sent | {"reason": ""}).status_code == 400
    told.refresh_from_db()
    assert told.replaced_at is None
    assert client.post(f"{CITY}retract/", sent).status_code == 302
    told.refresh_from_db()
    assert told.replaced_at is not None


def test_a_table_is_looked_at_first_and_then_stored(demo_city: Place, client: Client, personas: dict[str, Any]) -> None:
    client.force_login(personas["analyst"])
    client.cookies["django_language"] = "en"
    path = f"{CITY}import/"
    table = (
        "\t".join(COLUMNS)
        + "\ns01\twater-all-day\t۱۴۰۵\t\t\t\t۶۱\t۴\tپیمایش\t\ns02\twater-all-day\t۱۴۰۵\t\t\t۹۰\t\t\tبرنامه\t\n"
    )
    before = IndicatorValue.objects.count()
    look = client.post(path, {"do": "look", "table": table})
    assert look.status_code == 200
    assert "1 new values, 1 corrected, 0 as they were." in words(look.content.decode())
    assert IndicatorValue.objects.count() == before
    assert client.post(path, {"do": "store", "table": table}).status_code == 302
    assert IndicatorValue.objects.count() == before + 2
    wrong = table + "s03\twater-all-day\t۱۴۰۵\t\t\t\tهیچ\t\tپیمایش\t\n"
    refused = client.post(path, {"do": "store", "table": wrong})
    assert refused.status_code == 400
    assert "هیچ" in refused.content.decode()
    looked = client.post(path, {"do": "look", "table": wrong})
    assert looked.status_code == 400
    assert "row 4, measured" in words(looked.content.decode())
    assert IndicatorValue.objects.count() == before + 2
    broken = SimpleUploadedFile("t.xlsx", b"PK\x03\x04rest")
    refused = client.post(path, {"do": "look", "file": broken})
    assert refused.status_code == 400
    assert "The workbook cannot be read. Save it again as .xlsx" in words(refused.content.decode())
    old = SimpleUploadedFile(
        "t.csv",
        table.replace("۹۰", "91").replace("۱۴۰۵", "1405").replace("۶۱\t۴", "61\t4").replace("ی", "ي").encode("cp1256"),
    )
    assert client.post(path, {"do": "look", "file": old}).status_code == 200


def test_a_workbook_is_read_as_its_cells_would_be_if_they_were_put_into_the_box(
    demo_city: Place, client: Client, personas: dict[str, Any], tmp_path: Path
) -> None:
    client.force_login(personas["supervisor"])
    client.cookies["django_language"] = "en"
    rows = [["s01", "water-all-day", 1405, 61.5, 4, "پیمایش"], ["s02", "water-all-day", 1405, 58, None, "=1+1"]]
    names = ["place", "indicator", "year", "measured", "measured_error", "source"]
    whole, second = tmp_path / "values.xlsx", tmp_path / "second.xlsx"
    frame = pd.DataFrame(rows, columns=names)
    pyogrio.write_dataframe(frame, whole, layer="مقادیر", driver="XLSX")
    pyogrio.write_dataframe(pd.DataFrame({"a": ["other"]}), second, layer="other", driver="XLSX")
    pyogrio.write_dataframe(frame, second, layer="values", driver="XLSX", append=True)

    def brought(path: Path, do: str) -> Any:
        file = SimpleUploadedFile(path.name, path.read_bytes())
        return client.post(f"{CITY}import/", {"do": do, "file": file})

    looked = words(brought(whole, "look").content.decode())
    assert "2 new values, 0 corrected, 0 as they were." in looked
    assert brought(whole, "store").status_code == 302
    stored = IndicatorValue.objects.in_force().filter(indicator__code="water-all-day", kind="measured")
    found = {one.place.code: (one.value, one.error, one.source) for one in stored.filter(year_begins_on__year=2026)}
    assert found["s01"] == (61.5, 4, "پیمایش")
    assert found["s02"] == (58, None, "=1+1")
    other = brought(second, "look")
    assert other.status_code == 400
    assert "The table has no column" in words(other.content.decode())


def test_what_is_downloaded_can_be_brought_again_and_changes_nothing(
    demo_city: Place, client: Client, personas: dict[str, Any]
) -> None:
    client.force_login(personas["analyst"])
    response = client.get(f"{CITY}export/?year=1404")
    text = response.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    told = next(row for row in rows if (row["place"], row["indicator"]) == ("s02", "refuse-collected"))
    assert (told["measured"], told["measured_error"], told["verdict"], told["was_acted_in"]) == (
        "70.0",
        "3.7",
        "better",
        "yes",
    )
    before = IndicatorValue.objects.count()
    looked = client.post(f"{CITY}import/", {"do": "look", "table": text})
    assert looked.status_code == 200
    assert client.post(f"{CITY}import/", {"do": "store", "table": text}).status_code == 302
    assert IndicatorValue.objects.count() == before
