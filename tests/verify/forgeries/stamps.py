"""Lies about what an authority outside saw."""

from base64 import b64encode

from ledger.log.checkpoint import Checkpoint
from ledger.log.tree import leaf_hash, root_of
from ledger.stamps import StampCheckpoint
from ledger.verify.rule import Rule
from tests.support.authority import authority
from tests.support.model import Pen
from tests.support.society import ADMINISTRATOR
from tests.verify.export import ORIGIN, appended, forged
from tests.verify.forgeries.registry import forgery, free


def checkpoint(pen: Pen, size: int) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=root_of(map(leaf_hash, pen.written[:size])))


def command(stamped: Checkpoint, token: bytes | None = None) -> StampCheckpoint:
    der = authority().stamp(stamped) if token is None else token
    return StampCheckpoint(
        maker=ADMINISTRATOR,
        authority="tsa.example.org",
        root=stamped.root.hex(),
        size=stamped.size,
        token=b64encode(der).decode(),
    )


def stamped() -> Pen:
    pen = free()
    pen.write(command(checkpoint(pen, 3)))
    return pen


@forgery(Rule.STAMP_ROOT)
def a_stamp_of_another_history() -> list[bytes]:
    """The token is right, and over what the entry says: only the log was never so."""
    pen = free()
    pen.write(command(Checkpoint(origin=ORIGIN, size=3, root=bytes(32))))
    return pen.written


@forgery(Rule.STAMP_ROOT)
def a_stamp_of_the_right_root_at_another_size() -> list[bytes]:
    pen = free()
    pen.write(command(Checkpoint(origin=ORIGIN, size=4, root=checkpoint(pen, 3).root)))
    return pen.written


@forgery(Rule.STAMP_FORM)
def a_stamp_of_what_came_later() -> list[bytes]:
    written = stamped().written
    return forged(written, -1, lambda value: value["body"].update(size=len(written)))


@forgery(Rule.STAMP_FORM)
def a_stamp_of_nothing() -> list[bytes]:
    return forged(stamped().written, -1, lambda value: value["body"].update(size=0))


@forgery(Rule.STAMP_FORM)
def a_token_that_is_no_base64() -> list[bytes]:
    return forged(stamped().written, -1, lambda value: value["body"].update(token="*"))


@forgery(Rule.STAMP_IMPRINT)
def a_token_over_another_checkpoint() -> list[bytes]:
    pen = free()
    pen.write(command(checkpoint(pen, 3), authority().stamp(checkpoint(pen, 4))))
    return pen.written


@forgery(Rule.STAMP_IMPRINT)
def a_token_over_the_checkpoint_of_another_log() -> list[bytes]:
    pen = free()
    here = checkpoint(pen, 3)
    pen.write(command(here, authority().stamp(Checkpoint(origin="elsewhere.example", size=3, root=here.root))))
    return pen.written


@forgery(Rule.STAMP_IMPRINT)
def a_token_that_is_none() -> list[bytes]:
    pen = free()
    pen.write(command(checkpoint(pen, 3), b"not DER"))
    return pen.written


@forgery(Rule.DIGEST_FORM)
def a_stamp_whose_root_is_no_hash() -> list[bytes]:
    return forged(stamped().written, -1, lambda value: value["body"].update(root="00"))


@forgery(Rule.ROLE_OF_MAKER)
def a_stamp_by_somebody_without_the_role() -> list[bytes]:
    return forged(stamped().written, -1, lambda value: value["by"].update(maker="s-zzzzzzzzzzzzz"))


@forgery(Rule.TEXT_FORM)
def a_stamp_of_an_authority_without_a_name() -> list[bytes]:
    return forged(stamped().written, -1, lambda value: value["body"].update(authority=""))


@forgery(Rule.POSTINGS_OF_KIND)
def a_stamp_that_moves_money() -> list[bytes]:
    posting = ["donors:330800", -1, "fund:330800:general", 0, 50, "CNY"]
    return appended(stamped().written, postings=[posting])
