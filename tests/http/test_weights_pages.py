"""Pages of institutions' weights: what they tell without script, that typed work is never lost, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analysis.indicators import indicator_rows
from geo.models import Place
from geo.querysets import system_user
from interventions.models import Membership, Organisation, WeightSet
from maps.weights.forms import pairs_of
from tests.workbooks import codebook_of, rows_by_sheet

pytestmark = pytest.mark.django_db
PATH = "/khorramabad/index/weights/"
LATIN_DIGITS = re.compile(r"[0-9]")


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    client = client_as("planner")
    client.cookies["django_language"] = "en"
    return client


def text_of(answer: Any) -> str:
    """Return what a page says, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def form(**values: Any) -> dict[str, Any]:
    office = Organisation.objects.get(code="water-company", place__code="khorramabad-county")
    return {"organisation": office.pk, "how": "given", "do": "keep", "name_en": "Ours", "w-early-care": "2"} | values


def kept(how: str) -> WeightSet:
    return WeightSet.objects.get(city__code="khorramabad", how=how)


def test_institutions_are_compared_in_words_and_numbers(planner: Client) -> None:
    answer = planner.get(PATH)
    view = answer.context["view"]
    assert "3 institutions agree on" in view.finding
    assert "they differ most about" in view.finding
    assert "Kendall’s W" in view.basis
    assert [len(row.ranks) for row in view.rows] == [3] * 10
    assert view.has_joint
    for k in range(3):
        assert sorted(int(row.ranks[k][0]) for row in view.rows) == list(range(1, 11))
    assert {css for css, _, n in view.key if n != "0"} > {"spread-none"}
    assert len(view.pairs) == 3
    html = answer.content.decode()
    assert '<svg class="orders"' in html
    assert "style=" not in html
    # Two of them, by name; other places.
    pair = [kept("given"), kept("pairwise")]
    two = planner.get(PATH, {"set": [one.pk for one in pair], "kind": "neighbourhood"})
    assert two.context["view"].finding.startswith("Municipality of Khorramabad and County Relief Committee")
    assert two.context["view"].pairs == ()
    assert len(two.context["view"].chart.lines) == 20
    one = planner.get(PATH, {"set": pair[0].pk})
    assert "puts" in one.context["view"].finding
    assert one.context["view"].chart is None


def test_without_any_the_page_says_what_goes_there(planner: Client) -> None:
    WeightSet.objects.all().delete()
    answer = planner.get(PATH)
    assert answer.status_code == 200
    assert "No institution keeps weights here yet." in text_of(answer)


def test_persian_pages_have_persian_digits(planner: Client) -> None:
    planner.cookies["django_language"] = "fa"
    view = planner.get(PATH).context["view"]
    said = [view.finding, view.basis, *(rank for row in view.rows for rank, _ in row.ranks)]
    assert not [text for text in said if LATIN_DIGITS.search(text)]


def test_the_weights_of_a_set_lead_to_the_same_order_in_the_index(planner: Client) -> None:
    shown = {row.code: [rank for rank, _ in row.ranks] for row in planner.get(PATH).context["view"].rows}
    for at, one in enumerate(planner.get(PATH).context["sets"]):
        index = planner.get(one.use)
        assert index.status_code == 200
        assert [row.code for row in index.context["view"].rows] == sorted(shown, key=lambda code: int(shown[code][at]))


def test_the_index_leads_to_the_form_with_its_weights(planner: Client) -> None:
    index = planner.get("/khorramabad/index/", {"w-early-care": "1.5", "w-water-all-day": "4"})
    answer = planner.get(index.context["keep"])
    values = answer.context["typed"].values
    assert (values["w-early-care"], values["w-water-all-day"], values["w-food-worry"]) == ("1.5", "4", "0")


