"""A timestamp authority as others run it: openssl, with certificates of its own; and behind HTTP."""

import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from ledger.log.checkpoint import Checkpoint
from tests.support.needs import needs

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"

_CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


class Authority:
    """A root, a certificate for time stamping under it, and the answers these sign."""

    def __init__(self, folder: Path, *, sends_root: bool = False) -> None:
        """`sends_root`: with each answer, too; openssl does not put the two in the order of DER."""
        self._folder = folder
        self._config = folder / "openssl.cnf"
        self._config.write_text(_CONFIG.format(folder=folder) + (f"certs = {folder}/root.pem\n" if sends_root else ""))
        (folder / "serial").write_text("01\n")
        self._openssl(f"req -x509 {_NEW_KEY} -keyout root.key -out root.pem -subj /CN=Root -extensions root")
        self._openssl(f"req {_NEW_KEY} -keyout signer.key -out signer.csr -subj /CN=Signer")
        self._openssl(
            "x509 -req -in signer.csr -CA root.pem -CAkey root.key -set_serial 2 -days 30 -out signer.pem"
            f" -extfile {self._config} -extensions signer",
            is_configured=False,
        )

    @property
    def root(self) -> Path:
        """What a reader has to name."""
        return self._folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """A TimeStampResp to a TimeStampReq."""
        (self._folder / "query").write_bytes(query)
        self._openssl("ts -reply -queryfile query -section tsa -inkey signer.key -signer signer.pem -out reply")
        return (self._folder / "reply").read_bytes()

    def query(self, data: bytes, *, digest: str = "sha256") -> bytes:
        """A TimeStampReq as openssl asks, with a nonce of its own."""
        (self._folder / "data").write_bytes(data)
        self._openssl(f"ts -query -data data -{digest} -cert -out query")
        return (self._folder / "query").read_bytes()

    def token(self, data: bytes, *, digest: str = "sha256") -> bytes:
        """A TimeStampToken over the hash of this, asked for with openssl."""
        self.answer(self.query(data, digest=digest))
        self._openssl("ts -reply -in reply -token_out -out token", is_configured=False)
        return (self._folder / "token").read_bytes()

    def stamp(self, checkpoint: Checkpoint) -> bytes:
        """A token over a checkpoint."""
        return self.token(checkpoint.text)

    def verifies(self, token: bytes, digest: bytes) -> bool:
        """Whether openssl takes the token for one over this SHA-256, under our root."""
        (self._folder / "token").write_bytes(token)
        done = self._run(f"ts -verify -digest {digest.hex()} -in token -token_in -CAfile root.pem")
        return done.returncode == 0

    def _openssl(self, arguments: str, *, is_configured: bool = True) -> None:
        done = self._run(f"{arguments} -config {self._config}" if is_configured else arguments)
        assert done.returncode == 0, done.stderr

    def _run(self, arguments: str) -> "subprocess.CompletedProcess[bytes]":
        needs("openssl")
        command = ["openssl", *arguments.split()]
        return subprocess.run(command, cwd=self._folder, capture_output=True, timeout=60, check=False)


_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
_folders: list[TemporaryDirectory[str]] = []


@cache
def authority(name: str = "authority", *, sends_root: bool = False) -> Authority:
    """One for the whole run, by name."""
    _folders.append(TemporaryDirectory(prefix=name))
    return Authority(Path(_folders[-1].name), sends_root=sends_root)


def stamp(checkpoint: Checkpoint, token: bytes) -> dict[str, object]:
    """What the admin application is sent."""
    return {
        "authority": "tsa.example.org",
        "root": checkpoint.root.hex(),
        "size": checkpoint.size,
        "token": b64encode(token).decode(),
    }


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """An authority's URL (RFC 3161, section 3.4) for as long as this lasts."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == QUERY
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", REPLY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
