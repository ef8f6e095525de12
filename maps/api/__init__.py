"""The JSON interface below ``/api/v1/``: how it answers, reads bodies, tells people apart; each folder of pages adds a router."""