def test_each_way_is_kept_as_it_was_typed(planner: Client) -> None:
    made = planner.post(f"{PATH}new/", form(**{"w-water-all-day": "۰٫۵"}), follow=True)
    one = WeightSet.objects.get(name_en="Ours")
    assert made.redirect_chain[0][0] == f"{PATH}{one.pk}/"
    assert one.weights == {"early-care": 2.0, "water-all-day": 0.5}
    assert "The weights are kept." in text_of(made)
    points = form(
        how="allocation", name_en="Points", **{"p-early-care": "60", "p-food-worry": "۴۰", "w-early-care": ""}
    )
    assert planner.post(f"{PATH}new/", points).status_code == 302
    assert WeightSet.objects.get(name_en="Points").weights == {"early-care": 60.0, "food-worry": 40.0}
    pairs = form(how="pairwise", name_en="Pairs", i=["early-care", "food-worry", "water-all-day"])
    pairs |= {"c-livelihood-health": "-2", "c-livelihood-infrastructure": "-4", "c-health-infrastructure": "-1"}
    assert planner.post(f"{PATH}new/", pairs).status_code == 302
    compared = WeightSet.objects.get(name_en="Pairs")
    assert compared.comparisons == [
        ["livelihood", "health", 3.0], ["livelihood", "infrastructure", 5.0], ["health", "infrastructure", 2.0],
    ]  # fmt: skip
    page = planner.get(f"{PATH}{compared.pk}/")
    assert "consistency ratio" in text_of(page)
    # The form shows what was kept.
    filled = planner.get(f"{PATH}{compared.pk}/amend/").context["typed"]
    assert (filled.values["c-livelihood-infrastructure"], set(filled.lists["i"])) == ("-4", set(compared.weights))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"w-early-care": "0"}, "Give at least one indicator a weight."),
        ({"w-early-care": "many"}, "cannot be used here"),
        ({"w-early-care": "nan"}, "cannot be used here"),
        ({"w-early-care": "1e999"}, "cannot be used here"),
        ({"name_en": " "}, "Give the set a name"),
        ({"organisation": ""}, "Choose the organisation."),
        ({"organisation": "999999999"}, "Choose the organisation."),
        ({"how": "magic"}, "Choose one of the three ways."),
        ({"how": "allocation", "p-early-care": "93"}, "93 points are given, not 100."),
        ({"how": "allocation", "p-early-care": "-3"}, "cannot be used here"),
        ({"how": "pairwise", "i": ["early-care"]}, "Mark indicators of two domains or more."),
        ({"how": "pairwise", "i": ["early-care", "food-worry"], "c-livelihood-health": "9"}, "cannot be used here"),
        ({"note": "n" * 2001}, "2000"),
    ],
)
def test_what_cannot_be_kept_is_said_and_stays(planner: Client, change: dict[str, Any], said: str) -> None:
    before = WeightSet.objects.count()
    answer = planner.post(f"{PATH}new/", form(note="why") | change)
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert WeightSet.objects.count() == before
    if "note" not in change:
        assert ">why</textarea>" in answer.content.decode()


def test_a_stale_save_shows_both_and_keeps_the_draft(planner: Client) -> None:
    one = kept("given")
    theirs = {"how": "given", "version": "1", "do": "keep", "name_en": one.name_en, "w-early-care": "1"}
    assert planner.post(f"{PATH}{one.pk}/amend/", theirs).status_code == 302
    mine = theirs | {"w-early-care": "", "w-food-worry": "3", "note": "my reason"}
    answer = planner.post(f"{PATH}{one.pk}/amend/", mine)
    assert answer.status_code == 409
    assert {row.name: (row.theirs, row.mine) for row in answer.context["differences"]} == {
        "Care in the first three months of pregnancy": ("100.0%", "0.0%"),
        "Households that worry about food": ("0.0%", "100.0%"),
    }
    assert ">my reason</textarea>" in answer.content.decode()
    # Sending the same form again, on what now stands, keeps it.
    again = mine | {"version": answer.context["typed"].values["version"]}
    assert planner.post(f"{PATH}{one.pk}/amend/", again).status_code == 302
    one.refresh_from_db()
    assert (one.weights, one.version, one.note) == ({"food-worry": 3.0}, 3, "my reason")
    history = text_of(planner.get(f"{PATH}{one.pk}/"))
    assert history.count("changed") >= 2


