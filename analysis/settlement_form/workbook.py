"""The form of places as workbooks: figures, blocks, new paths and plans, and a codebook that says what everything in them is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from analysis.codebooks import Fact, Tabled, codebook_workbook
from analysis.measures.tables import Column, Row
from analysis.models import Run
from analysis.settlement_form.measuring import FormReading, SettlementForm
from analysis.settlement_form.pieces import ground_of
from analysis.settlement_form.questions import FormQuestion
from analysis.settlement_form.records import form_record
from analysis.settlement_form.workbook_columns import (
    ALTERNATIVES,
    BLOCKS,
    CITY_BLOCKS,
    LAYERS,
    PLACE,
    PLACES,
    PLANS,
)
from analysis.settlement_form.worn import Worn, WornRule, worn_of_records
from analysis.version import code_version

METHOD_EN: Final = (
    "Streets cut a place into blocks. The plot of a home is the land nearer to it than to any other, as no plots are known; "
    "each building counts as one home. A plot that touches a street from which one can leave the place, and that is wide "
    "enough, is in layer 1; its neighbours are in layer 2, and so on. k is the number of layers of a block; homes that are "
    "not in layer 1 are without access. References: Brelsford et al. 2018; Bettencourt & Marchio 2025; marks of worn fabric "
    "by the Supreme Council of Urban Planning and Architecture (1385), not verified."
)
METHOD_FA: Final = (
    "معابر محدوده را به بلوک‌ها می‌برند. چون قطعه‌ها دانسته نیست، قطعهٔ هر خانه زمینی است که به آن نزدیک‌تر از خانه‌های دیگر است؛ "
    "هر ساختمان یک خانه شمرده می‌شود. قطعه‌ای که به معبری با پهنای کافی و راه به بیرون محدوده برسد در ردیف ۱ است، همسایه‌هایش در "
    "ردیف ۲ و همین‌گونه تا آخر. k شمار ردیف‌های بلوک است؛ خانه‌هایی که در ردیف ۱ نیستند بی‌دسترسی‌اند. نشانه‌های بافت فرسوده به "
    "مصوبهٔ شورای عالی شهرسازی و معماری (۱۳۸۵)؛ تأیید نشده است."
)
_Table = tuple[str, Sequence[Column], Sequence[Row]]
_WORN: Final = {True: "yes", False: "no", None: "undecided"}


def form_workbook(
    reading: FormReading,
    number: int,
    form: SettlementForm,
    asked: FormQuestion,
    rule: WornRule,
    *,
    alternatives: Mapping[str, Any] | None = None,
    plans: Iterable[Run] = (),
    written_at: datetime,
) -> bytes:
    """Return the form of a place as a workbook (XLSX). Texts are never formulas.

    Parameters
    ----------
    number
        Of the place, in what was read.
    alternatives
        From `analysis.settlement_form.alternatives_find`; None where none were looked for.
    plans
        Those of the place that the reader may see.
    """
    record, isolated = form_record(form), ground_of(form).isolated
    (of_place,) = worn_of_records(rule, [record])
    of_blocks = worn_of_records(rule, record["by_block"])
    place = _form(reading, number, record, of_place, of_blocks) | {"isolated_blocks": len(isolated)}
    blocks = [row | {"is_isolated": _yes(row["block"] in isolated)} for row in _blocks(record, of_blocks)]
    tables: list[_Table] = [
        ("place", PLACE, [place]),
        ("blocks", BLOCKS, blocks),
        ("by_layer", LAYERS, list(_layers(record))),
    ]
    if alternatives is not None:
        rows = [_alternative(one, record, asked) for one in alternatives["alternatives"]]
        tables.append(("alternatives", ALTERNATIVES, rows))
    kept = [_plan(run, reading.inputs(number), form) for run in plans]
    if kept:
        tables.append(("plans", PLANS, kept))
    edition = reading.inputs(number)["boundary"]
    about = [
        _said("place", form.place.code, "محدوده", "Place", form.place.name_fa, form.place.name_en),
        *_question(reading, asked, rule),
        _said("path_width_m", asked.path_width_m, "پهنای مسیرهای تازه", "Width of new paths", unit="m"),
        _said("cost_per_m", asked.cost_per_m or None, "هزینهٔ هر متر مسیر", "Cost of a metre of path", unit="IRR/m"),
        _said("boundary.edition", edition["edition"], "شمارهٔ ویرایش مرز", "Number of the boundary's edition"),
        _said("boundary.hash", edition["hash"], "چکیدهٔ مرز", "Hash of the boundary"),
        _said(
            "alternatives",
            "told" if alternatives is not None else "not looked for",
            "گزینه‌های مسیر",
            "Alternatives of paths",
            "برای مسیرهایی با این پهنا و هزینه",
            "For paths of this width and cost",
        ),
        _said("plans", len(kept), "طرح‌های نگه‌داشته", "Plans that were kept"),
        _said("epsg", form.epsg, "سامانهٔ سنجش", "Projected system in which was measured"),
        _said("inputs_hash", form.key, "چکیدهٔ ورودی‌ها", "Hash of boundary, releases, question and code"),
    ]
    return _written("settlement form of a place", reading, tables, about, written_at)


def city_workbook(
    reading: FormReading,
    numbers: Sequence[int],
    runs: Mapping[str, Run],
    asked: FormQuestion,
    rule: WornRule,
    *,
    written_at: datetime,
) -> bytes:
    """Return the form of places of a city as a workbook (XLSX): as they were measured; texts are never formulas.

    Parameters
    ----------
    numbers
        Of the places that are told, in what was read. Those with the largest share of homes without access come first,
        those that were not measured last and without figures.
    runs
        By code of a place, from `analysis.settlement_form.forms_kept`.
    """
    rows = reading.places.rows
    known = [number for number in numbers if rows[number].code in runs]
    marks = dict(zip(known, worn_of_records(rule, (runs[rows[n].code].result for n in known)), strict=True))
    places: list[Row] = []
    blocks: list[Row] = []
    for number in sorted(known, key=lambda n: _order(rows[n].code, runs[rows[n].code].result)):
        run = runs[rows[number].code]
        of_blocks = worn_of_records(rule, run.result["by_block"])
        own: Row = {
            "state": "measured",
            "run": run.pk,
            "measured_at": _utc(run.created_at),
            "inputs_hash": run.input_hash,
        }
        places.append(_form(reading, number, run.result, marks[number], of_blocks) | own)
        blocks += [_of(reading, number) | row for row in _blocks(run.result, of_blocks)]
    waiting = [number for number in numbers if number not in marks]
    places += [_of(reading, number) | {"state": "not measured yet"} for number in waiting]
    about = [
        *_question(reading, asked, rule),
        _said("places", len(numbers), "شمار محدوده‌ها", "Number of places"),
        _said("places.measured", len(known), "شمار محدوده‌های سنجیده‌شده", "Number of places that were measured"),
        _said("places.not_measured", len(waiting), "شمار محدوده‌های سنجیده‌نشده", "Number of places not measured yet"),
    ]
    tables = [("places", PLACES, places), ("blocks", CITY_BLOCKS, blocks)]
    return _written("settlement form of a city", reading, tables, about, written_at)


# ---- rows


def _of(reading: FormReading, number: int) -> Row:
    row = reading.places.rows[number]
    return {"place_code": row.code, "kind": row.kind, "name_fa": row.name_fa, "name_en": row.name_en}


def _form(reading: FormReading, number: int, record: Mapping[str, Any], worn: Worn, of_blocks: Sequence[Worn]) -> Row:
    passages, plots = record["passages_under_6_m"], record["plots_under_200_m2"]
    boundary = reading.inputs(number)["boundary"]
    return {
        **_of(reading, number),
        "blocks": record["blocks"],
        **_homes({**record, "homes": record["buildings"]}),
        "k_of_homes_mean": record["k_of_homes_mean"],
        "streets_not_connected_m": record["streets_not_connected_m"],
        "passages_under_6_m": passages["share"],
        "passages_known_m": passages["known"],
        "passages_unknown_m": passages["unknown"],
        "plots_under_200_m2": plots["share"],
        "plots_known": plots["known"],
        "plots_unknown": plots["unknown"],
        **_marks(worn),
        "worn_blocks": sum(one.is_worn is True for one in of_blocks),
        "undecided_blocks": sum(one.is_worn is None for one in of_blocks),
        "edition": boundary["edition"],
        "edition_hash": boundary["hash"],
    }


def _homes(told: Mapping[str, Any]) -> Row:
    without, homes = told["homes_without_access"], told["homes"]
    return {
        "homes": homes,
        "homes_without_access": without,
        "share_without_access": without / homes if homes else None,
        "homes_not_reached": told["homes_not_reached"],
        "k": told["k"],
    }


def _marks(worn: Worn) -> Row:
    return {"is_worn": _WORN[worn.is_worn], "marks_met": worn.met, "marks_known": worn.known}


def _blocks(record: Mapping[str, Any], worn: Sequence[Worn]) -> Iterator[Row]:
    names = ("block", "lon", "lat", "area_m2", "passages_under_6_m", "plots_under_200_m2")
    for number, (row, mark) in enumerate(zip(record["by_block"], worn, strict=True), start=1):
        yield {"number": number, **{name: row[name] for name in names}, **_homes(row), **_marks(mark)}


def _layers(record: Mapping[str, Any]) -> Iterator[Row]:
    """Return homes by layer, and blocks by how many layers they have; layer 0 is that of nobody's neighbours."""
    homes = [record["homes_not_reached"], *record["homes_by_layer"]]
    blocks = record["blocks_by_k"]
    for layer in range(max(len(homes), *(int(k) + 1 for k in blocks))):
        here = homes[layer] if layer < len(homes) else 0
        share = here / record["buildings"]
        yield {"layer": layer, "homes": here, "share_of_homes": share, "blocks": blocks.get(str(layer), 0)}


