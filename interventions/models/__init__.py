"""Who works in a place, in which rounds, on which needs, with which proposals and actions, and what changed."""

from interventions.models.actions import Action, Evidence, Milestone, Progress
from interventions.models.log import LogEntry, MailChoice, Notice
from interventions.models.needs import PEOPLE_GROUPS, Capacity, Need
from interventions.models.organisations import (
    PROPOSING_KINDS,
    Activation,
    Committee,
    Council,
    Membership,
    Organisation,
    OrganisationKind,
    Seat,
    Sector,
)
from interventions.models.proposals import Assessment, Decision, Proposal
from interventions.models.rounds import Admission, Approach, Phase, Programme, Round
from interventions.models.tallies import AREA_DEPTH, Tally, TallyMark, YearTally
from interventions.models.weights import WeightSet
from interventions.models.wording import MAX_PEOPLE, MAX_TEXT, in_readers_language

__all__ = [
    "AREA_DEPTH", "MAX_PEOPLE", "MAX_TEXT", "PEOPLE_GROUPS", "PROPOSING_KINDS", "Action", "Activation", "Admission", "Approach",
    "Assessment", "Capacity", "Committee", "Council", "Decision", "Evidence", "LogEntry", "MailChoice", "Membership", "Milestone", "Need",
    "Notice", "Organisation", "OrganisationKind", "Phase", "Programme", "Progress", "Proposal", "Round", "Seat", "Sector", "Tally",
    "TallyMark", "WeightSet", "YearTally", "in_readers_language",
]  # fmt: skip
