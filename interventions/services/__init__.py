"""Writes of the network. Each asks the tables of `interventions.core.transitions` whether the person may, stores, and logs.

The functions named ``…_record`` store what somebody with the right already decided, without asking again: they serve the services
and the loading of prepared data.
"""

from interventions.services.actions import (
    ActionSpec,
    ProgressSpec,
    action_amend,
    action_enter,
    action_from_proposal,
    action_hand_over,
    action_record,
    action_step,
    milestone_put,
    milestone_reach,
    progress_report,
)
from interventions.services.assessments import assessment_say, assessments_ask
from interventions.services.capacities import (
    CapacitySpec,
    capacity_amend,
    capacity_put,
    capacity_record,
    capacity_review,
)
from interventions.services.councils import (
    CommitteeSpec,
    CouncilSpec,
    activation_stand_down,
    committee_activate,
    committee_put,
    council_put,
    seat_end,
    seat_give,
)
from interventions.services.decisions import Ruling, decisions_publish, decisions_take, granted_irr
from interventions.services.effects import demand_of, effect_refresh, effects_refresh
from interventions.services.evidence import evidence_add, evidence_change
from interventions.services.memberships import (
    MOST_MEMBERS,
    MemberSpec,
    members_enter,
    membership_amend,
    membership_apply,
    membership_enter,
    membership_review,
    memberships_amend,
    memberships_review,
)
from interventions.services.needs import NeedSpec, need_amend, need_record, need_report, need_review
from interventions.services.notices import Written, mail_choose, notices_read, notices_write, overlaps_tell
from interventions.services.organisations import (
    OrganisationSpec,
    organisation_apply,
    organisation_put,
    organisation_record,
    organisation_review,
    organisations_review,
)
from interventions.services.outcomes import (
    OutcomePlan,
    OutcomeSpec,
    outcome_put,
    outcome_record,
    outcome_retract,
    outcomes_import,
    outcomes_plan,
)
from interventions.services.proposals import (
    ProposalSpec,
    proposal_record,
    proposal_return,
    proposal_save,
    proposal_submit,
    proposal_withdraw,
)
from interventions.services.recording import stored
from interventions.services.rounds import (
    RoundSpec,
    round_admit,
    round_close,
    round_extend,
    round_open,
    round_record,
)
from interventions.services.weights import (
    POINTS,
    SAATY,
    WeightSetSpec,
    weight_set_record,
    weight_set_review,
    weight_set_save,
)

__all__ = [
    "MOST_MEMBERS", "POINTS", "SAATY", "ActionSpec", "CapacitySpec", "CommitteeSpec", "CouncilSpec", "MemberSpec", "NeedSpec",
    "OrganisationSpec", "OutcomePlan", "OutcomeSpec", "ProgressSpec", "ProposalSpec", "RoundSpec", "Ruling", "WeightSetSpec", "Written",
    "action_amend", "action_enter", "action_from_proposal", "action_hand_over", "action_record", "action_step", "activation_stand_down",
    "assessment_say", "assessments_ask", "capacity_amend", "capacity_put", "capacity_record", "capacity_review", "committee_activate",
    "committee_put", "council_put", "decisions_publish", "decisions_take", "demand_of", "effect_refresh", "effects_refresh", "evidence_add",
    "evidence_change", "granted_irr", "mail_choose", "members_enter", "membership_amend", "membership_apply", "membership_enter",
    "membership_review", "memberships_amend", "memberships_review", "milestone_put", "milestone_reach", "need_amend", "need_record",
    "need_report", "need_review", "notices_read", "notices_write", "organisation_apply", "organisation_put", "organisation_record",
    "organisation_review", "organisations_review", "outcome_put", "outcome_record", "outcome_retract", "outcomes_import", "outcomes_plan",
    "overlaps_tell", "progress_report", "proposal_record", "proposal_return", "proposal_save", "proposal_submit", "proposal_withdraw",
    "round_admit", "round_close", "round_extend", "round_open", "round_record", "seat_end", "seat_give", "stored", "weight_set_record",
    "weight_set_review", "weight_set_save",
]  # fmt: skip
