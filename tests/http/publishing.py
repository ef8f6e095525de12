"""Published maps for tests that ask for them and do not publish."""

from __future__ import annotations

import copy
from collections.abc import Callable

from django.contrib.auth.models import User

from maps.models import Publication

_frozen: dict[str, Publication] = {}


def published_once(slug: str, author: User, publish: Callable[[], object]) -> Publication:
    """Publish a map; from the second time on, put the one in that was frozen the first time.

    Freezing takes seconds, and what is frozen never changes; a test's transaction takes no more back than its rows.

    Parameters
    ----------
    slug : str
        The map's address, and what it is known by here.
    author : User
        Who published it.
    publish : callable
        Publishes it under this address, as this author.
    """
    if slug not in _frozen:
        publish()
        made = Publication.objects.select_related("run", "city").get(slug=slug)
        _frozen[slug] = copy.deepcopy(made)
        return made
    again = copy.deepcopy(_frozen[slug])
    again.run.author = again.author = author
    again.run.save(force_insert=True)
    again.save(force_insert=True)
    return again
