"""A plan as a workbook: its sites, what each further facility adds, who gains, what is proven, and what it was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from analysis.codebooks import (
    PLACE,
    SOURCES,
    Fact,
    Tabled,
    basis_facts,
    codebook_workbook,
    source_rows,
    summary_of,
)
from analysis.measures.tables import Column
from analysis.models import Run
from analysis.siting.demand import BLOCK_M
from analysis.siting.words import ASKED, MODELS_TOLD, STATUS_TOLD, VALUES

_SITES: Final = (
    Column(
        "site", "شمارهٔ جایگاه", "Number of the site", "",
        "In the order in which each adds most to those before it",
        description_fa="به ترتیبی که هر یک بیش از همه به پیشینیان می‌افزاید",
    ),
    Column("lon", "طول جغرافیایی", "Longitude", "°", "WGS 84", description_fa="WGS 84"),
    Column("lat", "عرض جغرافیایی", "Latitude", "°", "WGS 84", description_fa="WGS 84"),
    *PLACE,
    Column(
        "candidate", "ردیف نامزد", "Row of the candidate", "",
        "Of the feature in the layer of candidates; empty for a point where people live",
        description_fa="ردیف عارضه در لایهٔ نامزدها؛ برای نقطه‌ای که مردم در آن می‌زیند خالی است",
    ),
    Column(
        "candidate_name", "نام نامزد", "Name of the candidate", "", "As its layer calls it",
        description_fa="آن‌گونه که در لایه آمده است",
    ),
    Column(
        "people_new", "بهره‌مندان تازه", "People newly reached", "people",
        "Within the threshold by this site beyond those before it; they sum to people_gained of the summary",
        description_fa="کسانی که این جایگاه، افزون بر جایگاه‌های پیش از خود، به درون آستانه می‌آورد؛ جمع آن‌ها people_gained در خلاصه است",
    ),
    Column(
        "people_new_together", "بهره‌مندان تازه تا این جایگاه", "People newly reached so far", "people",
        "By this site and those before it", description_fa="با این جایگاه و جایگاه‌های پیش از آن",
    ),
    Column(
        "load", "بار", "Load", "people",
        "People to whom it would be the nearest, near enough or not; with capacities, those it serves",
        description_fa="کسانی که نزدیک‌ترین مرکزشان خواهد بود، دور یا نزدیک؛ با ظرفیت، کسانی که به آن‌ها خدمت می‌دهد",
    ),
    Column(
        "capacity", "ظرفیت", "Capacity", "people",
        "How many a new facility takes; empty where capacities were not asked for",
        description_fa="شمار کسانی که یک مرکز تازه می‌پذیرد؛ اگر ظرفیت پرسیده نشده باشد خالی است",
    ),
    Column(
        "cost", "هزینه", "Cost", "money", "Of one facility, in the unit of the budget; empty where none was given",
        description_fa="هزینهٔ یک مرکز، به واحد بودجه؛ اگر گفته نشده باشد خالی است",
    ),
)  # fmt: skip
_CURVE: Final = (
    Column("facilities", "شمار مرکزها", "Facilities", "facilities"),
    Column(
        "chosen", "گزینش", "Choice", "",
        "best: the best choice of so many, counted in blocks; plan: the first so many sites of this plan, counted cell by cell",
        description_fa="best: بهترین گزینش با این شمار، شمرده در بلوک‌ها؛ plan: همین شمار از نخستین جایگاه‌های این طرح، شمرده یاخته به یاخته",
    ),
    Column("people_new", "بهره‌مندان تازه", "People newly reached", "people", "By all of them", description_fa="با همهٔ آن‌ها"),
    Column(
        "adds_people", "افزودهٔ واپسین مرکز", "People the last one adds", "people",
        "Below 0 where fewer people with more priority are reached",
        description_fa="زیر صفر، جایی که به افراد کمتری با اولویت بیشتر می‌رسد",
    ),
    Column(
        "value", "مقدار بیشینه‌شده", "What was made most of", "people, or people × priority",
        "People, or people × priority score where they count by that", description_fa="نفر، یا نفر × امتیاز اولویت اگر با آن شمرده شوند",
    ),
    Column(
        "bound", "کران", "Bound", "people, or people × priority", "No choice of so many has more than this",
        description_fa="هیچ گزینشی با این شمار بیش از این ندارد",
    ),
    Column(
        "gap", "شکاف", "Gap", "", "(bound − value) / value; empty where it is not known",
        description_fa="(کران − مقدار) / مقدار؛ اگر دانسته نباشد خالی است",
    ),
    Column(
        "status", "وضع اثبات", "What is proven", "", "optimal, gap_proven or best_found: see the summary",
        description_fa="optimal، gap_proven یا best_found: خلاصه را ببینید",
    ),
    Column(
        "is_nested", "دربرگیرندهٔ گزینش پیشین", "Holds the choice before", "",
        "0 where a site of the choice before would have to be given up",
        description_fa="0 جایی که یک جایگاه از گزینش پیشین باید کنار گذاشته شود",
    ),
)  # fmt: skip
_PLACES: Final = (
    *PLACE,
    Column("edition", "شمارهٔ ویرایش مرز", "Number of the boundary edition"),
    Column(
        "people",
        "جمعیت",
        "People",
        "people",
        "Settlements lie over neighbourhoods: their people are in both rows",
        description_fa="سکونتگاه‌ها روی محله‌ها قرار دارند: مردمشان در هر دو ردیف است",
    ),
    Column("uncovered_before", "دور از دسترس امروز", "Beyond the threshold today", "people"),
    Column("uncovered_after", "دور از دسترس پس از طرح", "Beyond the threshold then", "people"),
    Column("people_new", "بهره‌مندان تازه", "People newly reached", "people"),
)
_PEOPLE: Final = (
    Column("lon", "طول جغرافیایی", "Longitude", "°", "Middle of the people of a block", description_fa="میانهٔ مردم یک بلوک"),
    Column("lat", "عرض جغرافیایی", "Latitude", "°"),
    Column(
        "people", "جمعیت", "People", "people", f"Beyond the threshold today, in blocks of {BLOCK_M:.0f} m; fewer than half a person are left out",
        description_fa=f"امروز دور از دسترس، در بلوک‌های {BLOCK_M:.0f} متری؛ کمتر از نیم نفر نیامده است",
    ),
    Column(
        "is_reached", "در دسترس پس از طرح", "Within the threshold then", "", "1 where the plan reaches them, 0 where not",
        description_fa="1 اگر طرح به آن‌ها برسد، وگرنه 0",
    ),
)  # fmt: skip


def plan_workbook(run: Run) -> bytes:
    """Return a plan that a run keeps as a workbook (XLSX). Texts are never formulas.

    The figures are those of the run; nothing is computed again.
    """
    asked, result = run.parameters, run.result
    tables = (
        Tabled("sites", _SITES, site_rows(run)),
        Tabled("curve", _CURVE, _curve(result)),
        Tabled("places", _PLACES, list(_places(run))),
        Tabled("people", _PEOPLE, [(*one, int(name == "reached")) for name in ("reached", "left") for one in result[name]]),
        summary_of([*_summary(asked, result)]),
        Tabled("sources", SOURCES, source_rows(run.inputs)),
    )  # fmt: skip
    return codebook_workbook(tables, [*_facts(run)])


def plan_geojson(run: Run) -> dict[str, Any]:
    """Return the proposed sites as a collection of points, with what the sheet ``sites`` says of each."""
    names = [column.name for column in _SITES]
    features = []
    for row in site_rows(run):
        told = dict(zip(names, row, strict=True))
        point = {"type": "Point", "coordinates": [told.pop("lon"), told.pop("lat")]}
        told["service"] = run.parameters["service"]
        features.append({"type": "Feature", "id": told["site"], "geometry": point, "properties": told})
    return {"type": "FeatureCollection", "name": f"{run.city.code}-siting-{run.pk}", "features": features}


def site_rows(run: Run) -> list[tuple[Any, ...]]:
    """Return the sites of a plan as rows of the sheet ``sites``."""
    asked, rows, together = run.parameters, [], 0.0
    for n, site in enumerate(run.result["sites"], start=1):
        together += site["people"]
        rows.append((
            n, site["lon"], site["lat"], *_who(site["place"]), site["feature"], site["name"] or None, site["people"],
            round(together, 2), site["nearest"], asked["capacity"], asked["site_cost"],
        ))  # fmt: skip
    return rows


def _who(place: Mapping[str, Any] | None) -> tuple[str | None, ...]:
    if place is None:
        return (None,) * len(PLACE)
    return (place["code"], place["kind"], place["name"], place["name_en"])


def _curve(result: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Return the curve; where none was computed, what the sites of the plan reach one after the other, as the page draws it."""
    if result["curve"]:
        # Plans that were kept before bounds were have none.
        return [
            (
                one["sites"], "best", one["people"], one["adds_people"], one.get("value"), one.get("bound"), one.get("gap"),
                one["status"], int(one["is_nested"]),
            )
            for one in result["curve"]
        ]  # fmt: skip
    rows, total = list[Sequence[Any]](), 0.0
    for n, site in enumerate(result["sites"], start=1):
        total += site["people"]
        rows.append((n, "plan", round(total, 2), site["people"], None, None, None, None, 1))
    return rows


