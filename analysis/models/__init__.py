"""What is measured (indicators, indices), what was computed (runs), and what might be built (scenarios)."""

from analysis.models.indicators import Indicator, IndicatorValue
from analysis.models.indices import Index, IndexEdition, Weight
from analysis.models.national import NationalCity, NationalRun
from analysis.models.orders import RunOrder
from analysis.models.runs import Run
from analysis.models.scenarios import Scenario, ScenarioDraft

__all__ = [
    "Index", "IndexEdition", "Indicator", "IndicatorValue", "NationalCity", "NationalRun", "Run", "RunOrder", "Scenario", "ScenarioDraft",
    "Weight",
]  # fmt: skip
