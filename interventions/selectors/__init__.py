"""Reads of the network."""

from interventions.selectors.capacities import (
    EVERY_CAPACITY,
    CapacitiesAsked,
    CapacityFound,
    CapacityRow,
    KindCount,
    Recording,
    capacities_counted,
    capacities_found,
    capacities_near,
    capacity_found,
    capacity_rows,
    recording_of,
)
from interventions.selectors.councils import (
    ActivationRow,
    CommitteeWork,
    CouncilRow,
    CouncilsFound,
    SeatRow,
    councils_found,
)
from interventions.selectors.history import HistoryRow, history_of
from interventions.selectors.needs import (
    MAX_ROWS,
    NeedFound,
    NeedRow,
    NeedsAsked,
    Reporting,
    need_found,
    need_get,
    need_list,
    need_rows,
    needs_alike,
    needs_found,
    needs_nearby,
    organisation_labels,
    reporting_of,
)
from interventions.selectors.organisations import (
    EVERY_ORGANISATION,
    MAX_MEMBERS,
    MemberEvent,
    MemberRow,
    OrganisationFound,
    OrganisationRow,
    OrganisationsAsked,
    Waiting,
    accounts_named,
    memberships_chosen,
    memberships_waiting,
    organisation_found,
    organisation_get,
    organisation_rows,
    organisations_found,
    waiting_for,
)
from interventions.selectors.overlapping import OverlapRow
from interventions.selectors.proposals import (
    AssessmentRow,
    DecisionTable,
    EffectRow,
    Offering,
    ProposalFound,
    ProposalRow,
    ToldDecision,
    decision_table,
    decisions_told,
    offering_of,
    proposal_found,
    proposal_get,
    proposal_rows,
    proposals_found,
)
from interventions.selectors.rights import (
    ACTING_ROLES,
    is_member,
    paths_around,
    roles_at,
    roles_for,
    roles_of_person,
)
from interventions.selectors.rounds import (
    AreaRow,
    Duty,
    Extension,
    NeedCounts,
    PhaseRow,
    RoundFound,
    RoundRow,
    is_late_for,
    organisations_of,
    programmes_for,
    round_current,
    round_found,
    round_get,
    rounds_of,
    works_around,
)
from interventions.selectors.rows import NamedRow
from interventions.selectors.sums import SectorSummary, needs_summary
from interventions.selectors.weights import (
    WeightSetFound,
    keeping_of,
    weight_set_events,
    weight_set_found,
    weight_sets_of,
)

__all__ = [
    "ACTING_ROLES", "EVERY_CAPACITY", "EVERY_ORGANISATION", "MAX_MEMBERS", "MAX_ROWS", "ActivationRow", "AreaRow", "AssessmentRow",
    "CapacitiesAsked", "CapacityFound", "CapacityRow", "CommitteeWork", "CouncilRow", "CouncilsFound", "DecisionTable", "Duty", "EffectRow",
    "Extension", "HistoryRow", "KindCount", "MemberEvent", "MemberRow", "NamedRow", "NeedCounts", "NeedFound", "NeedRow", "NeedsAsked",
    "Offering", "OrganisationFound", "OrganisationRow", "OrganisationsAsked", "OverlapRow", "PhaseRow", "ProposalFound", "ProposalRow",
    "Recording", "Reporting", "RoundFound", "RoundRow", "SeatRow", "SectorSummary", "ToldDecision", "Waiting", "WeightSetFound",
    "accounts_named", "capacities_counted", "capacities_found", "capacities_near", "capacity_found", "capacity_rows", "councils_found",
    "decision_table", "decisions_told", "history_of", "is_late_for", "is_member", "keeping_of", "memberships_chosen", "memberships_waiting",
    "need_found", "need_get", "need_list", "need_rows", "needs_alike", "needs_found", "needs_nearby", "needs_summary", "offering_of",
    "organisation_found", "organisation_get", "organisation_labels", "organisation_rows", "organisations_found", "organisations_of",
    "paths_around", "programmes_for", "proposal_found", "proposal_get", "proposal_rows", "proposals_found", "recording_of", "reporting_of",
    "roles_at", "roles_for", "roles_of_person", "round_current", "round_found", "round_get", "rounds_of", "waiting_for",
    "weight_set_events", "weight_set_found", "weight_sets_of", "works_around",
]  # fmt: skip
