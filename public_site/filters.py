"""What a reader narrowed a page of data to, from a form or an address: read with care, and written back the same."""

import calendar
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import quote, urlencode

from api.public.permalinks import NOW
from ledger import account
from ledger.account import MAX_POSITION
from ledger.store.queries.choices import Choices
from public_site import messages
from public_site.words import Words

PLACES = ("org", "fund", "project", "event")
GIFT = ("channel", "donor_class")
BOUNDS = ("since", "until", "least", "most")
FIELDS = (*PLACES, *GIFT, "region", "category", *BOUNDS)
MAX_TYPED = 64

NAMES = {
    "org": "组织|一个",
    "fund": "基金|一个",
    "project": "项目|一个",
    "event": "事件",
    "channel": "渠道",
    "donor_class": "捐赠人",
    "region": "地区",
    "category": "类别",
    "since": "开始",
    "until": "结束",
    "least": "金额下限",
    "most": "金额上限",
    "as_of": "截至",
}
DONORS = {"person": "个人|捐赠人", "organisation": "单位", "unknown": "不详"}

_UNKNOWN = {
    "org": "没有编号为「{typed}」的组织。",
    "fund": "没有编号为「{typed}」的基金。",
    "project": "没有编号为「{typed}」的项目。",
    "event": "没有编号为「{typed}」的事件。",
}
_UNREADABLE = {
    "channel": "「{typed}」不是渠道的编号。",
    "donor_class": "捐赠人只分个人、单位、不详三类。",
    "region": "地区写成六位行政区划代码，例如 330800。",
    "category": "「{typed}」不是类别的名称。",
    "since": "「{typed}」不是日期。日期写成 2026-07-01 的样子，也可以只写到月。",
    "until": "「{typed}」不是日期。日期写成 2026-07-01 的样子，也可以只写到月。",
    "least": "「{typed}」不是金额。金额以元为单位，写成 500 或 1,234.50 的样子。",
    "most": "「{typed}」不是金额。金额以元为单位，写成 500 或 1,234.50 的样子。",
}
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_NUMBER = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """`typed`: field → what stands in it; nothing for one left empty. What could not be read is in `wrong`."""

    typed: Mapping[str, str]
    only: Mapping[str, str]
    """Dimension → value, as the interface takes it."""
    since: date | None
    until: date | None
    least_fen: int
    most_fen: int
    wrong: Mapping[str, str]
    """Field → what is wrong with it, in the reader's language."""

    @property
    def asked(self) -> dict[str, str | int]:
        """The same as parameters of the interface's lists, but for the entry."""
        return {
            **self.only,
            "since": str(self.since or ""),
            "until": str(self.until or ""),
            "least_fen": self.least_fen or "",
            "most_fen": self.most_fen if self.most_fen < MAX_POSITION else "",
        }

    def known(self, choices: Choices, say: Words) -> "Filters":
        """The same; what was chosen and does not exist is wrong."""
        unknown = {
            field: say(_UNKNOWN[field], typed=self.typed[field])
            for field in PLACES
            if field in self.typed and field not in choices.chosen
        }
        return replace(self, wrong={**unknown, **self.wrong})


def read(query: Mapping[str, str], fields: Collection[str], title: str, say: Words) -> Filters:
    """The filters of an address. `fields`: those that narrow what `title` names; others are refused."""
    typed = {each: text for each in FIELDS if (text := query.get(each, "").strip()[:MAX_TYPED])}
    wrong = {
        each: say("「{title}」不能按{field}筛选。", title=title, field=say(NAMES[each]))
        for each in typed
        if each not in fields
    }
    found: dict[str, object] = {}
    for each, text in typed.items():
        if each in wrong or (each in PLACES and not _is_place(each, text)):
            continue  # what cannot name anything is not among what exists
        value = _READ[each](text)
        if value is None:
            wrong[each] = say(_UNREADABLE[each], typed=text)
        else:
            found[each] = value
    typed |= {
        each: str(found[each]) for each in ("since", "until") if each in found
    }  # a browser's field shows whole days
    since, until = found.get("since"), found.get("until")
    assert since is None or isinstance(since, date)
    assert until is None or isinstance(until, date)
    least, most = found.get("least", 0), found.get("most", MAX_POSITION)
    assert isinstance(least, int)
    assert isinstance(most, int)
    if since and until and since > until:
        wrong["until"] = say("结束日期早于开始日期。")
    if least > most:
        wrong["most"] = say("金额上限低于下限。")
    only = {each: str(found[each]) for each in FIELDS if each in found and each not in BOUNDS}
    return Filters(typed=typed, only=only, since=since, until=until, least_fen=least, most_fen=most, wrong=wrong)


def number(query: Mapping[str, str], name: str, default: int = NOW) -> int | None:
    """An entry's number in an address: `default` where there is none, None where it is no number."""
    text = query.get(name, "").strip()
    if not text:
        return default
    return int(text) if _NUMBER.fullmatch(text) and int(text) <= MAX_POSITION else None


def address(path: str, parameters: Mapping[str, object]) -> str:
    """Where a page is with these parameters; those left empty are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value not in {None, ""}}, safe=":")
    return f"{path}?{query}" if query else path


def call(path: str, parameters: Mapping[str, str | int]) -> str:
    """A question to the interface, as a program writes it: one parameter a line."""
    lines = [f"{name}={quote(str(value), safe=':,')}" for name, value in parameters.items() if value != ""]
    return "\n".join(
        [f"GET {path}", *(f"  {mark}{line}" for mark, line in zip("?" + "&" * len(lines), lines, strict=False))]
    )


def _is_place(field: str, text: str) -> bool:
    owner, owned, its = text.partition(":") if field in {"fund", "project"} else ("", "", text)
    return account.is_id(its) and (not owned or account.is_id(owner))


def _day(text: str, *, is_end: bool = False) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(each or 0) for each in found.groups())
    try:
        if not day and is_end:
            day = calendar.monthrange(year, month)[1]
        return date(year, month, day or 1)
    except ValueError:  # calendar's own error is one
        return None


def _fen(text: str) -> int | None:
    return messages.fen(text) or (0 if not text.strip("¥0.") else None)


_READ: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(PLACES, str),
    "channel": lambda text: text if account.is_id(text) else None,
    "donor_class": lambda text: text if text in DONORS else None,
    "region": lambda text: text if re.fullmatch("[0-9]{6}", text) else None,
    "category": lambda text: text if text.isprintable() else None,
    "since": _day,
    "until": lambda text: _day(text, is_end=True),
    "least": _fen,
    "most": _fen,
}
