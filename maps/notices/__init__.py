"""What people are told: the page of their notices, and the mails."""
