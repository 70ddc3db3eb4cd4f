"""What was retrieved for an answer, and what became of it."""
