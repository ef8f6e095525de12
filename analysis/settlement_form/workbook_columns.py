"""What the columns of workbooks of settlement form are: unit and meaning, in Persian and English."""

from __future__ import annotations

from typing import Final

from analysis.codebooks import PLACE as OF_PLACE
from analysis.measures.tables import Column


def _column(name: str, unit: str, title_fa: str, title_en: str, told_fa: str = "", told_en: str = "") -> Column:
    return Column(name, title_fa, title_en, unit, told_en, description_fa=told_fa)


_HOMES: Final = (
    _column("homes", "homes", "خانه‌ها", "Homes", "هر ساختمان یک خانه شمرده شده است", "Each building counts as one"),
    _column(
        "homes_without_access", "homes", "خانه‌های بی‌دسترسی", "Homes without access",
        "قطعهٔ آن‌ها به معبری که دسترسی بدهد نمی‌رسد", "On plots that touch no street that gives access",
    ),
    _column("share_without_access", "", "سهم خانه‌های بی‌دسترسی", "Share of homes without access", "۰ تا ۱", "0 to 1"),
    _column(
        "homes_not_reached", "homes", "خانه‌های دست‌نیافتنی", "Homes not reached",
        "حتی از راه قطعه‌های همسایه هم به معبر نمی‌رسند؛ جزو خانه‌های بی‌دسترسی‌اند",
        "Not even neighbours' plots lead to them from a street; they are among those without access",
    ),
    _column(
        "k", "", "ردیف‌های قطعه (k)", "Layers of plots",
        "ردیف ۱ کنار معبر است؛ محدوده شمار عمیق‌ترین بلوک خود را دارد؛ ۰ یعنی هیچ معبری به بلوک نمی‌رسد",
        "Layer 1 is on a street; a place has the number of its deepest block; 0 where no street leads to",
    ),
)  # fmt: skip
_MARKED: Final = (
    _column(
        "is_worn", "", "بافت فرسوده", "Worn fabric",
        "yes بله، no خیر، undecided بسته به آنچه دانسته نیست؛ با ضابطهٔ برگهٔ codebook",
        "yes, no, or undecided where it depends on what is not known; by the rule in the codebook",
    ),
    _column("marks_met", "", "نشانه‌های برقرار", "Marks met", "از سه نشانهٔ بافت فرسوده", "Of three marks of worn fabric"),
    _column("marks_known", "", "نشانه‌های دانسته", "Marks known", "از سازهٔ ساختمان‌ها چیزی دانسته نیست", "The structure is not known"),
)  # fmt: skip
_SHARE_FA, _SHARE_EN = "۰ تا ۱؛ خالی اگر چیزی دانسته نباشد", "0 to 1; empty where nothing is known"
_PASSAGES: Final = _column(
    "passages_under_6_m", "", "سهم معابر باریک‌تر از ۶ متر", "Share of passages under 6 m",
    f"از طول معابری که پهنایشان دانسته است، {_SHARE_FA}", f"Of the length whose width is known, {_SHARE_EN}",
)  # fmt: skip
_PLOTS: Final = _column(
    "plots_under_200_m2", "", "سهم قطعه‌های کوچک‌تر از ۲۰۰ متر مربع", "Share of plots under 200 m²", _SHARE_FA, _SHARE_EN
)
_FORM: Final = (
    _column("blocks", "blocks", "بلوک‌های دارای خانه", "Blocks with homes"),
    *_HOMES,
    _column("k_of_homes_mean", "", "میانگین k", "Mean k", "با وزن شمار خانه‌ها", "Weighted by homes"),
    _column(
        "streets_not_connected_m", "m", "معابر جدا", "Streets not connected",
        "به معبری که از محدوده بیرون می‌رود نمی‌پیوندند و دسترسی نمی‌دهند",
        "Joined to no street that leads out of the place; they give no access",
    ),
    _PASSAGES,
    _column("passages_known_m", "m", "طول معابر با پهنای دانسته", "Length of passages whose width is known"),
    _column(
        "passages_unknown_m", "m", "طول معابر با پهنای نادانسته", "Length of passages whose width is not known",
        "فرض شده است که دسترسی می‌دهند", "Taken to give access",
    ),
    _PLOTS,
    _column("plots_known", "plots", "قطعه‌های با مساحت دانسته", "Plots whose area is known"),
    _column("plots_unknown", "plots", "قطعه‌های با مساحت نادانسته", "Plots whose area is not known"),
    *_MARKED,
    _column("worn_blocks", "blocks", "بلوک‌های فرسوده", "Worn blocks"),
    _column(
        "undecided_blocks", "blocks", "بلوک‌های نامعین", "Undecided blocks",
        "فرسودگی آن‌ها بسته به آنچه دانسته نیست", "Whether they are worn depends on what is not known",
    ),
    _column("edition", "", "شمارهٔ ویرایش مرز", "Number of the boundary's edition"),
    _column("edition_hash", "", "چکیدهٔ مرز", "Hash of the boundary"),
)  # fmt: skip