def test_what_follows_is_told_while_typing(planner: Client) -> None:
    def live(**values: Any) -> str:
        answer = planner.post(f"{PATH}new/", form(do="look", part="live", **values))
        assert answer.status_code == 200
        assert "<html" not in answer.content.decode()
        return text_of(answer)

    assert "come first." in live()
    assert "7 points are left." in live(how="allocation", **{"p-early-care": "93"})
    assert "20 points too many are given." in live(how="allocation", **{"p-early-care": "60", "p-food-worry": "60"})
    assert "All 100 points are divided." in live(how="allocation", **{"p-early-care": "100"})
    odd = {"c-livelihood-health": "-4", "c-health-infrastructure": "-4", "c-livelihood-infrastructure": "4"}
    told = live(how="pairwise", i=["early-care", "food-worry", "water-all-day"], **odd)
    assert "contradict each other" in told
    assert "Most at odds with the others" in told
    assert "Give at least one indicator a weight." in live(**{"w-early-care": ""})
    assert not WeightSet.objects.filter(name_en="Ours").exists()
    # Without script the whole page comes back, with what was typed.
    page = planner.post(f"{PATH}new/", form(do="look"))
    assert (page.status_code, page.context["typed"].values["name_en"]) == (200, "Ours")


def test_put_away_and_taken_out_again(planner: Client) -> None:
    one = kept("allocation")
    assert planner.post(f"{PATH}{one.pk}/", {"do": "withdraw"}).status_code == 302
    listed = planner.get(PATH)
    assert one.pk not in [row.pk for row in listed.context["sets"]]
    assert listed.context["away"] == 1
    assert one.pk in [row.pk for row in planner.get(PATH, {"archived": "1"}).context["sets"]]
    assert planner.post(f"{PATH}{one.pk}/", {"do": "withdraw"}).status_code == 409
    assert planner.get(f"{PATH}{one.pk}/amend/").status_code == 403
    assert planner.post(f"{PATH}{one.pk}/", {"do": "restore"}).status_code == 302


def test_a_member_keeps_weights_of_the_own_organisation(
    demo_city: Place, client_as: Callable[[str], Client], personas: dict[str, Any]
) -> None:
    client = client_as("agency")
    assert client.get(f"{PATH}new/").status_code == 403
    office = Organisation.objects.get(code="water-company", place__code="khorramabad-county")
    Membership.objects.create(organisation=office, user=personas["agency"], state="approved")
    page = client.get(f"{PATH}new/")
    assert page.context["form"].organisations == ((str(office.pk), office.name, True),)
    assert client.post(f"{PATH}new/", form()).status_code == 302
    other = Organisation.objects.get(code="municipality", place=demo_city)
    assert client.post(f"{PATH}new/", form(organisation=other.pk)).status_code == 400
    theirs = WeightSet.objects.get(organisation=other)
    assert client.get(f"{PATH}{theirs.pk}/amend/").status_code == 403


def test_hostile_texts_come_back_harmless(planner: Client) -> None:
    bad = "<script>alert(1)</script>"
    made = planner.post(f"{PATH}new/", form(name_en=bad, note=bad), follow=True)
    assert bad not in made.content.decode()
    assert bad not in planner.get(PATH).content.decode()
    assert bad not in planner.post(f"{PATH}new/", form(name_en=bad, how=bad)).content.decode()


def test_a_form_offers_each_two_domains_once(demo_city: Place) -> None:
    known = indicator_rows(demo_city, system_user())
    pairs = pairs_of(known)
    domains = {one.domain for one in known}
    assert len(pairs) == len(set(map(frozenset, pairs))) == len(domains) * (len(domains) - 1) // 2


