"""The rules of the ledger: pure functions over entries. No I/O, no clock, no randomness, no framework."""
