"""Rules beside the index, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.core.threshold_rules import BURDEN_PERCENTILE, INCOME_PERCENTILE
from analysis.indices.rules import BurdenFound, RulesFound
from analysis.models import Indicator
from maps.pages import formats
from maps.pages.reader import language
from maps.why.wording import name_in_sentence


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule says of a place; ``css`` is ``is-met``, ``is-not`` or ``is-open``."""

    name: str
    verdict: str
    css: str
    because: str
    places: str


@dataclass(frozen=True, slots=True)
class RulesView:
    """What the rules say of a place, and what they would need where they cannot be applied."""

    finding: str
    method: str
    rows: tuple[RuleRow, ...]
    needed: tuple[str, ...]


def rules_view(found: RulesFound) -> RulesView:
    """Present what rules say of a place."""
    lang = language()
    rows = [_burden_row(burden, found, lang) for burden in found.burdens]
    needed = []
    if found.income is None:
        needed.append(
            _(
                "The rule of burden and income needs an indicator of low income, or of the livelihood, for these places: none has a "
                "value."
            )
        )
    if found.worn is None:
        needed.append(
            _(
                "The rule of worn fabric needs three measured shares: plots under 200 m², buildings without a structural system, and "
                "passages narrower than 6 m. They are not indicators of this city yet."
            )
        )
    else:
        css = "is-met" if found.worn.is_flagged else "is-open" if found.worn.is_undecided else "is-not"
        rows.append(
            RuleRow(
                _("Worn fabric"),
                _verdict(css),
                css,
                _("%(met)s of 3 criteria are met.") % {"met": formats.number(found.worn.met, lang)},
                _places(found.worn.places, lang),
            )
        )
    met = [row.name for row in rows if row.css == "is-met"]
    if met:
        finding = ngettext(
            "Whatever its score, one rule flags it: %(names)s.",
            "Whatever its score, rules flag it: %(names)s.",
            len(met),
        ) % {"names": formats.listing(met, lang)}
    elif rows:
        finding = _("No rule flags it.")
    else:
        finding = _("No rule can be applied yet.")
    return RulesView(finding, _method(found, lang), tuple(rows), tuple(needed))


def _burden_row(burden: BurdenFound, found: RulesFound, lang: str) -> RuleRow:
    css = "is-met" if burden.is_flagged else "is-open" if burden.is_undecided else "is-not"
    told = [f"{name_in_sentence(one)} ({formats.number(percentile, lang)})" for one, percentile in burden.high]
    because = (
        _("High burden: %(names)s.") % {"names": formats.listing(told, lang)} if told else _("No burden is that high.")
    )
    if told and not burden.is_flagged and not burden.is_undecided and found.income_percentile is not None:
        because += " " + _("Low income only at percentile %(n)s.") % {
            "n": formats.number(found.income_percentile, lang)
        }
    return RuleRow(
        str(Indicator.Domain(burden.domain).label), _verdict(css), css, because, _places(burden.places, lang)
    )


def _verdict(css: str) -> str:
    return {"is-met": _("flagged"), "is-not": _("not flagged"), "is-open": _("open: values are missing")}[css]


def _places(count: int, lang: str) -> str:
    return ngettext("%(n)s place", "%(n)s places", count) % {"n": formats.number(count, lang)}


def _method(found: RulesFound, lang: str) -> str:
    if found.income is None:
        return ""
    values = {
        "burden": formats.number(BURDEN_PERCENTILE, lang),
        "income": formats.number(INCOME_PERCENTILE, lang),
        "name": name_in_sentence(found.income),
    }
    said = (
        _(
            "A domain is flagged if any of its indicators is at or above the %(burden)sth percentile of need among the ranked places, and "
            "low income at or above the %(income)sth. A good value elsewhere makes up for nothing here."
        )
        % values
    )
    if found.is_stand_in:
        said += " " + _("No indicator of income is kept here: “%(name)s” stands for it.") % values
    return said


__all__ = ["RuleRow", "RulesView", "rules_view"]
