"""What siting is asked and what it answers, in Persian and English: for files, which tell both at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MODELS_TOLD: Final[Mapping[str, tuple[str, str]]] = {
    "mclp": (
        "بیشترین پوشش: با این شمار مرکز یا این بودجه، بیشترین جمعیت ممکن به درون آستانه می‌آید.",
        "Maximal covering: with so many facilities or so much money, as many people as possible come within the threshold.",
    ),
    "capacitated": (
        "بیشترین پوشش با ظرفیت: مانند بیشترین پوشش، ولی کسی که مرکز تازه برایش جا ندارد شمرده نمی‌شود.",
        "Capacitated covering: as maximal covering, but nobody is counted for whom a new facility has no room.",
    ),
    "lscp": (
        "پوشش همگانی: با کمترین مرکز، هر کسی که بتوان به او رسید به درون آستانه می‌آید.",
        "Set covering: as few facilities as possible, so that everybody who can be reached is within the threshold.",
    ),
    "p-median": (
        "p-میانه: میانگین فاصلهٔ همهٔ مردم تا نزدیک‌ترین مرکز تا جای ممکن کوتاه می‌شود.",
        "p-median: the mean distance of all people to their nearest facility becomes as short as possible.",
    ),
    "p-centre": (
        "p-مرکز: راه کسی که از همه دورتر است تا جای ممکن کوتاه می‌شود؛ شمار ساکنان آنجا به حساب نمی‌آید.",
        "p-centre: whoever lives farthest from a facility has as short a way as possible; how many live there does not count.",
    ),
}
"""Each model in a sentence."""

STATUS_TOLD: Final[Mapping[str, tuple[str, str]]] = {
    "optimal": (
        "اثبات‌شده: هیچ گزینش دیگری از نامزدها بهتر نیست.",
        "Proven: no other choice among the candidates is better.",
    ),
    "gap_proven": (
        "اثبات‌شده: هیچ گزینش دیگری بیش از شکاف بهتر نیست.",
        "Proven: no other choice is better by more than the gap.",
    ),
    "best_found": (
        "بهترین یافته در زمان داده‌شده؛ گزینش دیگری شاید به اندازهٔ شکاف بهتر باشد.",
        "The best found in the time allowed; another choice might be better by as much as the gap.",
    ),
}
"""What is proven, never more than is."""

_MORE: Final = ("هیچ گزینشی بیش از این ندارد", "No choice has more than this")
_LESS: Final = ("هیچ گزینشی کمتر از این ندارد", "No choice has less than this")
VALUES: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "mclp": ("people", "بهره‌مندان تازه، شمرده در بلوک‌ها", "Newly reached, counted in blocks", *_MORE),
    "capacitated": ("people", "بهره‌مندان تازه که جا دارند", "Newly reached who find room", *_MORE),
    "lscp": ("facilities", "شمار مرکزهای تازه", "New facilities", *_LESS),
    "p-median": ("people × m", "جمع فاصلهٔ همهٔ مردم", "Distances of all people, added up", *_LESS),
    "p-centre": ("m", "دورترین فاصله", "The farthest distance", *_LESS),
}
"""Of what each model makes most or least: unit, name of the value, and what the bound says."""

ASKED: Final[Mapping[str, tuple[str, str, str]]] = {
    "service": ("", "کد خدمت", "Code of the service"),
    "model": ("", "مدل", "Model"),
    "sites": ("facilities", "بیشترین شمار مرکزهای تازه", "At most so many new facilities"),
    "budget": ("money", "بودجهٔ همه", "What all may cost together"),
    "site_cost": ("money", "هزینهٔ یک مرکز", "Cost of one facility"),
    "capacity": ("people", "شمار کسانی که یک مرکز تازه می‌پذیرد", "People that a new facility takes"),
    "threshold_m": (
        "m",
        "آستانه؛ زمان به متر پیاده‌روی در زمین هموار",
        "Threshold; time as metres of level walking",
    ),
    "standard_m": ("m", "آستانهٔ استاندارد شهر", "Threshold of the city's own standard"),
    "travel": ("", "شیوهٔ رفت‌وآمد", "Way of travel"),
    "by_priority": (
        "",
        "آیا هر کس به اندازهٔ امتیاز اولویت محدوده‌اش شمرده می‌شود",
        "Whether people count by the priority score of their place",
    ),
    "curve": ("facilities", "منحنی تا این شمار مرکز", "The curve goes up to so many facilities"),
    "candidates": (
        "",
        "لایهٔ نامزدها؛ خالی: نقطه‌هایی که مردم در آن می‌زیند",
        "Layer of the candidates; empty: points where people live",
    ),
    "candidates_where": ("", "تنها نامزدهایی با این مقدارها", "Only candidates with these values"),
    "spacing_m": ("m", "فاصلهٔ نقطه‌های نامزد", "Distance between candidate points"),
    "forbidden": ("", "لایهٔ زمین ممنوع", "Layer of forbidden ground"),
    "forbidden_where": ("", "تنها زمین‌هایی با این مقدارها", "Only ground with these values"),
    "forbidden_drawn": ("", "زمین ممنوع کشیده‌شده (GeoJSON)", "Forbidden ground that was drawn (GeoJSON)"),
    "must_reach_all": (
        "",
        "آیا بی‌رسیدن به همه پذیرفته نمی‌شود",
        "Whether it is refused where somebody cannot be reached",
    ),
    "time_limit_s": ("s", "زمان داده‌شده به حل", "Time allowed for solving"),
    "question": (
        "",
        "آستانه‌ها، شیوهٔ رفت‌وآمد و منبع جمعیت که پرسیده شد",
        "Thresholds, way of travel and source of people as asked",
    ),
}
"""What was asked, by member of the parameters of a run: unit and meaning."""

__all__ = ["ASKED", "MODELS_TOLD", "STATUS_TOLD", "VALUES"]
