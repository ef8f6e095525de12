"""Pages of siting: where new facilities would help most, as plans that are kept and can become scenarios and proposals."""
