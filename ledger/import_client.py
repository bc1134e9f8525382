"""The command line's side of an import: hand the sheet to the admin application, show what it says, follow it."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.imports.totals import read_totals
from ledger.trouble import Trouble

POLL_S = 0.2
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 120
SHOWN = 20
"""Rows, and gifts in two notices, that are told one by one."""

_SILENT = "the admin application does not answer"


class ServerSaid(Trouble):
    """The admin application answered with a problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What to import and where to."""

    file: Path
    profile: str
    org: str
    fund: str
    event: str
    totals: Path | None


async def propose(url: str, token: str, sheet: Sheet, rejected: Path | None, console: Console) -> None:
    """Upload, follow the check, print the report and the proposals."""
    totals = read_totals(sheet.totals) if sheet.totals else {}
    async with _client(url, token) as client:
        staged = await _json(client.post("/api/v1/sheets", content=_chunks(sheet.file)))
        where = f"/api/v1/sheets/{staged['sheet']}"
        body = {
            "profile": sheet.profile,
            "name": sheet.file.name,
            "org": sheet.org,
            "fund": sheet.fund,
            "event": sheet.event,
            "totals": {name: {"count": each.count, "sum_fen": each.sum_fen} for name, each in totals.items()},
        }
        checked = await _json(client.post(f"{where}/check", json=body))
        with _progress(console) as progress:
            task = progress.add_task("checking", total=checked["size_bytes"])
            while checked["state"] == "checking":
                await asyncio.sleep(POLL_S)
                checked = await _json(client.get(f"{where}/check"))
                progress.update(task, completed=checked["read_bytes"], total=checked["size_bytes"])
        if checked["report"] is None:
            raise ServerSaid(checked["detail"] or "the sheet could not be checked; nothing was entered")
        _tell(checked, console)
        if checked["state"] == "failed":
            raise ServerSaid("not every batch could be proposed; the application goes on with the others when it can")
        if rejected is not None and checked["report"]["rejected_count"]:
            await _write_rejected(client, f"{where}/rejected.csv", rejected, console)


async def show(url: str, token: str, proposal: int, rejected: Path | None, console: Console) -> None:
    """Print what the check found of the sheet that a proposal speaks of: what its maker saw, for who approves."""
    async with _client(url, token) as client:
        where = f"/api/v1/proposals/{proposal}"
        checked = await _json(client.get(f"{where}/check"))
        _say(f"proposal {proposal}: {checked['batch']}, {_gifts(checked['rows'], checked['sum_fen'])}", console)
        for note in _namesakes(checked["namesakes"]):
            _say(f"  {note}", console)
        if (report := checked["report"]) is None:
            _say(f"no report: {checked['absent']}", console)
            return
        console.print("of its whole sheet:")
        _tell_report(report, {checked["batch"]: f"proposal {proposal}"}, {}, console)
        if rejected is not None and report["rejected_count"]:
            await _write_rejected(client, f"{where}/rejected.csv", rejected, console)


async def approve(url: str, token: str, proposals: list[int], codes: Path | None, console: Console) -> None:
    """Approve each, once it is told in short what the check of its sheet found.

    With `codes`, follow until every row is entered and write the receipt codes there. One that is refused, or cannot go
    on, holds up no other. Raises ServerSaid with all of these, when the others are done.
    """
    async with _client(url, token) as client:
        batches, refused = [], []
        told: set[str] = set()
        for proposal in proposals:
            key = {"Idempotency-Key": f"approve-{proposal}"}
            try:
                checked = await _json(client.get(f"/api/v1/proposals/{proposal}/check"))
                if not checked["sheet"] or checked["sheet"] not in told:  # many notices of one sheet share its check
                    _say(_in_short(checked), console)
                    told.add(checked["sheet"])
                answer = await _json(client.post(f"/api/v1/proposals/{proposal}/approval", headers=key))
            except ServerSaid as said:
                refused.append(f"proposal {proposal}: {said}")
                continue
            if answer["result"] == "approved":
                console.print(f"proposal {proposal}: approved once; another person has to approve it, too")
            batches += [entry["seq"] for entry in answer["entries"] if entry["kind"] == "import.approved"]
        if codes is not None and batches:
            refused += await _follow(client, batches, codes, console)
    if refused:
        raise ServerSaid("; ".join(refused))


async def _follow(client: httpx.AsyncClient, batches: list[int], codes: Path, console: Console) -> list[str]:
    """Each import to its end, and its codes to a file; why there are none of some, when all others have theirs."""
    codes.mkdir(parents=True, exist_ok=True, mode=0o700)
    without = []
    with _progress(console) as progress:
        for batch in batches:
            try:
                imported = await _entered(client, batch, progress)
                await _fetch(client, batch, codes / f"import-{batch}.csv")
            except ServerSaid as said:
                without.append(f"import {batch}: {said}")
            else:
                _tell_entered(imported, console)
    if len(without) < len(batches):
        console.print(f"receipt codes: {codes}/")
    return without


async def _entered(client: httpx.AsyncClient, batch: int, progress: Progress) -> dict[str, Any]:
    """An import of which every row is entered or refused. Raises ServerSaid where it cannot go on."""
    imported = await _json(client.get(f"/api/v1/imports/{batch}"))
    task = progress.add_task(imported["name"], total=imported["rows"])
    while imported["completed_seq"] is None:
        if imported["halted"]:
            raise ServerSaid(_halted(imported))
        await asyncio.sleep(POLL_S)
        imported = await _json(client.get(f"/api/v1/imports/{batch}"))
        progress.update(task, completed=imported["entered_rows"])
    progress.update(task, completed=imported["rows"])
    return imported


async def abandon(url: str, token: str, batch: int, console: Console) -> None:
    """End an import that cannot go on."""
    async with _client(url, token) as client:
        await _json(
            client.post(f"/api/v1/imports/{batch}/abandonment", headers={"Idempotency-Key": f"abandon-{batch}"})
        )
        _tell_entered(await _json(client.get(f"/api/v1/imports/{batch}")), console)


async def fetch_codes(url: str, token: str, batch: int, out: Path) -> None:
    """Write the receipt codes of an import to a file that only its owner reads: all of them, or nothing."""
    async with _client(url, token) as client:
        await _fetch(client, batch, out)


async def _fetch(client: httpx.AsyncClient, batch: int, out: Path) -> None:
    staging = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        async with client.stream("GET", f"/api/v1/imports/{batch}/codes.csv") as answer:
            if answer.status_code != httpx.codes.OK:
                await answer.aread()
                raise ServerSaid(problem(answer))
            with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                async for chunk in answer.aiter_bytes():
                    file.write(chunk)
        staging.replace(out)
    except httpx.TransportError as error:
        raise ServerSaid(f"{_SILENT}: {error}") from error
    finally:
        staging.unlink(missing_ok=True)


def problem(answer: httpx.Response) -> str:
    """The words of an answer that is a problem."""
    try:
        told = answer.json()
        return f"{told['title']} {told.get('detail', '')}".strip()
    except (json.JSONDecodeError, KeyError):
        return f"HTTP {answer.status_code}"


def _halted(imported: dict[str, Any]) -> str:
    return (
        f"{imported['name']} cannot go on after {imported['entered_rows']} of {imported['rows']} gifts:"
        f" {imported['halted']}. Send the same sheet again, or have somebody who approves, and did not make it, run:"
        f" sunledger import abandon {imported['batch']}"
    )


def _tell_entered(imported: dict[str, Any], console: Console) -> None:
    refused = imported["rows"] - imported["entered_rows"]
    _say(
        f"{imported['name']}: {imported['entered_rows']} gifts, {_yuan(imported['entered_fen'])} entered"
        + (f", {refused} refused since the check" if refused else ""),
        console,
    )
    for line in imported["refused"]:
        _say(f"  row {line['row']}: {line['title']} ({line['detail']})", console)


def _tell(checked: dict[str, Any], console: Console) -> None:
    proposals = checked["proposals"] | checked["already_proposed"]
    _tell_report(checked["report"], _outcomes(checked), checked["namesakes"], console)
    if proposals:
        numbers = " ".join(map(str, proposals.values()))
        _say(f"to enter them, another person runs: sunledger import approve {numbers}", console)
    elif not checked["resumed"]:
        console.print("nothing to enter")


def _outcomes(checked: dict[str, Any]) -> dict[str, str]:
    """Batch → what became of it."""
    outcomes = {batch["name"]: "not proposed" for batch in checked["report"]["batches"]}
    for each in checked["not_proposed"]:
        outcomes[each["batch"]] = f"not proposed: {each['title']} ({each['detail']})"
    for name, imports in checked["resumed"].items():
        outcomes[name] = f"goes on as import {', '.join(map(str, imports))}"
    outcomes |= {name: f"already proposed: {number}" for name, number in checked["already_proposed"].items()}
    return outcomes | {name: f"proposal {number}" for name, number in checked["proposals"].items()}


def _in_short(checked: dict[str, Any]) -> str:
    """A line about the check of a whole sheet, before a proposal of it is approved."""
    proposal, report = checked["proposal"], checked["report"]
    if report is None:
        return f"proposal {proposal}: no report of its check: {checked['absent']}"
    differing = sum("disagrees" in {batch["sum_footing"], batch["count_footing"]} for batch in report["batches"])
    return (
        f"proposal {proposal}: {report['rejected_count']} rows rejected, {differing} notices differ,"
        f" {report['overlap_count']} overlaps suspected, {report['earlier_count']} with what came before;"
        f" all of it: sunledger import show {proposal}"
    )


def _tell_report(
    report: dict[str, Any], outcomes: dict[str, str], namesakes: dict[str, list[int]], console: Console
) -> None:
    """The finding about a whole sheet; `outcomes`: batch → what became of it, where that is to be told."""
    console.print(f"{_gifts(report['count'], report['sum_fen'])}; {report['rejected_count']} rows rejected")
    for line in (*_batches(report, outcomes, namesakes), *_rejected(report), *_overlaps(report), *_earlier(report)):
        _say(line, console)


def _batches(report: dict[str, Any], outcomes: dict[str, str], namesakes: dict[str, list[int]]) -> Iterator[str]:
    footing = {"agrees": "total agrees", "disagrees": "TOTAL DISAGREES", "not_printed": "no total printed"}
    for batch in report["batches"]:
        name = batch["name"]
        outcome = f" → {outcomes[name]}" if name in outcomes else ""
        yield f"  {name}: {_gifts(batch['count'], batch['sum_fen'])}, {footing[batch['sum_footing']]}{outcome}"
        yield from (f"    {note}" for note in (*_notes(batch), *_namesakes(namesakes.get(name, []))))
    yield from (f"  {name}: a total was given, the sheet has no row of it" for name in report["totals_without_rows"])


def _notes(batch: dict[str, Any]) -> Iterator[str]:
    """What whoever approves the batch should look at; of a total that disagrees, what is printed."""
    if batch["sum_footing"] == "disagrees":
        yield f"{_yuan(batch['printed_sum_fen'])} are printed, {_yuan(batch['listed_sum_fen'])} listed"
    if batch["count_footing"] == "disagrees":
        yield f"{batch['printed_count']} gifts are printed, {batch['listed_count']} listed"
    if batch["outside_window"]:
        yield f"{batch['outside_window']} gifts are dated outside the days of this profile"


def _namesakes(namesakes: list[int]) -> Iterator[str]:
    if namesakes:
        yield f"another sheet of this name was import {', '.join(map(str, namesakes))}: is it the same notice?"


def _rejected(report: dict[str, Any]) -> Iterator[str]:
    for line in report["rejected"][:SHOWN]:
        yield f"  row {line['row']}: {line['reason_zh']} ({line['reason_en']}) {line['detail']}"
    if (more := report["rejected_count"] - SHOWN) > 0:
        yield f"  and {more} more: --rejected FILE writes all of them"


def _overlaps(report: dict[str, Any]) -> Iterator[str]:
    if report["overlap_count"]:
        told = f"{report['overlap_count']} gifts, {_yuan(report['overlap_sum_fen'])}"
        yield f"  {told}, stand in two notices and may be one: nothing was merged"
    for each in report["overlaps"][:SHOWN]:
        places = ", ".join(f"{batch} row {row}" for batch, row in each["places"])
        yield f"    {each['on']} {_yuan(each['amount_fen'])}: {places}"


def _earlier(report: dict[str, Any]) -> Iterator[str]:
    for each in report["earlier"][:SHOWN]:
        known = [f"import {number}" for number in each["imports"]] + [f"proposal {n}" for n in each["proposals"]]
        alike = "name, amount and day" if each["names_compared"] else "amount and day only: names were not compared"
        yield (
            f"  {each['batch']}: {each['gift_count']} of {each['large_count']} large gifts, {_yuan(each['sum_fen'])},"
            f" may stand in {each['earlier']} ({', '.join(known)}), the first in row {each['first_row']}"
            f" (alike in {alike})"
        )
    if (more := report["earlier_count"] - SHOWN) > 0:
        yield f"  and so in {more} more earlier notices"
    if report["earlier_unread"]:
        yield f"  {report['earlier_unread']} earlier imports or sheets were not compared"


def _say(line: str, console: Console) -> None:
    """A line with names of a sheet in it: as they are, but for what a terminal would take for a command."""
    shown = "".join(each if each.isprintable() else "?" for each in line)
    console.print(shown, soft_wrap=True, markup=False, emoji=False)


def _client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S)


async def _checked(request: Any) -> httpx.Response:
    try:
        answer: httpx.Response = await request
    except httpx.TransportError as error:
        raise ServerSaid(f"{_SILENT}: {error}") from error
    if answer.is_error:
        raise ServerSaid(problem(answer))
    return answer


async def _json(request: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await _checked(request)).json()
    return found


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


async def _write_rejected(client: httpx.AsyncClient, where: str, path: Path, console: Console) -> None:
    content = (await _checked(client.get(where))).content
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    console.print(f"rejected rows: {path}")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def _gifts(count: int, sum_fen: int) -> str:
    return f"{count} gifts, {_yuan(sum_fen)}"


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02d}"
