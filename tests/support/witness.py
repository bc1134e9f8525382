"""Witnesses as others run them, each a process of its own; and small logs for them to watch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ledger.log.checkpoint import Checkpoint
from ledger.log.key import VerifierKey
from ledger.log.tree import consistency_proof
from ledger.log.witness import AddCheckpoint
from ledger.settings import Settings
from tests.support.keys import ORIGIN, log_signer
from tests.support.merkle import mth, nodes
from tests.support.program import Running, environment, free_port, running

LOG = log_signer()
VKEY = str(LOG.key)


def signed(size: int, root: bytes | None = None) -> bytes:
    """A checkpoint of the log whose leaves are those of `tests.support.merkle`."""
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root or mth(0, size))
    return checkpoint.signed([LOG.sign(checkpoint.text)])


def request(old: int, size: int, root: bytes | None = None) -> AddCheckpoint:
    """That it has grown."""
    proof = consistency_proof(old, size, nodes(size)) if old <= size else []
    return AddCheckpoint(old_size=old, proof=tuple(proof), checkpoint=signed(size, root))


@dataclass(frozen=True, slots=True)
class Serving:
    """A witness that answers on a port of this machine."""

    running: Running
    url: str
    name: str
    keys: tuple[VerifierKey, ...]

    @property
    def line(self) -> str:
        """Its line in a policy; called by its name's last part."""
        return f"witness {self.name.rpartition('/')[2]} {self.keys[0]} {self.url}"

    def add(self, asked: AddCheckpoint | bytes) -> httpx.Response:
        """Hand a checkpoint in."""
        body = asked if isinstance(asked, bytes) else asked.encode()
        return httpx.post(f"{self.url}/add-checkpoint", content=body)


@contextmanager
def witness(
    folder: Path, name: str, *vkeys: str, port: int | None = None, more: tuple[str, ...] = ()
) -> Iterator[Serving]:
    """Start one; it is killed at the end if it is still there. Its file is `name`.db in the folder."""
    port = port or free_port()
    full_name = f"witness.example/{name}"
    logs = [argument for vkey in vkeys for argument in ("--log", vkey)]
    arguments: tuple[str | int | Path, ...] = (folder / f"{name}.db", "--name", full_name, *logs, "--port", port, *more)
    with running(environment(Settings()), "witness", folder, *arguments) as process:
        process.until(lambda: _answers(port), f"port {port} answers")
        url = f"http://127.0.0.1:{port}"
        keys = tuple(VerifierKey.parse(line) for line in httpx.get(f"{url}/vkey").text.splitlines())
        yield Serving(process, url, full_name, keys)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.TransportError:
        return False
