"""What a browser is given to check, out of a real store; and the same with each thing forged that can be."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from ledger import entries
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.encoding import encode_base64
from ledger.log.note import parse_note
from ledger.store.queries.dossiers import read_box
from ledger.store.queries.receipts import NEWEST
from public_site import messages
from tests.support.box import open_box, seal_box
from tests.support.keys import ed25519_cosigner, ml_dsa_cosigner
from tests.support.office import CITY, Office

WITNESSES = [ed25519_cosigner("auditor.example/w1"), ed25519_cosigner("university.example/w2")]
SEEN_AT_S = int(time.time()) - 2 * 86_400
"""When the witnesses saw it: two days ago, which is new enough."""
OTHER_REFERENCE = "20260622000099"
"""Of a second donor's payment, of the same amount on the same day."""

Given = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One gift's entry, proof, policy, code and box, and what a page shows of it."""

    seq: int
    entry: bytes
    proof: bytes
    policy: str
    code: str
    box: bytes
    shown: tuple[tuple[str, str], ...]
    income: "Evidence | None" = None
    """What is no gift, of the same amount and in the same log, as a page could show it to whoever has the code."""

    def json(self) -> Given:
        """As proof.js takes it."""
        return {
            "seq": self.seq,
            "entry": base64.b64encode(self.entry).decode(),
            "proof": self.proof.decode(),
            "policy": self.policy,
            "code": self.code,
            "box": base64.b64encode(self.box).decode(),
            "shown": [[*each] for each in self.shown],
        }


async def evidence(office: Office, visitor: httpx.AsyncClient, code: str, seq: int = NEWEST) -> Evidence:
    """Of a real gift, cosigned by two witnesses that the policy asks for. `seq`: which of the code's entries."""
    trace = (await visitor.post("/api/v1/trace", json={"code": code, "seq": seq})).json()
    gift = trace["gift"]
    seq = gift["seq"]
    async with office.resources.database.raw() as connection:
        box = await read_box(connection, seq)
    return Evidence(
        seq=seq,
        entry=(await visitor.get(f"/api/v1/entries/{seq}/bytes")).content,
        proof=cosigned((await visitor.get(f"/log/proof/{seq}")).content),
        policy=witnessed((await visitor.get("/log/policy")).text),
        code=code,
        box=box,
        shown=(
            ("spoken", f"您的 {messages.spoken(gift['amount_fen'])}，已有一部分拨付使用"),
            ("amount", messages.yuan(gift["amount_fen"])),
            ("amount", f"收到您的捐款 {messages.yuan(gift['amount_fen'])}"),
            ("on", gift["on"]),
            ("seq", f"第 {seq:,} 条"),
            ("sha256", gift["sha256"]),
            ("remainder", ""),
            *((f"part:{leaf['state']}", messages.yuan(leaf["amount_fen"])) for leaf in trace["leaves"]),
            *((f"state:{state}", f"其中 {messages.yuan(fen)}") for state, fen in trace["states"].items() if fen),
        ),
    )


async def with_income(office: Office, visitor: httpx.AsyncClient, kept: Evidence) -> Evidence:
    """The same gift, and an income that looks like it: record, path and checkpoint are true, and there is no box."""
    amount_fen = entries.qty_of(entries.decode(kept.entry))
    said = {"org": CITY, "fund": "general", "amount_fen": amount_fen, "source": "interest", "on": "2026-07-02"}
    answer = await office.post("income", said, headers={"Prefer": "wait=9"})
    assert answer.json()["state"] == "published", answer.text
    seq = answer.json()["entries"][0]["seq"]
    entry = (await visitor.get(f"/api/v1/entries/{seq}/bytes")).content
    its = {"on": "2026-07-02", "seq": f"第 {seq:,} 条", "sha256": sha256(entry).hexdigest()}
    income = replace(
        kept,
        seq=seq,
        entry=entry,
        proof=cosigned((await visitor.get(f"/log/proof/{seq}")).content),
        box=b"",
        shown=tuple((what, its.get(what, text)) for what, text in kept.shown),
    )
    return replace(kept, income=income)


