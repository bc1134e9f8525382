"""`sunledger checkpoint stamp`: have the newest published checkpoint stamped by an RFC 3161 authority, and entered."""

import secrets
from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from ledger.import_client import ServerSaid, problem
from ledger.log.checkpoint import Checkpoint
from ledger.settings import Settings
from ledger.timestamp import Timestamp, TimestampError, read_answer, read_certificates

TIMEOUT_S = 30.0

MAX_ANSWER_BYTES = 65_536
"""Of an authority: no token that an entry can hold comes in more."""


def stamp_command(
    authority: Annotated[str, typer.Option(help="URL of the authority (RFC 3161, section 3.4)")],
    token: Annotated[str, typer.Option(envvar="SUNLEDGER_TOKEN", help="Your access token")],
    tsa_certificate: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Certificates (PEM) that must vouch for the answer, if given"),
    ] = None,
) -> None:
    """Have the newest published checkpoint stamped by an authority outside, and enter its token (RFC 3161)."""
    try:
        roots = [] if tsa_certificate is None else read_certificates(tsa_certificate.read_bytes())
        with httpx.Client(
            base_url=Settings().admin_url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S
        ) as admin:
            told = _answered(admin, "GET", "/api/v1/checkpoint")
            checkpoint = Checkpoint(origin=told["origin"], size=told["size"], root=bytes.fromhex(told["root"]))
            stamp = _ask(authority, checkpoint)
            if roots:
                stamp.check_signed(roots)
            host = httpx.URL(authority).host
            body = {
                "authority": host,
                "root": told["root"],
                "size": told["size"],
                "token": b64encode(stamp.der).decode(),
            }
            # Nothing is entered yet. If this is cut off, another run asks for another token.
            entered = _answered(admin, "POST", "/api/v1/stamps", body)
    except TimestampError as error:
        raise ServerSaid(str(error)) from error
    (entry,) = entered["entries"]
    typer.echo(f"entry {entry['seq']}: {host} saw {checkpoint.size} entries at {stamp.at:%Y-%m-%dT%H:%M:%SZ}")


def _ask(authority: str, checkpoint: Checkpoint) -> Timestamp:
    """A token over the checkpoint, to our question. Raises TimestampError, ServerSaid."""
    question = TimestampRequestBuilder().data(checkpoint.text).hash_algorithm(HashAlgorithm.SHA256).build()
    assert question.nonce is not None, "asked for unless told otherwise, like the certificate"
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        with httpx.stream("POST", authority, content=question.as_bytes(), headers=headers, timeout=TIMEOUT_S) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ServerSaid(f"the authority answers HTTP {answer.status_code}")
            data = b""
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > MAX_ANSWER_BYTES:
                    raise ServerSaid(f"the authority's answer is longer than {MAX_ANSWER_BYTES} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServerSaid(f"the authority does not answer: {error}") from error
    stamp = read_answer(data, question.nonce)
    stamp.check_covers(checkpoint.text)
    return stamp


def _answered(admin: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the admin application says. Raises ServerSaid."""
    headers = {"Idempotency-Key": secrets.token_hex(16)} if method == "POST" else {}
    try:
        answer = admin.request(method, path, json=body, headers=headers)
    except httpx.TransportError as error:
        raise ServerSaid(f"the admin application does not answer: {error}") from error
    if answer.is_error:
        raise ServerSaid(problem(answer))
    found: dict[str, Any] = answer.json()
    return found
