"""Names: two spellings a reader cannot tell apart are one name."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.text import ZWNJ, clean_name, normalise, slugify, squeezed

NAMES = st.text(alphabet=st.sampled_from("علیآبادكيةهۀئأخرم‌ 12۱۲٣ّـãéßAİı-_()ﻛﻲ\u200f\u00ad"), max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("علی‌آباد", "علي آباد"),
        ("کرگانه", "كرگانه"),
        ("خرم‌آباد", "خُرَّم‌آباد"),
        ("پل‌دختر", "پل دختر"),
        ("محلهٔ ۱۲", "محله 12"),
        ("محلۀ ١٢", "محله ۱۲"),
        ("مسئول", "مسیول"),
        ("فلک‌الدین", "فلـــک الدین"),
        ("São Vicente", "SAO  VICENTE"),
        ("کوی «شهید»", "کوی شهید"),
        ("ﻛﺮﮔﺎﻧﻪ", "کرگانه"),
        ("Straße", "STRASSE"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize("written", ["علی‌آباد", "علی آباد", "علیآباد", "علياباد", "علي‌آباد", "علـی  ‌آباد", "علی-آباد"])
def test_a_search_looks_past_spaces_and_half_spaces(written: str) -> None:
    assert squeezed(written) == "علیاباد"
    assert squeezed("ملك آباد") == squeezed("ملک‌آباد") != squeezed("مل آباد")


@pytest.mark.parametrize(("one", "other"), [("کرگانه", "گرگانه"), ("ماسور", "ماسول"), ("محله ۱", "محله ۲")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_prefixes_fall_only_when_asked_and_never_leave_nothing() -> None:
    assert normalise("شهرستان خرم‌آباد") == "شهرستان خرم اباد"
    assert normalise("شهرستان خرم‌آباد", drop_prefix=True) == "خرم اباد"
    assert normalise("شهرستان", drop_prefix=True) == "شهرستان"
    assert normalise("شهرستانک", drop_prefix=True) == "شهرستانک"


def test_the_stored_name_keeps_the_writers_spelling() -> None:
    assert clean_name(" درهٔ  گرم\tغربي\u200f ") == "درهٔ گرم غربی"
    assert clean_name("گل‌سفید ۱۲") == "گل‌سفید ۱۲"
    assert clean_name(f"گل{ZWNJ} سفید{ZWNJ}") == "گل سفید"
    assert clean_name("ﻛﻲ") == "کی"
    assert clean_name("Sa\u0303o") == "São"
    assert clean_name("a\x00b") == "a b"


@given(NAMES | st.text(max_size=20))
@settings(derandomize=True, deadline=None)
def test_all_three_forms_are_their_own_form(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)
    assert clean_name(clean_name(name)) == clean_name(name)
    assert slugify(slugify(name)) == slugify(name)
    assert normalise(clean_name(name)) == normalise(name)


@given(NAMES | st.text(max_size=20))
@settings(derandomize=True, deadline=None)
def test_a_slug_is_fit_for_an_address(name: str) -> None:
    slug = slugify(name)
    assert re.fullmatch(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?", slug)


def test_slugs() -> None:
    assert slugify("São Vicente") == "sao-vicente"
    assert slugify("Vila Nova (Gleba Ⅱ)") == "vila-nova-gleba-ii"
    assert slugify("محلهٔ ۱۲") == "mhlh-12"
    assert slugify("خرم‌آباد") == "khrm-abad"
    assert slugify("—") == ""
