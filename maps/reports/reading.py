"""How a place stands in an index, read for paper: in the one that is published, else for insiders as of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.indicators import matrix_read
from analysis.indices.computing import IndexQuestion, index_compute
from analysis.indices.documents import index_document
from analysis.indices.editions import editions_read
from analysis.indices.explanations import place_explain, place_moves
from analysis.indices.rules import rules_of
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from maps.pages.reader import language
from maps.reports.standing import Standing, basis_text, edition_text, standing_of
from maps.why.moves_presenters import value_sentence, weight_sentence
from maps.why.presenters import beside_texts, why_text
from maps.why.rules_presenters import rules_view

FIRST: Final = 3
"""The line is after so many, as on the page of the index where nobody asks otherwise."""

SEARCH_S: Final = 1.0
"""How long the smallest change of weights is looked for: whoever prints does not wait for long."""


def published_index(city: Place, place: Place, user: User) -> tuple[Mapping[str, Any], str] | None:
    """Return the newest published index that ranks a place and that a user may see, and what it is called.

    Returns
    -------
    tuple or None
        What is told of it (`maps.reports.standing.standing_of`); None while none is published.
    """
    for edition in editions_read(city, user):
        if edition.withdrawn_at is None and any(row["code"] == place.code for row in edition.document["places"]):
            published_on = timezone.localdate(edition.published_at)
            return edition.document, edition_text(edition.number, published_on, edition.title)
    return None


def standing_read(city: Place, place: Place, user: User, *, is_insider: bool) -> Standing | None:
    """Return how a place stands in an index; None where there is none that the reader may be told.

    Insiders are told what today's data say, with what would move the place; everybody else what was published.
    """
    if is_insider:
        return _of_today(city, place, user)
    published = published_index(city, place, user)
    if published is None:
        return None
    document, name = published
    return standing_of(document, place.code, basis=name)


def _of_today(city: Place, place: Place, user: User) -> Standing | None:
    try:
        result = index_compute(
            city=city, user=user, question=IndexQuestion(first=FIRST, kinds=(place.kind,), vary_methods=True)
        )
    except (InvalidInput, NotFound):  # nothing is measured, or nothing that has goalposts
        return None
    try:
        found = place_explain(result=result, code=place.code, user=user)
    except NotFound:  # it has no boundary in force
        return None
    moves, lang = place_moves(result=result, code=place.code, search_s=SEARCH_S), language()
    told = (weight_sentence(found, moves, lang), value_sentence(found, moves, lang))
    every = matrix_read(city=city, user=user, kinds=result.question.kinds)
    return standing_of(
        index_document(result),
        place.code,
        basis=basis_text(len(result.matrix.indicators), is_equal=True),
        why=why_text(found),
        moves=[sentence for sentence in told if sentence],
        beside=[
            *beside_texts(found),
            _("Rules beside the index: %(finding)s") % {"finding": rules_view(rules_of(every, found.place)).finding},
        ],
    )


__all__ = ["FIRST", "published_index", "standing_read"]
