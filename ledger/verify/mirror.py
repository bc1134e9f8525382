"""A log behind a URL: any static mirror will do, since nothing it answers is believed before it was hashed."""

import time
from collections.abc import Callable

import httpx

from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.tile import FULL_WIDTH, Bundle, Tile
from ledger.verify.source import (
    CHECKPOINT,
    LOG_FOLDER,
    MAX_BUNDLE_BYTES,
    MissingError,
    SourceError,
    cut_bundle,
    cut_tile,
)

TIMEOUT_S = 20
TRIES = 4
"""How often one file is asked for before it counts as unreadable."""

BACKOFF_S = 0.5
"""Before the second try; twice as long before each one more."""

CONNECTIONS = 16
REDIRECTS = 3
USER_AGENT = "sunledger-verify"

_GONE = {httpx.codes.NOT_FOUND, httpx.codes.GONE, httpx.codes.FORBIDDEN}
"""How static stores say that there is no such file."""

_AGAIN = {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}


class Http:
    """Reads checkpoint, tiles and bundles below a URL, for a copy keys and policy. May be used from several threads."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        self._client = httpx.Client(
            transport=transport,
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            headers={"User-Agent": USER_AGENT},
            follow_redirects=True,
            max_redirects=REDIRECTS,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def checkpoint(self) -> bytes:
        """The signed note; under `log/` where the URL is that of the whole site, which is remembered."""
        try:
            return self._get(CHECKPOINT, MAX_NOTE_BYTES)
        except MissingError:
            if self.url.endswith(f"/{LOG_FOLDER}"):
                raise
        found = self._get(f"{LOG_FOLDER}/{CHECKPOINT}", MAX_NOTE_BYTES)
        self.url = f"{self.url}/{LOG_FOLDER}"
        return found

    def kept(self, name: str) -> bytes:
        """Keys or policy that are served beside the log; after `checkpoint()`, which finds out where that is."""
        return self._get(name, MAX_NOTE_BYTES)

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile."""
        try:
            return self._get(tile.path, tile.byte_size)
        except MissingError:
            if tile.width == FULL_WIDTH:
                raise
        full = Tile(level=tile.level, index=tile.index)
        return cut_tile(self._get(full.path, full.byte_size), tile)

    def bundle(self, bundle: Bundle) -> bytes:
        """The entries of a bundle."""
        try:
            return self._get(bundle.path, MAX_BUNDLE_BYTES)
        except MissingError:
            if bundle.width == FULL_WIDTH:
                raise
        return cut_bundle(self._get(Bundle(index=bundle.index).path, MAX_BUNDLE_BYTES), bundle)

    def _get(self, path: str, maximum: int) -> bytes:
        url = f"{self.url}/{path}"
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(BACKOFF_S * 2 ** (attempt - 1))
            try:
                with self._client.stream("GET", url) as answer:
                    if answer.status_code in _GONE:
                        raise MissingError(f"{url}: HTTP {answer.status_code}")
                    if answer.is_success:
                        return _body(answer, maximum, url)
                    trouble = f"HTTP {answer.status_code}"
                    if not answer.is_server_error and answer.status_code not in _AGAIN:
                        break
            except httpx.HTTPError as error:
                trouble = str(error) or type(error).__name__
            except httpx.InvalidURL as error:
                raise SourceError(f"{url}: {error}") from error
        raise SourceError(f"{url}: {trouble}")


def _body(answer: httpx.Response, maximum: int, url: str) -> bytes:
    """The body, unpacked, of bounded size."""
    chunks: list[bytes] = []
    size = 0
    for chunk in answer.iter_bytes():
        size += len(chunk)
        if size > maximum:
            raise SourceError(f"{url}: more than {maximum} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
