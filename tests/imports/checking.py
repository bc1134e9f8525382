"""What the tests of imports share: sheets written on the spot, and a check with a ledger that knows what it is told."""

import hmac
from collections.abc import Collection, Mapping
from pathlib import Path

from ledger.imports.check import check
from ledger.imports.profile import PROFILES, Profile
from ledger.imports.report import Report
from ledger.imports.sheet import Footer, Line, Rejected, Row, read
from ledger.imports.totals import PrintedTotal

HUBEI = PROFILES["hubei-2020"]
WUHAN = PROFILES["wuhan-qr-2020"]
NOTICE = PROFILES["notice"]

WUHAN_HEADING = "day,transaction_no,amount_cny\r\n"
HUBEI_HEADING = "source_file,source_row,seq_no,donated_on,donor_kind,donor_public,amount_cny,remark\r\n"


def digest(reference: str) -> bytes:
    return hmac.digest(b"a key for tests", reference.encode(), "sha256")


def check_sheet(  # noqa: PLR0913  as of the check
    path: Path,
    profile: Profile,
    *,
    totals: Mapping[str, PrintedTotal] | None = None,
    entered: Collection[str] = (),
    agreement_from: int = -1,
    today: str = "",
) -> Report:
    """The check, against a ledger that holds the references `entered`; its scratch file lies beside the sheet."""
    held = {digest(reference) for reference in entered}
    return check(
        path,
        profile,
        totals=totals or {},
        reference_digest=digest,
        known=lambda digests: [one for one in digests if one in held],
        report_progress=lambda _read, _size: None,
        scratch=scratch_of(path),
        agreement_from=agreement_from,
        today=today,
    )


def scratch_of(path: Path) -> Path:
    return path.with_name(path.name + ".scratch")


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def lines(path: Path, profile: Profile) -> list[Line]:
    return list(read(path, profile))


def rows(path: Path, profile: Profile) -> list[Row]:
    """Of a sheet in which every line is a gift."""
    found = lines(path, profile)
    assert all(isinstance(line, Row) for line in found), found
    return [line for line in found if isinstance(line, Row)]


def rejections(path: Path, profile: Profile) -> list[Rejected]:
    return [line for line in lines(path, profile) if isinstance(line, Rejected)]


def footers(path: Path, profile: Profile) -> list[Footer]:
    return [line for line in lines(path, profile) if isinstance(line, Footer)]