def _alternative(one: Mapping[str, Any], record: Mapping[str, Any], asked: FormQuestion) -> Row:
    before = {"homes_without_access_before": record["homes_without_access"], "k_before": record["k"]}
    own = {name: one[name] for name in ("goal", "gap", "detour", "unreachable_plots")}
    return own | _paths({**one, **before}, asked.path_width_m, asked.cost_per_m)


def _paths(told: Mapping[str, Any], width_m: float, cost_per_m: float) -> Row:
    names = (
        "length_m", "homes_touched", "homes_without_access_before", "homes_without_access_after", "k_before", "k_after",
    )  # fmt: skip
    return {
        "path_width_m": width_m,
        "cost_per_m": cost_per_m or None,
        "cost": told["cost"] if cost_per_m else None,
        **{name: told[name] for name in names},
        "homes_that_gain_access": told["homes_without_access_before"] - told["homes_without_access_after"],
    }


def _plan(run: Run, inputs: Mapping[str, Any], form: SettlementForm) -> Row:
    asked, result = run.parameters, run.result
    is_same = (
        run.inputs == inputs
        and run.code_version == code_version()
        and all(asked[name] == value for name, value in form.asked.of_form().items())
    )
    return {
        "plan": run.pk,
        "name": asked["name"],
        "note": asked["note"],
        "kept_by": run.author.get_username() if run.author else None,
        "kept_at": _utc(run.created_at),
        "begun_from": asked["begun_from"],
        "narrowest_m": asked["narrowest_m"],
        **_paths(result, asked["path_width_m"], asked["cost_per_m"]),
        "homes": result["homes"],
        "pieces": len(result["pieces"]),
        "pieces_not_joined": len(result["not_joined"]),
        "edition": run.inputs["boundary"]["edition"],
        "streets_release": run.inputs["streets"]["release"],
        "buildings_release": run.inputs["buildings"]["release"],
        "same_plots": _yes(is_same),
        "code_version": run.code_version,
    }


