"""Institutions' weights side by side as a workbook: ranks and scores by each, the weights, how much they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from analysis.caching import content_key
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
from analysis.indices.computing import IndexQuestion
from analysis.indices.weighing import WeightComparison
from analysis.measures.tables import Column
from analysis.results import number_or_none
from analysis.version import code_version


@dataclass(frozen=True, slots=True)
class SetTold:
    """Whose a compared set of weights is.

    Attributes
    ----------
    number
        Names the set in columns: ``rank_12``.
    how
        How its weights were found: ``given``, ``allocation`` or ``pairwise``.
    weights, comparisons
        As the institution gave them.
    """

    number: int
    institution_fa: str
    institution_en: str
    name_fa: str
    name_en: str
    how: str
    version: int
    saved_at: datetime
    note: str
    weights: Mapping[str, float]
    comparisons: Sequence[tuple[str, str, float]]


_SETS: Final = (
    Column(
        "set", "شمارهٔ وزن‌ها", "Number of the set", "", "Columns of ranks, scores and weights end with it",
        description_fa="ستون‌های رتبه، امتیاز و وزن با آن پایان می‌یابند",
    ),
    Column("institution_fa", "دستگاه به فارسی", "Institution in Persian"),
    Column("institution_en", "دستگاه به انگلیسی", "Institution in English"),
    Column("name_fa", "نام فارسی", "Persian name"),
    Column("name_en", "نام انگلیسی", "English name"),
    Column(
        "how", "شیوهٔ وزن‌دهی", "How weights were found", "",
        "given: one by one; allocation: 100 points divided; pairwise: domains compared two at a time",
        description_fa="given: یک‌به‌یک؛ allocation: تقسیم ۱۰۰ امتیاز؛ pairwise: مقایسهٔ دوبه‌دوی حوزه‌ها",
    ),
    Column("version", "شمارهٔ ویرایش وزن‌ها", "Version of the set"),
    Column("saved_at", "زمان ذخیره", "When it was saved"),
    Column("note", "یادداشت", "Note"),
)  # fmt: skip
_GIVEN: Final = (
    Column("set", "شمارهٔ وزن‌ها", "Number of the set"),
    Column("indicator", "کد شاخص", "Code of the indicator"),
    Column(
        "weight", "وزن داده‌شده", "Weight as it was given", "", "Only the proportions matter; of pairwise, what follows from comparing",
        description_fa="تنها نسبت‌ها مهم است؛ در pairwise آنچه از مقایسه به دست می‌آید",
    ),
    Column(
        "used", "به‌کاررفته", "Used", "", "0 where the city has no values of it, or it has no goalposts",
        description_fa="0 اگر شهر مقداری از آن ندارد یا کران ندارد",
    ),
)  # fmt: skip
_COMPARISONS: Final = (
    Column("set", "شمارهٔ وزن‌ها", "Number of the set"),
    Column("domain_a", "حوزهٔ نخست", "The first domain"),
    Column("domain_b", "حوزهٔ دوم", "The second domain"),
    Column(
        "times", "نسبت اهمیت", "Times as important", "", "The first compared with the second, 1/9 to 9",
        description_fa="اهمیت حوزهٔ نخست نسبت به دوم، از ۱/۹ تا ۹",
    ),
)  # fmt: skip
_AGREEMENT: Final = (
    Column("set_a", "شمارهٔ نخست", "Number of the first set"),
    Column("set_b", "شمارهٔ دوم", "Number of the second set"),
    Column(
        "tau", "τ کندال", "Kendall's τ-b", "", "1 for the same order, −1 for the reverse; empty where one ties all places",
        description_fa="۱ برای ترتیب یکسان، ۱− برای وارون؛ خالی اگر یکی همهٔ محدوده‌ها را برابر بداند",
    ),
)  # fmt: skip
_INDICATOR: Final = (
    Column("indicator", "کد شاخص", "Code of the indicator"),
    Column("name_fa", "نام فارسی", "Persian name"),
    Column("name_en", "نام انگلیسی", "English name"),
    Column("domain", "حوزه", "Domain"),
)
_DEFINED: Final = (
    *_INDICATOR,
    Column("definition_fa", "تعریف فارسی", "Definition in Persian"),
    Column("definition_en", "تعریف انگلیسی", "Definition in English"),
    Column("unit", "واحد", "Unit"),
    Column(
        "direction", "جهت", "Direction", "", "Whether more of it is more need", description_fa="آیا بیشتر بودن آن نیاز بیشتر است"
    ),
    Column("goalpost_low", "کران پایین", "Lower goalpost", "", "In the unit of the indicator", description_fa="به واحد شاخص"),
    Column("goalpost_high", "کران بالا", "Upper goalpost", "", "In the unit of the indicator", description_fa="به واحد شاخص"),
)  # fmt: skip


def weights_workbook(found: WeightComparison, sets: Sequence[SetTold], question: IndexQuestion) -> bytes:
    """Return a comparison of weights as a workbook (XLSX). Texts are never formulas.

    Parameters
    ----------
    sets
        In the order in which they were compared.
    question
        What was asked of `analysis.indices.weighing.weights_compare`.
    """
    tables = [
        _ranks(found, sets),
        _weights(found, sets),
        Tabled("agreement", _AGREEMENT, list(_pairs(found, sets))),
        summary_of(list(_summary(found))),
        Tabled("sets", _SETS, [_whose(one) for one in sets]),
        Tabled("given", _GIVEN, list(_given(found, sets))),
        Tabled("comparisons", _COMPARISONS, [(one.number, *row) for one in sets for row in one.comparisons]),
        _scores(found),
        Tabled("indicators", _DEFINED, list(_indicators(found))),
        Tabled("sources", SOURCES, source_rows(found.matrix.inputs)),
    ]
    return codebook_workbook(tables, list(_facts(found, sets, question)))


def _by(sets: Sequence[SetTold]) -> Iterator[tuple[str, str, str]]:
    """Return the number of each set as columns have it, and whose it is in both languages; the institution's other sets are told apart by name."""
    for one in sets:
        fa, en = one.institution_fa or one.institution_en, one.institution_en or one.institution_fa
        yield str(one.number), f"{fa}: {one.name_fa or one.name_en}", f"{en}: {one.name_en or one.name_fa}"


