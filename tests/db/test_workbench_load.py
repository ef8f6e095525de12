"""A few people draw at once over the JSON interface of the real server, whose database is killed meanwhile; nothing is lost.

The same as ``python -m tests.load``, but short, and without judging times.
"""

from __future__ import annotations

from tests.load.running import drawn_at_once


def test_six_people_draw_while_the_database_is_killed() -> None:
    outcome = drawn_at_once(editors=6, seconds=6, think_s=0.3, kills=["database"], homes=3)
    assert outcome.missed(is_timed=False) == [], outcome.table()
    assert len(outcome.acknowledged) >= 5, outcome.table()
    assert len(outcome.outages) == 1
    assert outcome.looks > 0