PLACE: Final = (
    *OF_PLACE,
    *_FORM,
    _column(
        "isolated_blocks", "blocks", "بلوک‌های بی‌معبر", "Isolated blocks",
        "خانه‌های بی‌دسترسی دارند و هیچ معبری به آن‌ها نمی‌رسد",
        "With homes without access, and no street leads to them",
    ),
)  # fmt: skip
"""Of the sheet ``place``."""

PLACES: Final = (
    *OF_PLACE,
    _column(
        "state", "", "وضعیت", "State", "measured سنجیده‌شده، not measured yet هنوز سنجیده‌نشده (ستون‌ها خالی‌اند)",
        "measured, or not measured yet: then the figures are empty",
    ),
    *_FORM,
    _column("run", "", "شمارهٔ محاسبه", "Number of the computation"),
    _column("measured_at", "UTC", "زمان سنجش", "When it was measured"),
    _column(
        "inputs_hash", "", "چکیدهٔ ورودی‌ها", "Hash of the inputs", "از مرز، نسخه‌های لایه‌ها، پرسش و کد",
        "Of boundary, releases, question and code",
    ),
)  # fmt: skip
"""Of the sheet ``places``."""

_BLOCK: Final = (
    _column("number", "", "شمارهٔ بلوک در جدول", "Number in the table", "۱ بیش از همه بی‌دسترسی دارد", "1 has the most homes without access"),
    _column(
        "block", "", "شناسهٔ بلوک", "Name of the block",
        "در محدودهٔ خود؛ نام تکه‌های مسیر با آن آغاز می‌شود", "In its place; names of pieces of path begin with it",
    ),
    _column("lon", "°", "طول جغرافیایی", "Longitude", "نقطه‌ای درون بلوک، EPSG:4326", "Of a point inside, EPSG:4326"),
    _column("lat", "°", "عرض جغرافیایی", "Latitude", "نقطه‌ای درون بلوک، EPSG:4326", "Of a point inside, EPSG:4326"),
    _column("area_m2", "m²", "مساحت", "Area"),
    *_HOMES,
    _PASSAGES,
    _PLOTS,
    *_MARKED,
)  # fmt: skip
BLOCKS: Final = (
    *_BLOCK,
    _column("is_isolated", "", "بی‌معبر", "Isolated", "yes: هیچ معبری به بلوک نمی‌رسد", "yes where no street leads to the block"),
)  # fmt: skip
"""Of the sheet ``blocks`` of a place."""

CITY_BLOCKS: Final = (*OF_PLACE, *_BLOCK)
"""Of the sheet ``blocks`` of a city."""

LAYERS: Final = (
    _column(
        "layer", "", "ردیف", "Layer",
        "۱ کنار معبر، ۲ پشت یک قطعهٔ دیگر و همین‌گونه تا آخر؛ ۰ از هیچ همسایه‌ای به معبر راه ندارد",
        "1 on a street, 2 behind one other plot, and so on; 0 where no neighbours lead to a street",
    ),
    _column("homes", "homes", "خانه‌های این ردیف", "Homes of this layer"),
    _column("share_of_homes", "", "سهم از خانه‌ها", "Share of homes", "۰ تا ۱", "0 to 1"),
    _column("blocks", "blocks", "بلوک‌هایی که k آن‌ها این است", "Blocks whose k this is"),
)  # fmt: skip
"""Of the sheet ``by_layer``."""