def cosigned(proof: bytes, cosigners: list[Cosigner] | None = None, *, at_s: int = SEEN_AT_S) -> bytes:
    """The proof with cosignatures under its checkpoint."""
    note = parse_note(proof.partition(b"\n\n")[2])
    checkpoint = Checkpoint.parse(note.text)
    lines = [each.sign(checkpoint, time_s=at_s) for each in (WITNESSES if cosigners is None else cosigners)]
    return proof + b"".join(line.encode() for line in lines)


def seen(kept: Evidence, *days_ago: int) -> Evidence:
    """The same checkpoint, which each witness cosigned so many days earlier, and not since."""
    proof = _uncosigned(kept.proof)
    for witness, days in zip(WITNESSES, days_ago, strict=True):
        proof = cosigned(proof, [witness], at_s=SEEN_AT_S - days * 86_400)
    return replace(kept, proof=proof)


def _uncosigned(proof: bytes) -> bytes:
    return proof.split(f"\n\u2014 {WITNESSES[0].key.name} ".encode())[0] + b"\n"


def witnessed(policy: str) -> str:
    """The log's policy, with both witnesses asked for."""
    witnesses = [f"witness w{i} {each.key} https://witness.example/\n" for i, each in enumerate(WITNESSES, 1)]
    return policy.replace("quorum none\n", "".join([*witnesses, "group both all w1 w2\n", "quorum both\n"]))


def post_quantum(kept: Evidence, *, beside: bool) -> Evidence:
    """Cosigned by a witness no browser can check: beside the two others, who are enough, or alone."""
    third = ml_dsa_cosigner("archive.example/w3")
    line = f"witness w3 {third.key} https://w3.example/\n"
    if beside:
        policy = kept.policy.replace("group both", f"{line}group both")
        return replace(kept, policy=policy, proof=cosigned(kept.proof, [third]))
    alone = cosigned(_uncosigned(kept.proof), [third])
    return replace(kept, policy=kept.policy.split("witness ")[0] + f"{line}quorum w3\n", proof=alone)


# --- forgeries, each named after what is forged, with the step that has to refuse it ---


def amount_changed(kept: Evidence) -> Evidence:
    """One digit of the amount in the entry's bytes, which stay canonical."""
    head, mark, tail = kept.entry.rpartition(b',"CNY"]')
    assert mark
    return replace(kept, entry=head[:-1] + (b"1" if head[-1:] != b"1" else b"2") + mark + tail)


def hash_swapped(kept: Evidence) -> Evidence:
    """Two hashes of the path in each other's place."""
    lines = kept.proof.split(b"\n")
    lines[2], lines[3] = lines[3], lines[2]
    return replace(kept, proof=b"\n".join(lines))


def index_changed(kept: Evidence) -> Evidence:
    """The proof says that it is of the next entry."""
    return replace(kept, proof=kept.proof.replace(b"index %d\n" % kept.seq, b"index %d\n" % (kept.seq + 1)))


def root_edited(kept: Evidence) -> Evidence:
    """Another root in the signed checkpoint."""
    return _checkpoint(kept, lambda origin, size, _: (origin, size, encode_base64(bytes(32))))


def size_edited(kept: Evidence) -> Evidence:
    """One entry more in the signed checkpoint; the path is as long in a tree of that size."""
    return _checkpoint(kept, lambda origin, size, root: (origin, str(int(size) + 1), root))


def cosignature_removed(kept: Evidence) -> Evidence:
    """One of two witnesses the policy asks for."""
    return replace(kept, proof=kept.proof[: kept.proof.rindex(b"\xe2\x80\x94")])


def signature_forged(kept: Evidence) -> Evidence:
    """The log's signature, made with another key under the same name and id."""
    log, _, _ = parse_note(kept.proof.partition(b"\n\n")[2]).signatures
    forged = replace(log, payload=log.payload[:-33] + bytes([log.payload[-33] ^ 1]) + log.payload[-32:])
    return replace(kept, proof=kept.proof.replace(log.encode(), forged.encode()))


def cosignature_forged(kept: Evidence) -> Evidence:
    """A witness's time, moved by a second."""
    *_, last = parse_note(kept.proof.partition(b"\n\n")[2]).signatures
    forged = replace(last, payload=(SEEN_AT_S + 1).to_bytes(8) + last.payload[8:])
    return replace(kept, proof=kept.proof.replace(last.encode(), forged.encode()))


def entry_of_another(kept: Evidence) -> Evidence:
    """A page that shows another number than the entry it was given."""
    return replace(kept, seq=kept.seq + 1)