def _order(code: str, record: Mapping[str, Any]) -> tuple[float, int, str]:
    """Return by what places are sorted, as on the page: the largest share without access first."""
    without = record["homes_without_access"]
    return -without / record["buildings"], -without, code


# ---- the codebook


def _question(reading: FormReading, asked: FormQuestion, rule: WornRule) -> Iterator[Fact]:
    yield _said(
        "narrowest_m", asked.narrowest_m, "کمترین پهنای معبر برای دسترسی", "Narrowest street that gives access",
        "معابر با پهنای نادانسته همه دسترسی می‌دهند", "Streets of unknown width all do", unit="m",
    )  # fmt: skip
    yield _said("width_field", asked.width_field, "فیلد پهنای معابر", "Field of the streets with their width")
    yield _said(
        "worn.marks", rule.needed, "نشانه‌های لازم برای بافت فرسوده", "Marks that worn fabric has",
        "از سه نشانه؛ منابع یکسان نیستند", "Of three; sources differ",
    )  # fmt: skip
    yield _said("worn.share", rule.share, "نشانه بیش از این سهم است", "A mark is above this share", "۰ تا ۱", "0 to 1")
    for name, fa, en, release in (
        ("streets", "معابر", "Streets", reading.streets),
        ("buildings", "ساختمان‌ها", "Buildings", reading.buildings),
    ):
        layer, day = release.layer, release.reference_date
        yield _said(f"{name}.layer", layer.code, f"لایهٔ {fa}", f"Layer: {en}", layer.name_fa, layer.name_en)
        yield _said(
            f"{name}.release", release.number, "شمارهٔ نسخه", "Number of the release",
            layer.source_fa or layer.source, layer.source,
        )  # fmt: skip
        yield _said(f"{name}.reference_date", day, "روزی که داده‌ها توصیف می‌کنند", "The day the data describe")
        yield _said(f"{name}.content_hash", release.content_hash, "چکیدهٔ محتوا", "Hash of the content")


def _written(
    measure: str, reading: FormReading, tables: Sequence[_Table], about: Iterable[Fact], at: datetime
) -> bytes:
    city = reading.city
    facts = [
        _said("measure", measure, "سنجه", "Measure"),
        _said("city", city.code, "شهر", "City", city.name_fa, city.name_en),
        _said(
            "is_illustrative", _yes(city.is_illustrative), "آیا داده‌ها نمایشی است", "Whether the data are illustrative"
        ),
        _said("method", "", "روش", "Method", METHOD_FA, METHOD_EN),
        *about,
        _said("code_version", f"Mahalleh {code_version()}", "نسخهٔ برنامه", "Version of the code"),
        _said("written_at", _utc(at), "زمان نوشتن", "When this was written", unit="UTC"),
    ]
    sheets = [
        Tabled(name, columns, [[row.get(one.name) for one in columns] for row in rows])
        for name, columns, rows in tables
    ]
    return codebook_workbook(sheets, facts)


def _said(
    name: str, value: Any, title_fa: str, title_en: str, told_fa: str = "", told_en: str = "", *, unit: str = ""
) -> Fact:
    return Fact(name, value, title_fa, title_en, unit, told_fa, told_en)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


__all__ = ["city_workbook", "form_workbook"]
