"""Pages of needs: reported on a phone, found again, confirmed, merged or rejected."""
