"""Published indices: made as anybody may see them, frozen with their method, and withdrawn with a reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from analysis.core.reversals import Reversal
from analysis.disclosure import may_analyse
from analysis.indices.checks import IndexReversals, index_reversals
from analysis.indices.computing import CityIndex, IndexQuestion, index_compute, index_record
from analysis.indices.documents import codebook, index_document, question_to_json
from analysis.indices.years import index_years
from analysis.models import IndexEdition
from analysis.selectors import places_read
from geo.core.text import clean_name
from geo.errors import Conflict, Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Layer

LONGEST_TITLE: Final = 300
LONGEST_NOTE: Final = 4000
_METHODS: Final = (
    "treatment",
    "normalisation",
    "weighting",
    "aggregation",
    "vary_weights",
    "vary_methods",
    "first",
    "until",
)


@dataclass(frozen=True, slots=True, eq=False)
class PublicIndex:
    """An index as anybody may see it, before it is frozen, and whether its order holds."""

    result: CityIndex
    document: Mapping[str, Any]
    reversals: IndexReversals


def may_publish_index(city: Place, user: User) -> bool:
    """Tell whether a user may publish and withdraw indices of a city: as published maps, analysts and planners."""
    return may_analyse(city, user)


def index_public(*, city: Place, user: User, question: IndexQuestion) -> PublicIndex:
    """Compute what a published index would tell: with public places, layers and values alone, whoever publishes it.

    Raises
    ------
    Forbidden
        Where the user may not publish indices of the city.
    NotFound, InvalidInput
        As `analysis.indices.computing.index_compute`; ``not_public`` where an indicator is named that not everybody may see.
    """
    if not may_publish_index(city, user):
        raise _may_not(city)
    result = index_compute(city=city, user=user, question=question, is_public=True)
    reversals = index_reversals(result)
    document = index_document(result, is_public=True)
    told = {
        **document,
        "sources": _named(city, document["sources"]),
        "reversals": reversals_told(result, reversals),
        "outlines": [
            {"code": row.code, "kind": row.kind, "edition": row.edition_id}
            for row in places_read(city, AnonymousUser()).rows
        ],
    }
    return PublicIndex(result, told, reversals)


def _named(city: Place, sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the names of layers, and their sources in Persian."""
    layers = {
        layer.code: layer for layer in Layer.objects.filter(city=city, code__in=[one["layer"] for one in sources])
    }
    return [
        one
        | {
            "name_fa": layers[one["layer"]].name_fa,
            "name_en": layers[one["layer"]].name_en,
            "source_fa": layers[one["layer"]].source_fa or one["source"],
            "source_en": one["source"],
        }
        for one in sources
        if one["layer"] in layers
    ]


def reversals_told(result: CityIndex, reversals: IndexReversals) -> dict[str, Any]:
    """Return the pairs of places that swap when something else changes, by codes."""
    places, indicators = result.matrix.places, result.matrix.indicators

    def told(one: Reversal) -> dict[str, Any]:
        changed: Any = indicators[one.number] if one.change == "indicator-left-out" else places[one.number]
        return {
            "change": one.change,
            "code": changed.code,
            "count": one.count,
            "pairs": [[places[ahead].code, places[behind].code] for ahead, behind in one.pairs],
        }

    return {"asked": reversals.asked, "found": [told(one) for one in reversals.found]}


def index_publish(
    *, city: Place, author: Any, question: IndexQuestion, title_fa: str, title_en: str, note: str = "",
    reversals_seen: bool = False, public: PublicIndex | None = None,
) -> IndexEdition:  # fmt: skip
    """Freeze an index as the next edition of a city, with the run it came from; both or neither.

    Parameters
    ----------
    author
        Who publishes; the system's own user is kept as nobody.
    note
        What is new since the edition before.
    reversals_seen
        That whoever publishes has read which pairs swap; needed where there are any.
    public
        `index_public` of the same question and author, where it is at hand.

    Raises
    ------
    Forbidden, NotFound, InvalidInput
        As `index_public`; ``no_title`` and ``text_too_long``; ``reversals_unseen``.
    """
    titles = [_title(text, name) for text, name in ((title_fa, "title_fa"), (title_en, "title_en"))]
    if len(note) > LONGEST_NOTE:
        raise _too_long("note", LONGEST_NOTE)
    by: User = author if author is not None else AnonymousUser()
    if not may_publish_index(city, by):
        raise _may_not(city)
    public = public or index_public(city=city, user=by, question=question)
    if public.reversals.found and not reversals_seen:
        raise InvalidInput(
            "The order of some places changes when something else does.",
            code="reversals_unseen",
            where="reversals_seen",
            remedy="Read which, and confirm that you have seen it.",
        )
    years = index_years(public.result, user=by)
    with transaction.atomic():
        # Two who publish at once get numbers one after the other.
        Place.objects.select_for_update().get(pk=city.pk)
        earlier = list(IndexEdition.objects.filter(city=city).order_by("-number"))
        before = next((one for one in earlier if one.withdrawn_at is None and _is_alike(one, question)), None)
        run = index_record(public.result, author=author)
        return IndexEdition.objects.create(
            city=city,
            number=earlier[0].number + 1 if earlier else 1,
            title_fa=titles[0],
            title_en=titles[1],
            note=_plain(note),
            question=question_to_json(question),
            run=run,
            codebook=codebook(public.result),
            document={
                **public.document,
                "run": run.pk,
                "years": years,
                "since": changes_since(before, public.document) if before else None,
            },
            author=author if author is not None and author.pk else None,
            published_at=timezone.now(),
        )


