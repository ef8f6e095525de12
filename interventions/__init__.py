"""Needs, proposals, decisions, actions and outcomes of the institutions at work in a place."""
