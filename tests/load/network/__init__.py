"""A network of the size of a country, and what its pages take: built, asked, and the plans of its queries judged."""