def _ranks(found: WeightComparison, sets: Sequence[SetTold]) -> Tabled:
    columns = [*PLACE]
    cells = [found.ranks]
    for number, fa, en in _by(sets):
        columns.append(
            Column(f"rank_{number}", f"رتبه نزد {fa}", f"Rank by {en}", "", _RANK_EN, description_fa=_RANK_FA)
        )
    if found.joint is not None:
        columns += [
            Column("rank_joint", "رتبه نزد همه با هم", "Rank by all together", "", _RANK_EN, description_fa=_RANK_FA),
            Column(
                "spread", "اختلاف رتبه", "Apart by", "", "The largest rank less the smallest",
                description_fa="بزرگ‌ترین رتبه منهای کوچک‌ترین",
            ),
            Column(
                "first_of", "شمار وزن‌هایی که آن را جزو نخستین‌ها می‌دانند", "Sets by which it is among the first", "sets",
                "How many are the first is told in the summary", description_fa="شمار نخستین‌ها در خلاصه است",
            ),
        ]  # fmt: skip
        firsts = found.agreement.first.sum(axis=0)
        cells += [found.joint.rank[None, :], found.agreement.spread[None, :], firsts[None, :]]
    rankings = [*found.rankings, *([found.joint] if found.joint is not None else [])]
    columns += [
        Column(f"score_{number}", f"امتیاز نزد {fa}", f"Score by {en}", "", _SCORE_EN, description_fa=_SCORE_FA)
        for number, fa, en in _by(sets)
    ]
    if found.joint is not None:
        columns.append(
            Column(
                "score_joint", "امتیاز نزد همه با هم", "Score by all together", "", _SCORE_EN, description_fa=_SCORE_FA
            )
        )
    order = sorted(range(len(found.matrix.places)), key=lambda i: (int((found.joint or found.rankings[0]).rank[i]), i))
    rows = [
        [
            *_place(found, i),
            *(int(row[i]) for table in cells for row in table),
            *(number_or_none(float(one.score[i])) for one in rankings),
        ]
        for i in order
    ]
    return Tabled("ranks", columns, rows)