@pytest.mark.parametrize("kind", ["", "settlement"])
def test_the_workbook_says_what_the_page_shows(planner: Client, kind: str) -> None:
    asked = {"kind": kind, "aggregation": "geometric" if kind else "arithmetic"}
    page = planner.get(PATH, asked)
    view, numbers = page.context["view"], [row.pk for row in page.context["sets"]]
    link = re.search(r'href="([^"]+)" download>Workbook with codebook', page.content.decode())
    assert link
    answer = planner.get(link[1].replace("&amp;", "&"))
    assert answer["Content-Disposition"] == 'attachment; filename="khorramabad-weights.xlsx"'
    sheets = rows_by_sheet(answer.content)
    assert [row["set"] for row in sheets["sets"]] == numbers
    shown = [
        (row.code, [float(rank) for rank, _ in row.ranks], float(row.joint), float(row.spread)) for row in view.rows
    ]
    assert [
        (row["place_code"], [row[f"rank_{n}"] for n in numbers], row["rank_joint"], row["spread"])
        for row in sheets["ranks"]
    ] == shown
    assert [row["first_of"] for row in sheets["ranks"]] == [sum(first for _, first in row.ranks) for row in view.rows]
    # The weights, used and given, and the scores lead to the scores and ranks told; so the file can be checked by itself.
    scores = {row["place_code"]: row for row in sheets["scores"]}
    for n in [*numbers, "joint"]:
        weights = {row["indicator"]: row[f"weight_{n}"] for row in sheets["weights"]}
        assert sum(weights.values()) == pytest.approx(1)
        if n != "joint":
            given = {row["indicator"]: row["weight"] for row in sheets["given"] if row["set"] == n and row["used"]}
            total = sum(given.values())
            assert {code: w for code, w in weights.items() if w} == pytest.approx(
                {c: w / total for c, w in given.items()}
            )
        if not kind:
            for row in sheets["ranks"]:
                has = {code: w for code, w in weights.items() if scores[row["place_code"]][code] is not None}
                mean = sum(w * scores[row["place_code"]][code] for code, w in has.items()) / sum(has.values())
                assert row[f"score_{n}"] == pytest.approx(100 * mean)
    pairs = {(row["set_a"], row["set_b"]): row["tau"] for row in sheets["agreement"]}
    assert [f"{tau:.2f}" for tau in pairs.values()] == [tau.replace("−", "-") for *_, tau in view.pairs]
    summary = {row["name"]: row["value"] for row in sheets["summary"]}
    assert f"Kendall’s W {summary['concordance']:.2f}" in view.basis
    assert (summary["sets"], summary["places"]) == (3, len(view.rows))
    facts, fields = codebook_of(sheets)
    assert len(facts["input_hash"]) == 64
    for sheet, rows in sheets.items():
        for name in rows[0] if sheet != "codebook" else ():
            field = fields[sheet, name]
            assert field["title_fa"], (sheet, name)
            assert field["title_en"], (sheet, name)
    compared = kept("pairwise")
    assert [[row["domain_a"], row["domain_b"], row["times"]] for row in sheets["comparisons"]] == compared.comparisons


def test_one_set_alone_none_at_all_and_hostile_texts_as_a_workbook(planner: Client) -> None:
    one = kept("given")
    WeightSet.objects.filter(pk=one.pk).update(note="=HYPERLINK(1)")
    sheets = rows_by_sheet(planner.get(f"{PATH}export", {"set": one.pk}).content)
    assert "rank_joint" not in sheets["ranks"][0]
    assert sheets["agreement"] == []
    assert sheets["sets"][0]["note"] == "=HYPERLINK(1)"
    WeightSet.objects.all().delete()
    refused = planner.get(f"{PATH}export")
    assert refused.status_code == 404
    told = text_of(refused)
    assert "No institution keeps weights here yet." in told
    assert "Keep weights of an institution first." in told
