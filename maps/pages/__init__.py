"""Pages for people: thin views over pure presenters."""