_RANK_EN: Final = "1 is the highest need; ties share the better rank"
_RANK_FA: Final = "۱ بیشترین نیاز است؛ برابرها رتبهٔ بهتر را دارند"
_SCORE_EN: Final = "0 to 100, 100 is the highest need"
_SCORE_FA: Final = "۰ تا ۱۰۰؛ ۱۰۰ بیشترین نیاز است"


def _weights(found: WeightComparison, sets: Sequence[SetTold]) -> Tabled:
    named = [*_by(sets)]
    if found.joint_shares is not None:
        named.append(("joint", "همه با هم", "all together"))
    columns = [
        *_INDICATOR,
        *(
            Column(
                f"weight_{key}", f"وزن نزد {fa}", f"Weight by {en}", "", "As used, summing to 1",
                description_fa="آن‌گونه که به کار رفت؛ جمع آن ۱ است",
            )
            for key, fa, en in named
        ),
    ]  # fmt: skip
    shares = [*found.shares]
    if found.joint_shares is not None:
        shares.append(found.joint_shares)
    rows = [
        [one.code, one.name_fa, one.name_en, one.domain, *(float(row[k]) for row in shares)]
        for k, one in enumerate(found.matrix.indicators)
    ]
    return Tabled("weights", columns, rows)


def _scores(found: WeightComparison) -> Tabled:
    columns = [
        *PLACE,
        *(
            Column(
                one.code, one.name_fa, one.name_en, "", "Score, 0 to 1, 1 is the worst need; empty where nothing is known",
                description_fa="امتیاز از ۰ تا ۱؛ ۱ بدترین نیاز است؛ اگر دانسته نباشد خالی است",
            )
            for one in found.matrix.indicators
        ),
    ]  # fmt: skip
    rows = [
        [*_place(found, i), *(number_or_none(float(value)) for value in found.scores[i])]
        for i in range(len(found.matrix.places))
    ]
    return Tabled("scores", columns, rows)


def _place(found: WeightComparison, i: int) -> tuple[str, ...]:
    place = found.matrix.places[i]
    return (place.code, place.kind, place.name_fa, place.name_en)


def _pairs(found: WeightComparison, sets: Sequence[SetTold]) -> Iterator[Sequence[Any]]:
    for i, j in combinations(range(len(sets)), 2):
        yield sets[i].number, sets[j].number, number_or_none(float(found.agreement.taus[i, j]))


def _whose(one: SetTold) -> Sequence[Any]:
    return (
        one.number, one.institution_fa or None, one.institution_en or None, one.name_fa or None, one.name_en or None, one.how,
        one.version, one.saved_at.isoformat(timespec="seconds"), one.note or None,
    )  # fmt: skip


def _given(found: WeightComparison, sets: Sequence[SetTold]) -> Iterator[Sequence[Any]]:
    used = {one.code for one in found.matrix.indicators}
    for one in sets:
        for code, weight in one.weights.items():
            yield one.number, code, weight, int(code in used)


def _indicators(found: WeightComparison) -> Iterator[Sequence[Any]]:
    for one in found.matrix.indicators:
        low, high = one.goalposts or (None, None)
        yield (
            one.code, one.name_fa, one.name_en, one.domain, one.definition_fa or None, one.definition_en or None, one.unit or None,
            one.direction, low, high,
        )  # fmt: skip


