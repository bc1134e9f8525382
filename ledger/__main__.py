"""`python -m ledger` is `sunledger`."""

from ledger.cli import main

main()
