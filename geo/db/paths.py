"""Conditions on the paths of places: which lies in whose subtree."""

from __future__ import annotations

from django.db.models import BooleanField, Func


class Under(Func):
    """``starts_with(a || '/', b || '/')``: the place with the first path lies in the subtree of the other, or is it.

    One expression, where Django's own for joining and finding are seven: nearly every question asks this about some place,
    and took longer to be put into words than to be answered.
    """

    template = "starts_with(%(expressions)s || '/')"
    arg_joiner = " || '/', "
    arity = 2
    output_field = BooleanField()