_PATHS: Final = (
    _column("path_width_m", "m", "پهنای مسیر", "Width of paths"),
    _column("cost_per_m", "IRR/m", "هزینهٔ هر متر", "Cost of a metre", "خالی اگر داده نشده باشد", "Empty where none was given"),
    _column("length_m", "m", "طول", "Length"),
    _column("cost", "IRR", "هزینه", "Cost", "خالی اگر هزینهٔ هر متر داده نشده باشد", "Empty where no cost of a metre was given"),
    _column(
        "homes_touched", "homes", "خانه‌های در برخورد", "Homes touched",
        "در نیم‌پهنای مسیر", "Within half the width of a path",
    ),
    _column("homes_without_access_before", "homes", "خانه‌های بی‌دسترسی، پیش", "Homes without access before"),
    _column("homes_without_access_after", "homes", "خانه‌های بی‌دسترسی، پس", "Homes without access after"),
    _column("homes_that_gain_access", "homes", "خانه‌هایی که دسترسی می‌یابند", "Homes that gain access"),
    _column("k_before", "", "k پیش", "k before"),
    _column("k_after", "", "k پس", "k after"),
)  # fmt: skip
ALTERNATIVES: Final = (
    _column(
        "goal", "", "هدف", "Goal",
        "least-length کوتاه‌ترین مسیرها؛ least-homes کمترین برخورد با خانه‌ها؛ through-streets مسیرهای گذرا",
        "least-length: shortest; least-homes: fewest homes touched; through-streets: no long detours",
    ),
    *_PATHS,
    _column(
        "gap", "", "فاصله تا بهینه", "Gap",
        "بیشترین سهمی که می‌شد کوتاه‌تر باشد، ۰ تا ۱؛ تنها برای least-length",
        "By what share it could at most be shorter, 0 to 1; for least-length alone",
    ),
    _column(
        "detour", "", "بیشترین دوری راه", "Largest detour",
        "چند برابر خط راست؛ تنها برای through-streets", "Times the straight line; for through-streets alone",
    ),
    _column("unreachable_plots", "plots", "قطعه‌های دست‌نیافتنی", "Unreachable plots", "هیچ مرزی به آن‌ها نمی‌رسد", "No edge leads to them"),
)  # fmt: skip
"""Of the sheet ``alternatives``."""

PLANS: Final = (
    _column("plan", "", "شمارهٔ طرح", "Number of the plan"),
    _column("name", "", "نام", "Name"),
    _column("note", "", "یادداشت", "Note"),
    _column("kept_by", "", "نگه‌دارنده", "Kept by"),
    _column("kept_at", "UTC", "زمان نگه‌داری", "When it was kept"),
    _column("begun_from", "", "آغازشده از", "Begun from", "هدف یک گزینه، یا plan- و شمارهٔ طرحی دیگر",
        "The goal of an alternative, or plan- and the number of another plan"),
    _column("narrowest_m", "m", "کمترین پهنای معبر برای دسترسی", "Narrowest street that gives access"),
    *_PATHS,
    _column("homes", "homes", "خانه‌ها", "Homes", "همهٔ خانه‌های محدوده", "All homes of the place"),
    _column("pieces", "", "تکه‌های مسیر", "Pieces of path"),
    _column("pieces_not_joined", "", "تکه‌های جدا", "Pieces not joined", "به معبری نمی‌رسند و دسترسی نمی‌دهند",
        "They lead to no street and give no access"),
    _column("edition", "", "شمارهٔ ویرایش مرز", "Number of the boundary's edition"),
    _column("streets_release", "", "نسخهٔ لایهٔ معابر", "Release of the streets"),
    _column("buildings_release", "", "نسخهٔ لایهٔ ساختمان‌ها", "Release of the buildings"),
    _column(
        "same_plots", "", "همین قطعه‌ها", "Same plots",
        "yes یعنی از همان مرز، نسخه‌ها، پهنا و نسخهٔ برنامهٔ این فایل",
        "yes where it was kept from the boundary, releases, width and code of this workbook",
    ),
    _column("code_version", "", "نسخهٔ برنامه", "Version of the code"),
)  # fmt: skip
"""Of the sheet ``plans``."""

__all__ = ["ALTERNATIVES", "BLOCKS", "CITY_BLOCKS", "LAYERS", "PLACE", "PLACES", "PLANS"]
