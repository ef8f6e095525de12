"""Rows for the table of `test_access`: notices are for everybody who is signed in, each their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

LOGIN = ("anonymous",)


def notice_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def signed_in(status: int) -> dict[str, int]:
        return everybody(status, anonymous=302)

    return {
        "notices/": lambda world: [
            ask("/notices/", signed_in(200), to_login=LOGIN),
            ask("/notices/?show=unread&before=5", signed_in(200), to_login=LOGIN),
            ask("/notices/?before=castle", signed_in(400), to_login=LOGIN),
            ask("/notices/", everybody(405, anonymous=302), "POST", {}, to_login=LOGIN),
        ],
        "notices/read/": lambda world: [
            ask("/notices/read/", signed_in(400), "POST", {}, to_login=LOGIN),
            ask("/notices/read/", signed_in(302), "POST", {"number": "999999999"}, to_login=LOGIN),
        ],
        "notices/mail/": lambda world: [
            ask("/notices/mail/", signed_in(400), "POST", {"language": "castle"}, to_login=LOGIN),
        ],
    }
