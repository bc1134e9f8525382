"""What entries say beside their postings: one struct for each kind, by noun; `ledger.entries` names them all."""
