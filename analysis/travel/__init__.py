"""Ways of travel: what it costs from each part of a city's ground to the nearest facility of a service."""

from analysis.travel.choosing import cost_key, measuring_for, own_travel, travel_asked, travels_of
from analysis.travel.measuring import LEVEL_M_PER_MIN, Costs, Measuring
from analysis.travel.notices import travel_notices
from analysis.travel.straight import STRAIGHT
from analysis.travel.streets import ALONG_STREETS

__all__ = [
    "ALONG_STREETS", "LEVEL_M_PER_MIN", "STRAIGHT", "Costs", "Measuring", "cost_key", "measuring_for", "own_travel",
    "travel_asked", "travel_notices", "travels_of",
]  # fmt: skip
