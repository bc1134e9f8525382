"""The report: what was checked, what holds the log to it, what was found; for people and as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from ledger.verify.code import Opened
from ledger.verify.finding import WHOLE_LOG, Finding, Findings
from ledger.verify.rule import WORDS, Rule
from ledger.verify.state import Stamp

GOOD, FOUND, UNCHECKED = 0, 1, 2
"""Exit codes: nothing wrong; findings; could not check."""

_TOTALS = {"received": "收到 received", "resting": "结存 resting", "payees": "已付 paid", "refunds": "已退 refunded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """What the log says authorities outside saw of it."""

    count: int
    verified: int | None
    """How many an authority that the reader named has signed; None: none was named."""
    size: int
    """Entries under the newest stamp; of those verified, where authorities were named. 0: there is none."""
    at: str
    """When, by the authority's clock."""
    authority: str
    """What the entry calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification amounts to."""

    origin: str = ""
    size: int = 0
    root: str = ""
    """In hex, as the checkpoint has it."""
    checkpoint: str = ""
    """The signed note that all of this is about: what to keep for the next visit."""
    signed_by: str = ""
    """The vkey of the key that signed; empty where no key was given or none of them signed."""
    has_policy: bool = False
    cosigned_at: Mapping[str, str] = field(default_factory=dict)
    """Witnesses of the policy → when they saw this checkpoint."""
    is_saved_continued: bool | None = None
    """Whether the log continues the checkpoint saved before; None: none was given."""
    receipts: int = 0
    """Receipts that were looked at."""
    opened: tuple[Opened, ...] = ()
    """What receipt codes opened."""
    hashed: int = 0
    """Entries whose bytes were checked."""
    replayed: int = 0
    """Entries whose meaning was checked."""
    is_meaning_asked: bool = True
    stamps: Stamps | None = None
    """RFC 3161 timestamps in the log; None: rules were not checked, or there are none."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    totals_fen: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    """Of a database, table → rows that were compared with the entries."""
    sequenced: int = 0
    """Of a database, entries that its tables were compared with: also those no checkpoint covers yet."""
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Findings by rule, also those that are not listed."""
    trouble: str = ""
    """Why the check could not be finished; empty if it was."""

    @property
    def exit_code(self) -> int:
        """0: all good; 1: findings; 2: could not check."""
        if self.counts:
            return FOUND
        return UNCHECKED if self.trouble else GOOD

    def with_tables(self, findings: Findings, tables: Mapping[str, int], sequenced: int) -> "Report":
        """This report, and what the comparison of a database's tables came to."""
        counts = Counter(self.counts) + Counter(counted(findings.counts))
        return replace(
            self,
            findings=(*self.findings, *findings.ordered()),
            counts=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
            tables=tables,
            sequenced=sequenced,
        )

    def to_json(self) -> bytes:
        """All of it, for programs."""
        fields = msgspec.to_builtins(self)
        verdict = {GOOD: "good", FOUND: "findings", UNCHECKED: "unchecked"}[self.exit_code]
        return msgspec.json.format(msgspec.json.encode({"verdict": verdict, **fields}), indent=2)

    def text(self) -> str:
        """For people, Chinese and English."""
        return "\n".join([*self._head(), *self._checked(), *self._found(), self._verdict()])

    def _head(self) -> list[str]:
        if not self.root:
            return []
        lines = [
            f"账本 log            {self.origin}",
            f"条目数 entries      {self.size:,}",
            f"树根 root           {self.root}",
        ]
        if self.signed_by:
            lines.append(f"签名 signed by      {self.signed_by}")
        elif not self.has_policy:
            lines.append("签名 signature      未核对：未提供公钥 not checked: no key given (--key, --policy)")
        lines += [f"见证 witness        {name} {at}" for name, at in self.cosigned_at.items()]
        if not self.cosigned_at and self.has_policy:
            lines.append("见证 witness        无 none")
        return lines

    def _checked(self) -> list[str]:
        lines = self._checked_log() if self.root else []
        if self.tables:
            lines.append(f"表 tables           {len(self.tables)} 表 tables, {sum(self.tables.values()):,} 行 rows")
        if self.sequenced > self.size:
            unpublished = self.sequenced - self.size
            lines.append(f"未发布 unpublished  {unpublished:,} 条 entries: 只核对编号、链与表 rules not checked")
        return lines

    def _checked_log(self) -> list[str]:
        lines = [f"字节 bytes          {self.hashed:,} / {self.size:,}"]
        if self.is_meaning_asked:
            lines.append(f"规则 rules          {self.replayed:,} / {self.size:,}")
        else:
            lines.append("规则 rules          未核对 not checked (--bytes-only)")
        if self.is_saved_continued:
            lines.append("旧检查点 saved      一致 continued")
        if self.receipts:
            lines.append(f"回执 receipts       {self.receipts}")
        lines += [f"回执码 code {each.number}       #{each.seq} {each.said} ({each.digest})" for each in self.opened]
        if self.stamps is not None:
            lines.append(_stamps_line(self.stamps))
        for name, fen in self.totals_fen.items():
            lines.append(f"{_TOTALS.get(name, name):18}  ¥{fen // 100:,}.{fen % 100:02d}")
        return lines

    def _found(self) -> list[str]:
        lines = [line for each in self.findings for line in described(each)]
        listed = len(self.findings)
        total = sum(self.counts.values())
        if total > listed:
            by_rule = ", ".join(f"{rule} {count}" for rule, count in self.counts.items())
            lines += ["", f"共 {total} 处，列出 {listed} 处 · {total} findings, {listed} listed: {by_rule}"]
        return [*lines, ""] if lines else []

    def _verdict(self) -> str:
        match self.exit_code:
            case 0 if not self.has_policy:
                return "✓ 其余全部通过，签名未核对 everything else holds; whose signature it is was not checked"
            case 0:
                return "✓ 全部通过 everything holds"
            case 1:
                also = f"；未能查完 and not finished: {self.trouble}" if self.trouble else ""
                return f"✗ 发现问题 {sum(self.counts.values())} 处 findings{also}"
            case _:
                return f"? 未能核对 could not check: {self.trouble}"


