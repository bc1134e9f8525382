"""How fast a log is checked: from a folder, over HTTP, in the database. `python -m bench.verify --gifts 1000000`."""

import argparse
import asyncio
import contextlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.store import Store
from ledger import entries
from ledger.account import CNY
from ledger.entries import By, Entry, MoneyReceived, Restriction
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Ed25519Signer
from ledger.log.policy import Log, Policy
from ledger.log.tile import Bundle, Tile, encode_bundle, grow
from ledger.log.tree import leaf_hash, root_of
from ledger.posting import Posting
from ledger.store.audit.stored import Stored
from ledger.verify.mirror import Http
from ledger.verify.source import Directory, Source
from ledger.verify.verifier import verify

ORIGIN = "bench.example/log"
ORG, FUND, PROJECT = "330800", "general", "relief"
DAY, AT = "2026-11-21", "2026-11-21T08:00:00.000Z"
FOUNDERS = ("s-aaaaaaaaaaaaa", "s-bbbbbbbbbbbbb")
FINANCE = "s-ccccccccccccc"
EACH_FEN = 10_000
STEP = 100
"""Gifts between two allocations; each takes half of what came in since the one before."""


HEAD = "| what | entries/s | wanted | processor time of this process |\n| --- | --- | --- | --- |"


def main() -> None:
    """Write a log, verify it in every way, print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__)
    parser.add_argument("--gifts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where the log goes (default: a temporary folder)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunledger-bench-")))
        from_folder(folder, arguments.gifts)
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"\nRSS {peaks[0]:.0f} MiB, of a helper {peaks[1]:.0f} MiB (wanted < 1 GB for 10 million)")


def from_folder(folder: Path, gifts: int) -> None:
    """Write an export, then check it in every way."""
    policy = write(folder, gifts)
    print(HEAD)
    directory = Directory(folder)
    tell("folder, bytes, one process", directory, policy, "≥ 200,000 with two", meaning=False, processes=0)
    tell("folder, bytes, two more", directory, policy, "≥ 200,000", meaning=False, processes=2)
    tell("folder, all rules, one process", directory, policy, "≥ 40,000", meaning=True, processes=0)
    tell("folder, all rules, one more", directory, policy, "≥ 40,000, aim 60,000", meaning=True, processes=1)
    with _serve(folder) as server, contextlib.closing(Http(server)) as mirror:
        tell("HTTP on this machine, all rules", mirror, policy, "", meaning=True, processes=1)


async def in_database(store: Store, *, tables: bool) -> None:
    """Check a published log where it lies: bytes, rules; and, which takes a minute for a million, its tables."""
    await asyncio.to_thread(_in_database, Stored(store.settings, store.server.url()), tables=tables)


def _in_database(stored: Stored, *, tables: bool) -> None:
    print(HEAD)
    with contextlib.closing(stored.log()) as log:
        tell("database, bytes, one process", log, None, "", meaning=False, processes=0)
        tell("database, bytes, two that read for themselves", log, None, "≥ 300,000", meaning=False, processes=2)
        tell("database, all rules, one more", log, None, "≥ 40,000, aim 60,000", meaning=True, processes=1)
        if not tables:
            return
        report = verify(log, policy=None, meaning=False, processes=2)
    started_at, processor_s = time.perf_counter(), time.process_time()
    report = stored.audited(report, lambda *_: None)
    took_s, processor_s = time.perf_counter() - started_at, time.process_time() - processor_s
    assert report.exit_code == 0, report.text()
    rate = report.sequenced / took_s
    print(f"| database, every table against the replay | **{rate:,.0f}** | | {processor_s:.1f} of {took_s:.1f} s |")


def tell(what: str, source: Source, policy: Policy | None, wanted: str, *, meaning: bool, processes: int) -> None:  # noqa: PLR0913
    """Verify once and print a row."""
    started_at, processor_s = time.perf_counter(), time.process_time()
    report = verify(source, policy=policy, meaning=meaning, processes=processes)
    took_s, processor_s = time.perf_counter() - started_at, time.process_time() - processor_s
    assert report.exit_code == 0, report.text()
    print(f"| {what} | **{report.size / took_s:,.0f}** | {wanted} | {processor_s:.1f} of {took_s:.1f} s |")


def write(folder: Path, gifts: int) -> Policy:
    """An export of a log with so many gifts, and an allocation for every hundred of them."""
    signer = Ed25519Signer(ORIGIN, Ed25519PrivateKey.generate())
    leaves: list[bytes] = []
    waiting: list[bytes] = []
    made: set[Path] = set()

    def put(path: str, data: bytes) -> None:
        file = folder / path
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.write_bytes(data)

    for written in _log(gifts):
        leaves.append(leaf_hash(written))
        waiting.append(written)
        if len(leaves) % 256 == 0:
            put(Bundle(index=len(leaves) // 256 - 1).path, encode_bundle(waiting))
            waiting.clear()
    if waiting:
        put(Bundle(index=len(leaves) // 256, width=len(waiting)).path, encode_bundle(waiting))
    for tile, data in grow(0, leaves, _nothing):
        put(tile.path, data)
    checkpoint = Checkpoint(origin=ORIGIN, size=len(leaves), root=root_of(leaves))
    put("checkpoint", checkpoint.signed([signer.sign(checkpoint.text)]))
    return Policy(logs=(Log(key=signer.key),))


def _log(gifts: int) -> Iterator[bytes]:
    """The entries, chained."""
    prev = entries.GENESIS_PREV
    for seq, (body, by, postings) in enumerate(_entries(gifts)):
        kind = entries.kind_of(body)
        written = entries.encode(Entry(at=AT, body=body, by=by, kind=kind, postings=postings, prev=prev, seq=seq, v=1))
        prev = sha256(written).hexdigest()
        yield written


def _entries(gifts: int) -> Iterator[tuple[entries.AnyBody, By, tuple[Posting, ...]]]:
    founder = By(maker=FOUNDERS[0])
    yield entries.LogOpened(administrators=FOUNDERS, operator="红十字会", origin=ORIGIN), founder, ()
    yield entries.OrganisationRegistered(division=ORG, level="city", name="市会", org=ORG), founder, ()
    agreed: tuple[entries.AnyBody, ...] = (
        entries.StaffEnrolled(roles=("finance",), staff=FINANCE, org=ORG),
        entries.PolicySet(),
    )
    for number, body in zip((2, 5), agreed, strict=True):
        salt, org = f"{number:064x}", getattr(body, "org", "")
        commitment = entries.commitment(body, salt)
        yield entries.ProposalMade(commitment=commitment, command=entries.kind_of(body), org=org), founder, ()
        yield entries.ProposalApproved(proposal=number, org=org), By(maker=FOUNDERS[1]), ()
        yield body, By(maker=FOUNDERS[0], checkers=(FOUNDERS[1],), proposal=number, salt=salt), ()
    yield entries.FundOpened(fund=FUND, name=FUND, org=ORG, restriction=Restriction()), founder, ()
    yield entries.ProjectOpened(name=PROJECT, org=ORG, project=PROJECT), founder, ()
    finance, allocated = By(maker=FINANCE), STEP * EACH_FEN // 2
    donors, fund, project = f"donors:{ORG}", f"fund:{ORG}:{FUND}", f"project:{ORG}:{PROJECT}:{FUND}"
    for i in range(gifts):
        donor, receipt, ref = (sha256(b"%s %d" % (what, i)).hexdigest() for what in (b"donor", b"receipt", b"ref"))
        body = MoneyReceived(
            channel="wechat", donor=donor, donor_class="person", fund=FUND, on=DAY, receipt=receipt, ref=ref
        )
        yield body, finance, (Posting(donors, -1, fund, i * EACH_FEN, EACH_FEN, CNY),)
        if i % STEP == STEP - 1:
            lo = i // STEP * allocated
            yield entries.MoneyAllocated(on=DAY), finance, (Posting(fund, lo, project, lo, allocated, CNY),)


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[str]:
    """The static web server of the standard library, in a process of its own."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "-b", "127.0.0.1", "-p", "HTTP/1.1", "-d", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        told = re.search(r"http://[0-9.:]+", server.stdout.readline())
        assert told is not None, "it prints its address first"
        try:
            yield told[0]
        finally:
            server.terminate()


def _nothing(tile: Tile) -> bytes:
    raise AssertionError(f"{tile.path}: a log that starts from nothing has no partial tile")


if __name__ == "__main__":
    main()
