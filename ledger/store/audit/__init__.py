"""What an operator checks beyond the log itself: every table against the entries, the guarantees of the database."""