def stamped(stamps: Sequence[Stamp], *, are_verified: bool) -> Stamps | None:
    """What they come to; None where there are none."""
    if not stamps:
        return None
    counted_ones = [each for each in stamps if each.is_verified or not are_verified]
    newest = max(counted_ones, key=lambda each: each.checkpoint.size, default=None)
    return Stamps(
        count=len(stamps),
        verified=len(counted_ones) if are_verified else None,
        size=0 if newest is None else newest.checkpoint.size,
        at="" if newest is None else newest.at,
        authority="" if newest is None else newest.authority,
    )


def _stamps_line(stamps: Stamps) -> str:
    """Whether anybody's signature stands behind a time is said in the same line."""
    if stamps.verified is None:
        return f"时间戳 timestamps   {stamps.count}，签名未核对 signatures not checked (--tsa-certificate)"
    proven = f"：{stamps.at} 前已有 {stamps.size:,} 条 entries by then" if stamps.size else ""
    return f"时间戳 timestamps   {stamps.verified} / {stamps.count} 签名成立 signed{proven}"


def described(finding: Finding) -> list[str]:
    """A finding as people read it."""
    zh, en = WORDS[finding.rule]
    where = "账本 log" if finding.seq == WHOLE_LOG else f"#{finding.seq}"
    return [
        "",
        f"✗ {where}  {finding.rule}  {zh} · {en}",
        *([f"    位置 place     {finding.place}"] if finding.place else []),
        f"    应为 expected  {finding.expected}",
        f"    实为 found     {finding.found}",
    ]


def instant(time_s: int) -> str:
    """A witness's time, in UTC."""
    try:
        return datetime.fromtimestamp(time_s, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{time_s} s"


def counted(counts: Mapping[Rule, int]) -> dict[str, int]:
    """By rule, the most frequent first."""
    return {str(rule): count for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}
