"""What is recorded on a phone, perhaps without a connection, and sent later, once: what needs and capacities have in common."""