def _places(run: Run) -> Iterator[Sequence[Any]]:
    editions = (run.inputs.get("boundaries") or {}).get("editions", {})
    for row in run.result["places"]:
        figures = (row[name] for name in ("people", "before", "after", "gained"))
        yield (*_who(row), editions.get(row["code"]), *figures)


def _summary(asked: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[Fact]:
    """Tell the figures of a plan that are not of one site or place."""
    model, status = MODELS_TOLD[asked["model"]], STATUS_TOLD[result["status"]]
    yield Fact("service", asked["service"], asked["service_name_fa"], asked["service_name_en"])
    yield Fact("model", asked["model"], *model)
    yield Fact("status", result["status"], *status)
    is_weighed = asked["by_priority"] and asked["model"] in ("mclp", "capacitated", "p-median")
    unit, value_fa, value_en, bound_fa, bound_en = VALUES[asked["model"]]
    unit = unit.replace("people", "people × priority") if is_weighed else unit
    yield Fact("value", result["value"], value_fa, value_en, unit)
    yield Fact("bound", result["bound"], bound_fa, bound_en, unit)
    yield Fact(
        "gap", result["gap"], "شکاف", "Gap", description="|value − bound| / the smaller of both; empty where it is not known",
        description_fa="|مقدار − کران| / کوچک‌تر آن دو؛ اگر دانسته نباشد خالی است",
    )  # fmt: skip
    yield Fact("sites", len(result["sites"]), "شمار مرکزهای تازه", "New facilities", "facilities")
    for name, title_fa, title_en in _PEOPLE_TOLD:
        yield Fact(name, result[name], title_fa, title_en, "people")
    for name, title_fa, title_en in (
        ("mean_m", "میانگین فاصله تا نزدیک‌ترین مرکز", "Mean distance to the nearest facility"),
        ("farthest_m", "فاصلهٔ دورترین بلوک", "Distance of the farthest block"),
    ):
        before, after = result[name]
        yield Fact(f"{name}_before", before, f"{title_fa}، امروز", f"{title_en}, today", "m", *_IN_TIME)
        yield Fact(f"{name}_after", after, f"{title_fa}، پس از طرح", f"{title_en}, then", "m", *_IN_TIME)
    yield Fact("spent", result["spent"], "هزینهٔ همهٔ مرکزهای تازه", "Cost of all new facilities", "money")
    yield Fact("candidates", result["candidates"], "شمار نامزدها", "Candidates", "candidates")
    yield Fact(
        "forbidden", result["forbidden"], "نامزدهای روی زمین ممنوع", "Candidates on forbidden ground", "candidates"
    )
    yield Fact("blocks", result["blocks"], "شمار بلوک‌های جمعیت", "Blocks of people", "blocks")


_IN_TIME: Final = (
    "برای راه‌هایی که زمان می‌سنجند، متر پیاده‌روی در زمین هموار با ۵ کیلومتر در ساعت",
    "Where the way of travel measures time, metres of level walking at 5 km/h",
)
_PEOPLE_TOLD: Final = (
    ("people", "همهٔ مردم", "All people"),
    ("people_uncovered_today", "دور از دسترس امروز", "Beyond the threshold today"),
    ("people_gained", "بهره‌مندان تازه، شمرده یاخته به یاخته", "Newly reached, counted cell by cell"),
    ("people_gained_in_blocks", "بهره‌مندان تازه، شمرده در بلوک‌ها", "Newly reached, counted in blocks as the plan was proven"),
    ("people_hopeless", "دور از دسترس هر نامزد", "Out of reach of every candidate"),
    ("people_without_way", "بی‌راه به هر مرکز", "Without a way to any facility"),
)  # fmt: skip


def _facts(run: Run) -> Iterator[Fact]:
    """Tell what was asked, of which data, and by which code."""
    asked, city = run.parameters, run.city
    model_fa, model_en = MODELS_TOLD[asked["model"]]
    yield Fact("run", run.pk, "شمارهٔ محاسبه", "Number of the computation")
    yield Fact("city", city.code, city.name_fa, city.name_en)
    yield Fact("is_illustrative", city.is_illustrative, "آیا داده‌ها نمایشی است", "Whether the data are illustrative")
    yield Fact("method", asked["model"], model_fa, model_en, description="analysis/METHODS.md, Siting")
    for name, (unit, title_fa, title_en) in ASKED.items():
        yield Fact(f"asked.{name}", asked.get(name), title_fa, title_en, unit)
    yield Fact("computed_at", run.created_at.isoformat(timespec="seconds"), "زمان محاسبه", "When it was computed")
    yield Fact("seconds", round(run.duration_ms / 1000, 3), "زمان محاسبه به ثانیه", "Time of computing", "s")
    yield Fact(
        "seed", run.seed, "بذر عددهای تصادفی", "Seed of random numbers",
        description="The same question, data, code and seed give the same plan unless time runs out",
        description_fa="همان پرسش، داده، کد و بذر همان طرح را می‌دهد، مگر زمان به پایان رسد",
    )  # fmt: skip
    yield Fact("code_version", f"Mahalleh {run.code_version}", "نسخهٔ کد", "Version of the code")
    yield Fact(
        "input_hash", run.input_hash, "چکیدهٔ همهٔ ورودی‌ها", "Hash of all inputs",
        description="All editions, releases and parameters that were used",
        description_fa="همهٔ ویرایش‌ها، نسخه‌ها و پارامترهای به‌کاررفته",
    )  # fmt: skip
    yield from basis_facts(run.inputs)
    for warning in run.warnings:
        yield Fact("warning", warning, "هشدار", "Warning")


__all__ = ["plan_geojson", "plan_workbook", "site_rows"]