def not_canonical(kept: Evidence) -> Evidence:
    """The same facts in other bytes."""
    return replace(kept, entry=kept.entry.replace(b'"v":1', b'"v": 1'))


def code_of_another(kept: Evidence) -> Evidence:
    """A code that was given to somebody else."""
    return replace(kept, code="0123-4567-89AB-CDE4")


def box_of_another(kept: Evidence) -> Evidence:
    """A box that another code seals."""
    return replace(kept, box=kept.box[:-1] + bytes([kept.box[-1] ^ 1]))


def reference_of_another(kept: Evidence) -> Evidence:
    """A box that the keeper sealed anew under the same code, with the payment number of a second donor in it."""
    return replace(kept, box=box_with(kept.box, kept.code, OTHER_REFERENCE))


def box_with(box: bytes, code: str, channel_ref: str) -> bytes:
    """The same box with another payment number in it, as whoever knows the code can make it."""
    bare = code.replace("-", "")
    opened = open_box(bare, box)
    assert opened is not None
    channel = msgspec.structs.replace(opened.channel, channel_ref=channel_ref)
    return seal_box(bare, msgspec.structs.replace(opened, channel=channel), box[1:17])


def template_lies(kept: Evidence) -> Evidence:
    """A page that shows another amount than the entry's."""
    spoken, _, *others = kept.shown
    return replace(kept, shown=(spoken, ("amount", "¥9,999.00"), *others))


def template_says_nothing(kept: Evidence) -> Evidence:
    """A page that leaves the marks out: whatever it shows, nothing of it would be compared."""
    return replace(kept, shown=())


def no_gift(kept: Evidence) -> Evidence:
    """An income of the same amount, shown to whoever has the code: it belongs to no code."""
    assert kept.income is not None
    return kept.income


def template_moves_money(kept: Evidence) -> Evidence:
    """A page whose parts do not come to the gift."""
    return replace(kept, shown=(*kept.shown, ("part:held", "¥0.01"), ("state:held", "已入账 ¥0.01")))


def state_lies(kept: Evidence) -> Evidence:
    """A page that sums the parts in one state up to something else."""
    return _says(kept, "state:", "已拨付 ¥0.01")


def state_left_out(kept: Evidence) -> Evidence:
    """A page that does not say what is in one of the states."""
    return replace(kept, shown=tuple(each for each in kept.shown if not each[0].startswith("state:")))


def headline_lies(kept: Evidence) -> Evidence:
    """A headline whose second amount is in no state."""
    return _says(kept, "spoken", f"{kept.shown[0][1]}，已有 9,999 元拨付使用")


def remainder_lies(kept: Evidence) -> Evidence:
    """A sentence on the remainder with an amount that is in no state."""
    return _says(kept, "remainder", "其中 0.01 元还没有分配。")


FORGERIES: dict[Callable[[Evidence], Evidence], str] = {
    amount_changed: "inclusion",
    hash_swapped: "inclusion",
    index_changed: "inclusion",
    root_edited: "inclusion",
    size_edited: "signature",
    cosignature_removed: "witnesses",
    signature_forged: "signature",
    cosignature_forged: "witnesses",
    entry_of_another: "record",
    not_canonical: "record",
    code_of_another: "receipt",
    box_of_another: "donor",
    reference_of_another: "donor",
    template_lies: "shown",
    template_moves_money: "shown",
    template_says_nothing: "shown",
    state_lies: "shown",
    state_left_out: "shown",
    headline_lies: "shown",
    remainder_lies: "shown",
    no_gift: "receipt",
}


def _says(kept: Evidence, what: str, text: str) -> Evidence:
    """The page says something else in one place."""
    place = next(i for i, (mark, _) in enumerate(kept.shown) if mark.startswith(what))
    return replace(kept, shown=(*kept.shown[:place], (kept.shown[place][0], text), *kept.shown[place + 1 :]))


def _checkpoint(kept: Evidence, change: Callable[[str, str, str], tuple[str, str, str]]) -> Evidence:
    head, _, note = kept.proof.partition(b"\n\n")
    origin, size, root, rest = note.decode().split("\n", 3)
    return replace(kept, proof=head + b"\n\n" + "\n".join([*change(origin, size, root), rest]).encode())
