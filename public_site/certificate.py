"""捐赠证书: a sheet that a donor prints, with a code that finds the gift and one that proves it without this site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from markupsafe import Markup

from api.desk import Desk
from api.problems import ProblemError
from ledger import privacy
from ledger.log.encoding import encode_base64
from ledger.log.errors import MalformedError
from ledger.receipt.compact import encode_compact
from ledger.receipt.receipt import Receipt
from ledger.store.queries.dossiers import read_receipt
from ledger.store.queries.gifts import Traced
from ledger.store.queries.log import checkpoint_of
from ledger.trace import State, Trace
from public_site import qr
from public_site.capitals import capitals
from public_site.posted import asked, fields
from public_site.site import PRIVATE, Site
from public_site.words import both

PAPERS = ("a5", "a4")

LINK_MODULE_UM = 700
LINK_SIDE_UM = 36_000
PROOF_MODULE_UM = {"a5": 500, "a4": 650}
"""A telephone reads larger modules more easily; longer proofs have smaller ones, of 0.4 mm at the least."""
PROOF_SIDE_UM = {"a5": 74_000, "a4": 100_000}
"""What the sheet has room for; on A5 the largest code there is (version 40), with modules of 0.4 mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What can be said of a gift, with what moved on under the wrong entries that it corrects."""

    given_fen: int
    """What she gave."""
    moved_fen: int
    """Of that, what stands in the wrong entries: it moved on before they were taken back."""
    refunded_fen: int
    used_fen: int

    @property
    def kept_fen(self) -> int:
        """What she gave and did not get back: what the certificate is of."""
        return self.given_fen - self.refunded_fen


def attest(trace: Trace, wrong: Sequence[Trace]) -> Attested:
    """Of a gift that was not taken back."""
    gift = trace.gift
    given_fen = gift.amount_fen if gift.corrects is None else gift.right_fen
    all_states = [each.states for each in (trace, *wrong)]
    return Attested(
        given_fen=given_fen,
        moved_fen=given_fen - gift.amount_fen,
        refunded_fen=sum(states[State.REFUNDED] for states in all_states),
        used_fen=sum(states[State.CONFIRMED] + states[State.UNCONFIRMED] for states in all_states),
    )


def link_of(site: str, code: str) -> str:
    """What a printed code says: the look-up, with the code in the fragment, which no server sees."""
    return f"{site}#{privacy.printed(code)}"


def link_drawn(link: str) -> Markup:
    """The same as a picture."""
    return qr.drawn(link, module_um=LINK_MODULE_UM, side_um=LINK_SIDE_UM)


@post(both("/certificate"), status_code=200, include_in_schema=False)
async def certificate(
    request: Request[Any, Any, Any], site: NamedDependency[Site], desk: NamedDependency[Desk]
) -> Response[str]:
    """The certificate of a gift; or why there is none (yet)."""
    body = await request.body()
    typed, wanted = asked(body)
    (paper,) = fields(body, "paper")
    if paper not in {"", *PAPERS}:
        say = site.words
        raise ProblemError("invalid-request", say("纸张只有 {papers}。", papers=say("、").join(PAPERS).upper()))
    traced = await desk.trace(request, typed, wanted)
    if traced.trace is None:
        return site.page("not_found", traced.head, status=404, headers=PRIVATE)
    gift, code = traced.trace.gift, privacy.parse_code(typed)
    assert code is not None, "what is no code finds no gift"
    shown: dict[str, Any] = {
        "attested": attest(traced.trace, traced.wrong),
        "code": privacy.printed(code),
        "gift": gift,
    }
    async with desk.database.snapshot() as connection:
        receipt = await read_receipt(connection, gift.seq)
    why = _why_not(traced, shown["attested"])
    if why or receipt is None:
        shown |= {"why": why, "righted_by": traced.righted_by, "trace": traced.trace}
        return site.page("no_certificate", traced.head, status=404, headers=PRIVATE, **shown)
    shown |= _proven(receipt, paper or PAPERS[0])
    return site.page(
        "certificate",
        traced.head,
        headers=PRIVATE,
        capitals=capitals(shown["attested"].kept_fen),
        donor_name=traced.donor_name,
        link=link_drawn(link_of(site.press.look.address + site.words.address("/r"), code)),
        papers=PAPERS,
        **shown,
    )


def _why_not(traced: Traced, attested: Attested) -> str:
    """Why there is no certificate, whenever it is asked for; empty where it only has to be published."""
    assert traced.trace is not None
    if traced.trace.reversal is not None:
        return "taken back"
    if not attested.kept_fen:
        return "given back"
    return "" if traced.progress.published else "unsigned"


def _proven(receipt: Receipt, paper: str) -> dict[str, Any]:
    """Where the entry stands, and the proof as a picture; empty where no code holds it."""
    checkpoint = checkpoint_of(receipt.proof.checkpoint)
    try:
        proof = encode_compact(receipt)
    except MalformedError:  # too long, or without an Ed25519 signature
        proof = b""
    drawn = qr.drawn(proof, module_um=PROOF_MODULE_UM[paper], side_um=PROOF_SIDE_UM[paper]) if proof else ""
    return {
        "paper": paper,
        "proof": drawn,
        "proof_bytes": len(proof),
        "root": encode_base64(checkpoint.root),
        "size": checkpoint.size,
    }


HANDLERS = [certificate]
