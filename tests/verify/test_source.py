"""Where logs are read from: a folder, a static mirror with all its moods."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ledger.log.errors import MalformedError
from ledger.log.tile import Bundle, Tile, decode_bundle, parse_path
from ledger.verify import mirror
from ledger.verify.mirror import TRIES, Http
from ledger.verify.source import Directory, MissingError, Source, SourceError, cut_bundle
from ledger.verify.verifier import verify
from tests.support.society import gift
from tests.verify.export import POLICY, Memory, export
from tests.verify.forgeries.registry import free

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    pen = free()
    for i in range(600 - len(pen.written)):
        pen.write(gift(i % 9 + 1))
    return pen.written


@pytest.fixture(scope="module")
def log(written: list[bytes]) -> Memory:
    return export(written)


@pytest.fixture(scope="module")
def grown(written: list[bytes], log: Memory) -> Memory:
    """A log that was read at 300 entries, after it grew to 600 and dropped its partial tiles."""
    partials = export(written[:300]).files
    kept = {path: data for path, data in log.files.items() if ".p/" not in path}
    return Memory(kept | {path: data for path, data in partials.items() if path == "checkpoint" or path[5] == "1"})


def answering(log: Memory, prefix: str = "/log/") -> Answer:
    """What a static web server says."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        path = request.url.path
        assert path.startswith("/")
        found = log.files.get(path.removeprefix(prefix)) if path.startswith(prefix) else None
        return httpx.Response(404) if found is None else httpx.Response(200, content=found)

    return answer


def http(answer: Answer, url: str = "https://ledger.example.org/log/") -> Http:
    return Http(url, transport=httpx.MockTransport(answer), sleep=lambda _: None)


def test_an_export_is_read_from_its_folder_or_the_one_above(log: Memory, tmp_path: Path) -> None:
    log.write(tmp_path / "site" / "log")
    for folder in (tmp_path / "site" / "log", tmp_path / "site"):
        report = verify(Directory(folder), policy=POLICY)
        assert (report.exit_code, report.size) == (0, 600)


@pytest.mark.parametrize("url", ["https://ledger.example.org/log/", "https://ledger.example.org"])
def test_a_mirror_is_read_by_the_address_of_the_log_or_of_its_site(log: Memory, url: str) -> None:
    report = verify(http(answering(log), url), policy=POLICY)
    assert (report.exit_code, report.size) == (0, 600)


def test_partial_tiles_are_cut_from_full_ones(grown: Memory, tmp_path: Path) -> None:
    grown.write(tmp_path)
    assert not list(tmp_path.glob("tile/0/*.p"))
    sources: list[Source] = [Directory(tmp_path), http(answering(grown))]
    for source in sources:
        report = verify(source, policy=POLICY)
        assert (report.exit_code, report.size, report.replayed) == (0, 300, 300)


def test_a_file_that_is_nowhere_is_missing(log: Memory, tmp_path: Path) -> None:
    log.write(tmp_path)
    sources: list[Source] = [Directory(tmp_path), http(answering(log))]
    for source in sources:
        for tile in (Tile(level=0, index=7), Tile(level=0, index=7, width=3)):
            with pytest.raises(MissingError):
                source.tile(tile)
        for bundle in (Bundle(index=7), Bundle(index=7, width=3)):
            with pytest.raises(MissingError):
                source.bundle(bundle)


def test_a_folder_that_is_none_has_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        Directory(tmp_path / "nowhere").checkpoint()
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(SourceError):
        Directory(tmp_path).checkpoint()


@pytest.mark.parametrize("width", [1, 2, 255])
def test_a_bundle_is_cut_to_its_first_entries(log: Memory, written: list[bytes], width: int) -> None:
    partial = Bundle(index=1, width=width)
    assert decode_bundle(cut_bundle(log.files["tile/entries/001"], partial), partial) == written[256 : 256 + width]


def test_a_bundle_that_holds_fewer_entries_is_not_cut() -> None:
    for data in (b"", b"\0\1a", b"\0\1a\0"):
        with pytest.raises(MalformedError):
            cut_bundle(data, Bundle(index=0, width=2))


def test_a_server_in_trouble_is_asked_again(log: Memory) -> None:
    asked: dict[str, int] = {}
    answer = answering(log)

    def moody(request: httpx.Request) -> httpx.Response:
        count = asked[request.url.path] = asked.get(request.url.path, 0) + 1
        if count == 1:
            return httpx.Response(503)
        if count == 2:
            raise httpx.ConnectTimeout("too slow")
        return httpx.Response(429) if count == 3 else answer(request)

    waits: list[float] = []
    source = Http("https://ledger.example.org/log", transport=httpx.MockTransport(moody), sleep=waits.append)
    assert source.checkpoint() == log.files["checkpoint"]
    assert waits == [0.5, 1.0, 2.0]
    assert asked == {"/log/checkpoint": TRIES}


@pytest.mark.parametrize("status", [500, 401, 400, 204 + 100])
def test_a_server_that_stays_in_trouble_is_no_finding(status: int) -> None:
    report = verify(http(lambda _: httpx.Response(status)), policy=POLICY)
    assert (report.exit_code, report.findings) == (2, ())
    assert str(status) in report.trouble


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_NOTE_BYTES", 1_000)
    with pytest.raises(SourceError, match="more than 1000 bytes"):
        http(lambda _: httpx.Response(200, content=bytes(1_001))).checkpoint()
    with pytest.raises(SourceError, match="more than"):
        http(lambda _: httpx.Response(200, content=bytes(8_193))).tile(Tile(level=0, index=0))


def test_an_answer_in_gzip_is_unpacked(log: Memory) -> None:
    import gzip

    def packed(request: httpx.Request) -> httpx.Response:
        plain = answering(log)(request)
        if plain.status_code != 200:
            return plain
        return httpx.Response(200, content=gzip.compress(plain.content), headers={"Content-Encoding": "gzip"})

    assert verify(http(packed), policy=POLICY).exit_code == 0


def test_an_address_that_is_none_was_not_checked() -> None:
    for url in ("http://", "http://[", "http://127.0.0.1:1/"):
        source = Http(url, sleep=lambda _: None)
        report = verify(source, policy=POLICY)
        assert (report.exit_code, report.findings) == (2, ())
        source.close()


def test_only_checkpoint_tiles_and_bundles_are_asked_for(log: Memory) -> None:
    asked: set[str] = set()
    answer = answering(log)

    def noting(request: httpx.Request) -> httpx.Response:
        asked.add(request.url.path.removeprefix("/log/"))
        return answer(request)

    verify(http(noting), policy=POLICY, saved=log.checkpoint())
    asked.remove("checkpoint")
    assert asked == {parse_path(path).path for path in asked}
