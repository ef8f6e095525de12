"""The form of settlements: blocks between streets, homes without access, narrow passages, small plots, and paths that would help."""

from analysis.settlement_form.keeping import (
    PlanContent,
    alternatives_find,
    alternatives_keep,
    alternatives_of,
    form_keep,
    forms_kept,
    may_keep,
    plan_geometry,
    plan_get,
    plan_keep,
    plan_open,
    plans_of,
)
from analysis.settlement_form.measuring import (
    MOST_BUILDINGS,
    FormReading,
    SettlementForm,
    form_of,
    form_reading,
    settlement_form,
)
from analysis.settlement_form.pieces import PlaceGround, count_record, ground_of
from analysis.settlement_form.questions import FormQuestion
from analysis.settlement_form.records import form_record
from analysis.settlement_form.workbook import city_workbook, form_workbook
from analysis.settlement_form.worn import Worn, WornRule, worn_of, worn_of_records

__all__ = [
    "MOST_BUILDINGS", "FormQuestion", "FormReading", "PlaceGround", "PlanContent", "SettlementForm", "Worn", "WornRule",
    "alternatives_find", "alternatives_keep", "alternatives_of", "city_workbook", "count_record", "form_keep", "form_of",
    "form_reading", "form_record", "form_workbook", "forms_kept", "ground_of", "may_keep", "plan_geometry", "plan_get",
    "plan_keep", "plan_open", "plans_of", "settlement_form", "worn_of", "worn_of_records",
]  # fmt: skip
