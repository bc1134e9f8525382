"""Erasure 删除个人信息: the one command whose effect lies outside the log. Here only whether it may be."""

from typing import get_args

from ledger import entries
from ledger.books import Books
from ledger.command import Effect, Facts, Needs, Proposable, body_of, check_cited
from ledger.donations import GIFTS
from ledger.entries import ErasureBasis
from ledger.refusals import AlreadyThere, Invalid, NotEmpty

BASES: tuple[ErasureBasis, ...] = get_args(ErasureBasis)


class EraseDonor(Proposable, frozen=True, kw_only=True, tag="erasure.recorded"):
    """Destroy what is kept of the donor of one gift. No reason in words: it would be about her, and stay."""

    org: str
    ref: int
    basis: ErasureBasis


def erase(command: EraseDonor, books: Books, facts: Facts) -> Effect:
    """Once for each gift. Raises Invalid for what is no gift, AlreadyThere, NotEmpty while its sheet is being entered.

    Whether money of the gift still moves does not matter: the ledger follows positions, not people.
    """
    if command.basis not in BASES:
        raise Invalid(f"basis: one of {', '.join(BASES)}", field="basis")
    check_cited(facts, command.ref, GIFTS, command.org)
    if command.ref in books.erased:
        raise AlreadyThere(f"what was kept of the donor of gift {command.ref} is erased", ref=command.ref)
    assert facts.cited is not None
    batch: int = getattr(facts.cited.body, "batch", 0)
    if batch in books.imports:
        raise NotEmpty(f"import {batch}, whose sheet names the donor, is still being entered", batch=batch)
    return Effect(body=body_of(entries.ErasureRecorded, command), org=command.org)


def needs_gift(command: EraseDonor) -> Needs:
    """The gift."""
    return Needs(ref=command.ref)
