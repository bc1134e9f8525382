"""The schema as SQLModel classes, by noun: what ordinary reads go through, and what tests compare the migrations with.

Classes are for reading. Nothing is ever built from input with them: they check nothing. Triggers, grants and owners are
in the migrations only; `guarantees` compares those.
"""

from ledger.store.tables import figures, money, people, published, registers

__all__ = ["figures", "money", "people", "published", "registers"]
