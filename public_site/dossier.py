"""The dossier in words: what a donor reads in her download, beside the entries and proofs that carry it."""

from collections.abc import Iterator

from ledger.log.note import parse_note
from ledger.receipt.dossier import encode_dossier
from ledger.store.queries.dossiers import Dossier
from ledger.store.queries.log import checkpoint_of
from ledger.trace import Step, Trace
from public_site import messages
from public_site.messages import STATES, yuan

README = """\
阳光账本 · 捐赠查询复制件

这个压缩包里是一笔捐款在账本里的全部记录，以及每一条的证明。
summary.txt   这笔捐款的去向，供阅读
entries/      账本条目的原始字节，一条一个文件
proofs/       每一条的证明（C2SP tlog-proof 格式）
checkpoint    签了名的检查点：账本名称、条数、总根
box.bin       用收据编号才能打开的渠道信息（应要求删除个人信息之后，没有这个文件）；更正前的记录为 box-条目序号.bin
manifest.json 以上各文件的字节数和 SHA-256

怎样核对：sunledger verify --receipt 本压缩包 --key 账本的公钥
公钥请从收据、见证机构等别处取得，不要只信本站。不用我们的程序也能核对，见 docs/formats.md。

说明：这些条目在检查点之时已在账本中，此后若有人改动，签名和证明就对不上。
不说明：不能证明当初录入的内容一定属实。这要看凭证、审计和现场回访。

What this is: every entry the log holds of one gift, with a proof of each under one signed checkpoint.
Check it with the command above; take the key from your receipt or a witness, not only from this site.
It shows that nothing was changed since; it does not show that what was entered was true.
"""


def packed(dossier: Dossier) -> bytes:
    """The zip: for one checkpoint always the same bytes."""
    beside = {"README.txt": README.encode(), "checkpoint": dossier.checkpoint, "summary.txt": _summary(dossier)}
    if dossier.box:
        beside["box.bin"] = dossier.box
    beside |= {f"box-{seq}.bin": box for seq, box in dossier.wrong_boxes.items()}
    return encode_dossier(dossier.receipts, beside)


def _summary(dossier: Dossier) -> bytes:
    return "".join(f"{line}\n" for line in _lines(dossier)).encode()


def _lines(dossier: Dossier) -> Iterator[str]:
    trace, gift = dossier.trace, dossier.trace.gift
    yield messages.headline(trace)
    yield f"{gift.on} 捐给{gift.organisation.name}「{gift.fund.name}」，{messages.channel(gift.channel)}。"
    if gift.event:
        yield f"用于「{gift.event.name}」。"
    if gift.campaign:
        yield f"属于募捐活动「{gift.campaign.name}」{'，在备案期限之后到账' if gift.late else ''}。"
    if said := messages.FISCAL[gift.fiscal]:
        yield f"捐赠票据：{said}。"
    yield ""
    yield "每一元的去向"
    for leaf in trace.leaves:
        yield f"  {yuan(leaf.amount_fen)}  {STATES[leaf.state]}  {messages.place(leaf)}（第 {leaf.seq} 条）"
    summed = " + ".join(yuan(fen) for fen in trace.states.values() if fen)
    yield f"  {summed} = {yuan(gift.amount_fen)}"
    yield ""
    yield "经过，新的在前"
    for step in trace.steps:
        yield f"  {step.on}  第 {step.seq} 条  {messages.heading(step)}{_part(step)}"
    yield ""
    for wrong in dossier.wrong:
        yield from _corrected(wrong)
    checkpoint = checkpoint_of(dossier.checkpoint)
    yield f"截至账本 {checkpoint.origin} 的前 {checkpoint.size} 条，总根（SHA-256）{checkpoint.root.hex()}"
    yield f"签名：{'、'.join(each.name for each in parse_note(dossier.checkpoint).signatures)}"
    yield "同一基金、先到先用：这是一种约定，精确到分，对每位捐赠人都一样。"


def _corrected(wrong: Trace) -> Iterator[str]:
    """A wrong entry whose place the gift took."""
    assert wrong.reversal is not None, "a right entry corrects what was taken back"
    gift, reversal = wrong.gift, wrong.reversal
    yield f"更正前的记录：第 {gift.seq} 条，{gift.on} {yuan(gift.amount_fen)}，「{gift.fund.name}」"
    yield f"  {reversal.on}  第 {reversal.seq} 条撤销，更正说明：{reversal.text}"
    for leaf in wrong.leaves:
        yield f"  {yuan(leaf.amount_fen)}  {STATES[leaf.state]}  {messages.place(leaf)}（第 {leaf.seq} 条）"
    yield ""


def _part(step: Step) -> str:
    """This gift's part of what an entry moved."""
    if step.kind == "money.received":
        return ""
    return f"  其中您的 {yuan(step.amount_fen)}，本笔共 {yuan(step.entry_amount_fen)}"