def index_withdraw(*, edition: IndexEdition, by: User, reason: str) -> IndexEdition:
    """Take a published index off the public's sight, for a reason that is told; it stays as it is for people with a role.

    Raises
    ------
    Forbidden
        Where the user may not publish indices of the city.
    InvalidInput
        Where no reason is given.
    Conflict
        Where it was withdrawn already.
    """
    if not may_publish_index(edition.city, by):
        raise _may_not(edition.city)
    text = _plain(reason)
    if not text:
        raise InvalidInput("A reason is missing.", code="no_reason", where="reason", remedy="Say why it is withdrawn.")
    if len(text) > LONGEST_NOTE:
        raise _too_long("reason", LONGEST_NOTE)
    with transaction.atomic():
        found = IndexEdition.objects.select_for_update().get(pk=edition.pk)
        if found.withdrawn_at is not None:
            raise Conflict("It is withdrawn already.", code="withdrawn_already", remedy="Look at it as it is now.")
        found.withdrawn_at, found.withdrawn_reason = timezone.now(), text
        found.withdrawn_by_id = by.pk
        found.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    return found


def changes_since(before: IndexEdition, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from an earlier edition: ranks, methods, indicators and their weights."""
    old = before.document
    ranks = {row["code"]: int(row["rank"]) for row in old["places"]}
    weights = {one["code"]: float(one["weight"]) for one in old["indicators"]}
    now = {one["code"]: float(one["weight"]) for one in document["indicators"]}
    return {
        "number": before.number,
        "ranks": {row["code"]: ranks.get(row["code"]) for row in document["places"]},
        "gone": [
            {name: row[name] for name in ("code", "name_fa", "name_en", "rank")}
            for row in old["places"]
            if row["code"] not in {place["code"] for place in document["places"]}
        ],
        "methods": [name for name in _METHODS if old["method"].get(name) != document["method"].get(name)],
        "added": [code for code in now if code not in weights],
        "left": [
            {name: one[name] for name in ("code", "short_fa", "short_en")}
            for one in old["indicators"]
            if one["code"] not in now
        ],
        "weighed": [code for code in now if code in weights and abs(now[code] - weights[code]) > 0.0005],
    }


# ---- reads


def edition_get(city: Place, number: int, user: User) -> IndexEdition:
    """Return a published index of a city that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    found = (
        IndexEdition.objects.visible_to(user)
        .filter(city=city, number=number)
        .select_related("city", "run", "author", "withdrawn_by")
        .first()
    )
    if found is None:
        raise NotFound(
            f"{city.name_en} has no published index {number}.",
            code="unknown_edition",
            where=city.code,
            remedy="Choose one from the list of published indices.",
            details={"city": city.name, "number": number},
        )
    return found


def editions_read(city: Place, user: User) -> list[IndexEdition]:
    """Return the published indices of a city that a user may see, the newest first."""
    return list(
        IndexEdition.objects.visible_to(user).filter(city=city).select_related("author").order_by("-number").defer(
            "codebook"
        )
    )  # fmt: skip


def edition_withdrawn(city: Place, number: int) -> IndexEdition | None:
    """Return an index that anybody could see and that was withdrawn since; None where there is none."""
    if not city.is_published:
        return None
    return IndexEdition.objects.filter(city=city, number=number, withdrawn_at__isnull=False).first()


def _is_alike(edition: IndexEdition, question: IndexQuestion) -> bool:
    return list(edition.question.get("kinds", [])) == list(question.kinds)


def _title(text: str, where: str) -> str:
    title = clean_name(text)
    if not title:
        raise InvalidInput(
            "A title is missing.", code="no_title", where=where, remedy="Say in a sentence what was found."
        )
    if len(title) > LONGEST_TITLE:
        raise _too_long(where, LONGEST_TITLE)
    return title


def _plain(text: str) -> str:
    """Leave out characters that no text has, which a database may refuse."""
    return "".join(c for c in text.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c) != "Cc").strip()


def _too_long(where: str, most: int) -> InvalidInput:
    return InvalidInput(
        f"The text is longer than {most} characters.",
        code="text_too_long",
        where=where,
        remedy="Shorten it.",
        details={"most": most},
    )


def _may_not(city: Place) -> Forbidden:
    return Forbidden(
        f"You may not publish indices of {city.name_en}.",
        code="may_not_publish",
        remedy="Ask for the role of an analyst.",
        details={"city": city.name},
    )


__all__ = [
    "LONGEST_NOTE", "LONGEST_TITLE", "PublicIndex", "changes_since", "edition_get", "edition_withdrawn", "editions_read",
    "index_public", "index_publish", "index_withdraw", "may_publish_index", "reversals_told",
]  # fmt: skip
