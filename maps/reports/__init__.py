"""Printed reports: pages of A4 that are handed over, filed and signed, made from the same presenters as the site's pages."""
