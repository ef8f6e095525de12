"""Near-duplicate needs: Persian sentences that are one need, and such that are two."""

from __future__ import annotations

import math
import time
from collections import Counter

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.text import normalise
from geo.errors import InvalidInput
from interventions.core.near_duplicates import LEAST_TEXT, THRESHOLD, WEIGHTS, Telling, near_duplicates, text_likeness

ZWNJ = "\u200c"

SAME = [
    # Letters, half-spaces and marks of two keyboards.
    ("آسفالت خیابان اصلی علي آباد خراب است", f"آسفالت خیابان اصلی علی{ZWNJ}آباد خراب است"),
    ("آسفالت خیابان اصلی علی آباد خراب است", "اسفالت خيابان اصلي علیآباد خرابه"),
    # The order of words.
    ("روشنایی معابر کوچهٔ شهید رضایی", "معابر کوچه شهید رضایی روشنایی ندارد"),
    ("نبود مدرسه دخترانه در پشت بازار", "پشت بازار مدرسهٔ دخترانه ندارد"),
    # Other forms of the same words.
    ("جمع‌آوری نشدن زباله در کوچه‌های گل‌سفید", "زباله‌های کوچه‌ی گل سفید جمع آوری نمی‌شود"),
    ("آب آشامیدنی سالم نیست", "سالم نبودن آب آشامیدنی"),
    ("درمانگاه شبانه‌روزی نداریم", "نیاز به درمانگاه شبانه روزی"),
    ("پل عابر پیاده روبروی مدرسه لازم است", "روبه‌روی مدرسه پل عابر پیاده نیاز است"),
    # Few words and many.
    ("روشنایی معابر", "معابر محله شب‌ها روشنایی کافی ندارد و زنان ناامن‌اند"),
    ("کوچه‌ها آسفالت ندارند و گلی است", "آسفالت نبودن کوچه‌های محله"),
    ("No street lights in the main alley", "The main alley needs street lights!"),
]
DIFFERENT = [
    ("نبود مدرسه دخترانه در علی‌آباد", "نبود درمانگاه در علی‌آباد"),
    ("آسفالت کوچه شهید رضایی", "روشنایی پارک لاله"),
    ("نیاز به آب آشامیدنی سالم", "نیاز به کتابخانه و سالن مطالعه"),
    ("جمع‌آوری زباله", "جمع‌آوری آب‌های سطحی و فاضلاب خیابان امام"),
    ("کمبود معلم در دبستان پسرانه", "کمبود پزشک متخصص زنان"),
    ("مشکل اعتیاد جوانان محله", "مشکل اشتغال زنان سرپرست خانوار"),
    ("سرعت‌گیر جلوی مدرسه", "دیوار مدرسه ترک خورده"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_need_in_other_words_is_found(one: str, other: str) -> None:
    near, far = shapely.Point(0, 0), shapely.Point(60, 0)
    (match,) = near_duplicates(Telling(one, 1, 100, near), [Telling(other, 1, 90, far)])
    assert match.text is not None
    assert match.text > LEAST_TEXT
    assert match.score >= THRESHOLD


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_needs_of_one_sector_place_and_day_stay_two(one: str, other: str) -> None:
    at = shapely.Point(0, 0)
    assert near_duplicates(Telling(one, 1, 100, at), [Telling(other, 1, 100, at)]) == ()


def test_the_name_of_the_place_is_not_what_is_lacking() -> None:
    at = shapely.Point(0, 0)
    school, park = Telling("نبود مدرسه در پشت بازار", 1, 0, at), Telling("نبود پارک در پشت بازار", 1, 0, at)
    assert near_duplicates(school, [park])
    assert near_duplicates(school, [park], names=["پشت بازار", "خرم‌آباد"]) == ()
    again = Telling("مدرسه برای پشت‌بازار", 1, 0, at)
    assert near_duplicates(school, [again], names=["پشت بازار"])[0].text == 1.0


def test_the_likeness_of_pairs_is_apart() -> None:
    same = [text_likeness(*pair) or 0 for pair in SAME]
    different = [text_likeness(*pair) or 0 for pair in DIFFERENT]
    assert max(different) < min(same)


def test_spellings_of_a_name_are_one() -> None:
    for spelling in ("علي آباد", f"علی{ZWNJ}آباد", "علیآباد", "عَلی‌آبـاد", "على اباد"):
        assert text_likeness("علی آباد", spelling) == 1.0, spelling
    assert (text_likeness("علی‌آباد", "گل‌سفید") or 0) < 0.1


def test_words_that_say_nothing_do_not_make_two_needs_alike() -> None:
    assert text_likeness("نیاز به آب در محله", "نیاز به برق در محله") == 0.0
    assert text_likeness("نیاز", "نیاز") is None
    assert text_likeness("", "آب") is None


def brute_likeness(one: str, other: str) -> float:
    """The larger cosine, by vectors over all trigrams of both texts."""

    def cosine(first: list[str], second: list[str]) -> float:
        a = Counter(gram for word in first for gram in zip(f" {word}", f"{word} ", f"{word[1:]} ", strict=False))
        b = Counter(gram for word in second for gram in zip(f" {word}", f"{word} ", f"{word[1:]} ", strict=False))
        both = sorted({*a, *b})
        dot = sum(a[g] * b[g] for g in both)
        return dot / math.hypot(*(a[g] for g in both)) / math.hypot(*(b[g] for g in both))

    first, second = normalise(one).split(), normalise(other).split()
    return max(cosine(first, second), cosine(["".join(first)], ["".join(second)]))


letters = st.text("ابپتسجچ", min_size=1, max_size=6)
texts = st.lists(letters, min_size=1, max_size=4).map(lambda words: " ".join(f"{word}ژ" for word in words))


@given(texts, texts)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_likeness_is_a_cosine_of_trigrams(one: str, other: str) -> None:
    found = text_likeness(one, other)
    assert found is not None
    assert 0 <= found <= 1
    assert found == pytest.approx(brute_likeness(one, other), abs=1e-12)
    assert found == text_likeness(other, one)
    assert text_likeness(one, one) == 1.0
    assert text_likeness(one, " ".join(reversed(one.split()))) == 1.0
    assert text_likeness(one, one.replace(" ", "")) == 1.0


def test_each_respect_is_told_and_adds_up() -> None:
    new = Telling("روشنایی معابر", 3, 100, shapely.Point(0, 0), place=1)
    old = Telling("روشنایی معابر", 4, 26, shapely.LineString([(0, 100), (0, 900)]), place=2)
    (match,) = near_duplicates(new, [old], threshold=0.5, reach_m=500, span_days=370)
    assert (match.text, match.space, match.sector, match.time) == (1.0, 0.8, 0.0, 0.8)
    assert (match.distance_m, match.days_apart) == (100, 74)
    assert match.score == pytest.approx(
        sum(WEIGHTS[k] * v for k, v in {"text": 1.0, "space": 0.8, "sector": 0.0, "time": 0.8}.items())
    )
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_what_is_not_known_is_left_out() -> None:
    at = shapely.Point(0, 0)
    # Without a geometry the place says where; of another place nothing is shown.
    same_place = Telling("روشنایی معابر", 1, 0, None, place=5)
    (match,) = near_duplicates(same_place, [Telling("روشنایی معابر", 1, 0, at, place=5)])
    assert (match.space, match.distance_m, match.score) == (1.0, None, 1.0)
    assert near_duplicates(same_place, [Telling("روشنایی معابر", 1, 0, at, place=6)]) == ()
    # Neither geometry nor place: the others count for more.
    (match,) = near_duplicates(Telling("روشنایی معابر", 1, 0), [Telling("روشنایی معابر", 1, 0)])
    assert (match.space, match.score) == (None, 1.0)
    # One in Persian without words that say anything: nearness, sector and time decide.
    (match,) = near_duplicates(Telling("", 1, 0, at), [Telling("روشنایی معابر", 1, 0, at)])
    assert (match.text, match.score) == (None, 1.0)
    empty = shapely.Point()
    (match,) = near_duplicates(Telling("آب", 1, 0, at, 2), [Telling("آب", 1, 0, empty, 2)])
    assert match.distance_m is None
    assert near_duplicates(Telling("آب", 1, 0, at), []) == ()


def test_the_same_words_far_away_are_another_need() -> None:
    new = Telling("روشنایی معابر", 1, 0, shapely.Point(0, 0))
    assert near_duplicates(new, [Telling("روشنایی معابر", 1, 0, shapely.Point(500, 0))]) == ()
    assert near_duplicates(new, [Telling("روشنایی معابر", 1, 0, shapely.Point(499, 0))], threshold=0.5)


@given(st.permutations(range(6)), st.floats(0, 400), st.floats(0, 300))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_order_changes_nothing_and_nearer_is_never_less_likely(order, metres: float, days: float) -> None:
    words = ["آب شرب", "آب شرب سالم", "برق", "آسفالت", "شرب آب", "فاضلاب"]
    existing = [Telling(text, i % 2, float(i), shapely.Point(i * 50, 0)) for i, text in enumerate(words)]
    new = Telling("آب شرب", 0, 0, shapely.Point(0, 0))
    found = near_duplicates(new, existing, threshold=0.3)
    turned = near_duplicates(new, [existing[i] for i in order], threshold=0.3)
    assert {(order[m.index], m.score) for m in turned} == {(m.index, m.score) for m in found}
    assert [m.score for m in turned] == sorted((m.score for m in turned), reverse=True)
    far = near_duplicates(new, [Telling("آب شرب", 0, days, shapely.Point(metres, 0))], threshold=0)
    farther = near_duplicates(new, [Telling("آب شرب", 0, days + 10, shapely.Point(metres + 10, 0))], threshold=0)
    assert far[0].score > farther[0].score


def test_parameters_out_of_range_are_refused() -> None:
    for wrong in ({"threshold": 1.1}, {"threshold": math.nan}, {"reach_m": 0}, {"span_days": math.inf}):
        with pytest.raises(InvalidInput):
            near_duplicates(Telling("آب", 1, 0), [], **wrong)


def test_some_hundreds_take_no_time() -> None:
    words = normalise(
        "آسفالت کوچه خیابان روشنایی معابر مدرسه درمانگاه آب برق گاز فاضلاب زباله پارک سالن کتابخانه"
    ).split()
    existing = [
        Telling(" ".join(words[(i * k) % len(words)] for k in range(1, 30)), i % 9, i, shapely.Point(i, 0))
        for i in range(500)
    ]
    began = time.process_time()
    near_duplicates(existing[0], existing)
    assert time.process_time() - began < 2