def _summary(found: WeightComparison) -> Iterator[Fact]:
    """Tell how much all agree, as the page does."""
    agreed = found.agreement
    yield Fact("sets", len(found.keys), "شمار وزن‌ها", "Sets of weights", "sets")
    yield Fact("places", len(found.matrix.places), "شمار محدوده‌ها", "Places", "places")
    yield Fact("indicators", len(found.matrix.indicators), "شمار شاخص‌ها", "Indicators", "indicators")
    yield Fact(
        "concordance", agreed.concordance, "W کندال", "Kendall's W",
        description="1 where all sets give the same order, 0 where there is no agreement; empty where it cannot be said",
        description_fa="۱ اگر همهٔ وزن‌ها یک ترتیب دهند، ۰ اگر هم‌رأیی نباشد؛ اگر نتوان گفت خالی است",
    )  # fmt: skip
    yield Fact("first", found.first, "شمار نخستین‌ها", "So many places are the first", "places")
    yield Fact(
        "first_of_all", int(agreed.first_of_all.sum()), "محدوده‌هایی که نزد همه جزو نخستین‌هایند", "Places among the first by all sets", "places"
    )  # fmt: skip
    joined_fa, joined_en = _JOINED[found.joined]
    yield Fact("joined", found.joined if found.joint is not None else None, joined_fa, joined_en)


_JOINED: Final = {
    "shares": ("با هم: میانگین سهم‌ها، هر وزن به یک اندازه", "All together: the mean of their shares, each set counting the same"),
    "comparisons": ("با هم: میانگین هندسی مقایسه‌ها", "All together: the geometric means of their comparisons"),
}  # fmt: skip


def _facts(found: WeightComparison, sets: Sequence[SetTold], question: IndexQuestion) -> Iterator[Fact]:
    """Tell what was asked, of which data, and by which code."""
    matrix = found.matrix
    asked = {
        "normalisation": question.normalisation,
        "aggregation": question.aggregation,
        "treatment": question.treatment,
        "kinds": list(question.kinds),
        "sets": [[one.number, one.version] for one in sets],
    }
    yield Fact("city", matrix.city.code, matrix.city.name_fa, matrix.city.name_en)
    yield Fact(
        "is_illustrative", matrix.city.is_illustrative, "آیا داده‌ها نمایشی است", "Whether the data are illustrative"
    )
    yield Fact(
        "method", "comparison of weights", "همهٔ وزن‌ها همان محدوده‌ها را با همان امتیازها رتبه‌بندی می‌کنند؛ تنها وزن‌ها فرق دارد.",
        "All sets rank the same places by the same scores; only the weights differ.", description="analysis/METHODS.md",
    )  # fmt: skip
    yield Fact("normalisation", question.normalisation, "شیوهٔ امتیاز دادن به مقدارها", "How values become scores")
    yield Fact("aggregation", question.aggregation, "شیوهٔ ترکیب امتیازها", "How scores are put together")
    yield Fact("treatment", question.treatment, "کار با مقدارهای پرت", "What is done about values that stand out")
    yield Fact("kinds", list(question.kinds), "نوع محدوده‌ها؛ خالی: همه", "Kinds of places; empty: all")
    for one in found.left_out:
        yield Fact(
            "left_out",
            one.code,
            f"کنار گذاشته، بی‌کران: {one.name_fa}",
            f"Left out, no goalposts: {one.name_en}",
        )
    for code in found.unknown:
        yield Fact("unknown", code, "شهر مقداری از آن ندارد", "The city has no values of it")
    yield Fact("code_version", f"Mahalleh {code_version()}", "نسخهٔ کد", "Version of the code")
    yield Fact(
        "input_hash", content_key(asked, matrix.inputs), "چکیدهٔ همهٔ ورودی‌ها", "Hash of all inputs",
        description="All editions, releases, values, versions of sets and parameters that were used",
        description_fa="همهٔ ویرایش‌ها، نسخه‌ها، مقدارها، ویرایش‌های وزن‌ها و پارامترهای به‌کاررفته",
    )  # fmt: skip
    yield from basis_facts(matrix.inputs)
    for warning in matrix.warnings:
        yield Fact("warning", warning, "هشدار", "Warning")


__all__ = ["SetTold", "weights_workbook"]
