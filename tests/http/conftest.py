"""What the tests over HTTP share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client


@pytest.fixture
def analyst(client_as: Callable[[str], Client]) -> Client:
    """An analyst of the demo city who reads English."""
    client = client_as("analyst")
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def no_files_left(no_files_left: None) -> Iterator[None]:
    """As elsewhere; and what came in over HTTP is taken or gone, so that nothing stays where files come in."""
    from layers.services.uploads import incoming_folder

    yield
    assert list(incoming_folder().iterdir()) == []
