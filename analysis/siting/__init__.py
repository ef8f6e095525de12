"""Siting: where new facilities of a service would help most, under a number or a budget."""

from analysis.siting.asking import (
    BY_PRIORITY,
    MODELS,
    MOST_BUDGET,
    MOST_CANDIDATES,
    MOST_CAPACITY,
    MOST_SITES,
    SPACINGS_M,
    SitingQuestion,
    asked_from_json,
    asked_to_json,
)
from analysis.siting.demand import BLOCK_M
from analysis.siting.planning import CitySiting, Site, siting_compute
from analysis.siting.records import planned_question, run_get, runs_of, siting_record, siting_run
from analysis.siting.workbook import plan_geojson, plan_workbook

__all__ = [
    "BLOCK_M", "BY_PRIORITY", "MODELS", "MOST_BUDGET", "MOST_CANDIDATES", "MOST_CAPACITY", "MOST_SITES", "SPACINGS_M", "CitySiting",
    "Site", "SitingQuestion", "asked_from_json", "asked_to_json", "plan_geojson", "plan_workbook", "planned_question", "run_get", "runs_of",
    "siting_compute", "siting_record", "siting_run",
]  # fmt: skip
