"""What the pages of the network say: the sentence, and how long each bar is."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.selectors.national import PartRow, SideBySide
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class PartView:
    """A line of the table: its numbers, and the share of its needs without a decision."""

    row: PartRow
    share: float | None

    @property
    def width(self) -> float:
        """Length of the bar, of 100."""
        return 100 * (self.share or 0.0)


@dataclass(frozen=True, slots=True)
class NetworkView:
    """The finding, and the parts, those with the greatest share of needs without a decision first."""

    finding: str
    parts: tuple[PartView, ...]


def network_view(found: SideBySide) -> NetworkView:
    """Word the finding, and order the parts."""
    lines = [PartView(row, row.sums.in_gap / row.sums.needs_all if row.sums.needs_all else None) for row in found.parts]
    lines.sort(key=lambda line: (-1.0 if line.share is None else line.share, line.row.sums.in_gap), reverse=True)
    return NetworkView(_finding(found, lines), tuple(lines))


def _finding(found: SideBySide, lines: list[PartView]) -> str:
    reader = language()
    name = formats.isolated(found.place.name, reader)
    if not found.sums.needs_all:
        return _("%(place)s: no need has been reported yet.") % {"place": name}
    if not found.sums.in_gap:
        return _("%(place)s: something is decided about every need.") % {"place": name}
    told = ngettext(
        "%(place)s: nothing is decided about %(gap)s of %(needs)s need",
        "%(place)s: nothing is decided about %(gap)s of %(needs)s needs",
        found.sums.needs_all,
    ) % {
        "place": name,
        "gap": formats.number(found.sums.in_gap, reader),
        "needs": formats.number(found.sums.needs_all, reader),
    }
    if len(lines) > 1 and lines[0].share:
        told += _("; the greatest share is in %(part)s (%(share)s)") % {
            "part": formats.isolated(lines[0].row.place.name, reader),
            "share": formats.percent(lines[0].share, reader),
        }
    return told + "."


__all__ = ["NetworkView", "PartView", "network_view"]
