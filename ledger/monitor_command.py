"""`sunledger monitor`: a watchdog's visits to a log, once or again and again."""

import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import httpx
import typer

from ledger.log.policy import Policy
from ledger.log.witness import monitoring_path
from ledger.verify.kept import KeptCheckpoint
from ledger.verify.mirror import Http
from ledger.verify.report import GOOD, UNCHECKED
from ledger.verify.source import SourceError
from ledger.verify.watch import Visit, visit
from ledger.verify_command import read_policy

WEBHOOK_TIMEOUT_S = 20


def monitor_command(  # noqa: PLR0913, PLR0917  each is an option of its own
    url: Annotated[str, typer.Argument(help="URL of the log or its site")],
    kept: Annotated[Path, typer.Option(help="File with the newest checkpoint it saw; made at the first visit")],
    key: Annotated[str, typer.Option(help="The log's public key (vkey) as you know it, from elsewhere")] = "",
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy file: keys of logs and witnesses, quorum")
    ] = None,
    silence: Annotated[
        float, typer.Option(help="Alarm where nothing newer was seen for this many seconds", min=1)
    ] = 86_400,
    every: Annotated[
        float | None, typer.Option(help="Go on, a visit every so many seconds; otherwise one visit", min=1)
    ] = None,
    webhook: Annotated[str, typer.Option(help="URL that is told by JSON when alarms begin, change or end")] = "",
    *,
    ask_witnesses: Annotated[
        bool, typer.Option("--ask-witnesses", help="Compare with what the policy's witnesses show to monitors")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Each visit as a line of JSON")] = False,
) -> None:
    """Watch a log: that it continues what was seen before, is alive, and is cosigned. Reads checkpoint and tiles only.

    Exit code 0: all is well. 1: alarms. 2: could not look, or the webhook could not be told.
    """
    whom = read_policy(key, policy)
    if whom is None:
        raise typer.BadParameter("a watchdog has to know the log: give its key or a policy file")
    file = KeptCheckpoint(kept)
    last: tuple[str, ...] = ()
    code = UNCHECKED
    with suppress(KeyboardInterrupt):
        while True:
            try:
                made = _visit(url, whom, file, silence, ask_witnesses=ask_witnesses)
            except OSError as error:
                typer.echo(f"{kept}: {error.strerror}", err=True)
                raise typer.Exit(UNCHECKED) from error
            code = made.exit_code
            typer.echo(made.to_json() if as_json else made.text())
            kinds = tuple(sorted({made.verdict, *(alarm.kind for alarm in made.alarms)})) if code != GOOD else ()
            if webhook and kinds != last:
                if _told(webhook, made):
                    last = kinds
                else:
                    code = code or UNCHECKED
            if every is None:
                break
            time.sleep(every)
    raise typer.Exit(code)


def _visit(url: str, policy: Policy, file: KeptCheckpoint, silence_s: float, *, ask_witnesses: bool) -> Visit:
    with closing(Http(url)) as log:
        return visit(
            log,
            name=url,
            policy=policy,
            kept=file,
            seen_by_witnesses=_seen(policy) if ask_witnesses else {},
            silence_s=silence_s,
            now_s=time.time(),
        )


def _seen(policy: Policy) -> dict[str, bytes]:
    """What the witnesses show of these logs. One that does not answer says nothing, which is no alarm."""
    seen = {}
    for witness in policy.witnesses:
        for origin in {log.key.name for log in policy.logs}:
            folder = monitoring_path(origin).removesuffix("/checkpoint")
            if witness.url:
                with closing(Http(f"{witness.url.rstrip('/')}/{folder}")) as shown, suppress(SourceError):
                    seen[f"{witness.name} {origin}"] = shown.checkpoint()
    return seen


def _told(webhook: str, made: Visit) -> bool:
    """Post the visit. The address may be a secret, and is not printed."""
    try:
        answer = httpx.post(
            webhook, content=made.to_json(), headers={"Content-Type": "application/json"}, timeout=WEBHOOK_TIMEOUT_S
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        typer.echo(f"the webhook was not told: {type(error).__name__}", err=True)
        return False
    if not answer.is_success:
        typer.echo(f"the webhook was not told: HTTP {answer.status_code}", err=True)
    return answer.is_success
