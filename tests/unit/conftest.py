"""Unit tests touch no database: pytest-django refuses it to any test that does not ask, and none here may ask."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_database(request: pytest.FixtureRequest) -> None:
    """Fail a unit test that asks for the database."""
    assert "db" not in request.fixturenames
    assert "transactional_db" not in request.fixturenames
