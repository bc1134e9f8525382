"""The dossier 查询复制: everything the log holds of one gift in one zip, each entry with its proof.

A zip of plain stored files in order of their names, with no clock in it: for one checkpoint always the same bytes.
What is signed is the checkpoint in each proof; the manifest lists the SHA-256 of every other file.
"""

import json
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from io import BytesIO

from ledger.log.errors import MalformedError
from ledger.log.proof import LogProof
from ledger.log.tile import MAX_ENTRY_BYTES
from ledger.receipt.receipt import SUFFIX, Receipt

MAX_DOSSIER_ENTRIES = 500
"""Entries of one dossier at most."""

MAX_DOSSIER_BYTES = 2 * MAX_DOSSIER_ENTRIES * MAX_ENTRY_BYTES
"""Bytes read of one dossier at most."""

MANIFEST = "manifest.json"
MAGIC = b"PK\x03\x04"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zero of a zip's clock


def encode_dossier(receipts: Iterable[Receipt], beside: Mapping[str, bytes]) -> bytes:
    """The zip of these entries and proofs, and of other files by name. The same content gives the same bytes."""
    files = dict(beside)
    for each in receipts:
        number = each.proof.index
        files[f"entries/{number}.json"] = each.entry
        files[f"proofs/{number}{SUFFIX}"] = each.proof.encode()
    files[MANIFEST] = _manifest(files)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            said = zipfile.ZipInfo(name, _EPOCH)
            said.create_system = 3  # Unix, wherever this runs
            said.external_attr = 0o644 << 16
            archive.writestr(said, files[name])
    return packed.getvalue()


def decode_dossier(data: bytes) -> list[Receipt]:
    """The entries and proofs in a dossier whose files are those of its manifest, by number. Raises MalformedError."""
    files = _files(data)
    if files.get(MANIFEST) != _manifest(files):
        raise MalformedError("dossier: expected the files that its manifest lists, with their SHA-256")
    receipts = []
    for name, proof in files.items():
        if name.startswith("proofs/"):
            entry = files.get(f"entries/{name.removeprefix('proofs/').removesuffix(SUFFIX)}.json")
            if entry is None:
                raise MalformedError(f"dossier: expected the entry of {name}")
            receipts.append(Receipt(entry=entry, proof=LogProof.parse(proof)))
    if not receipts:
        raise MalformedError("dossier: expected at least one proof")
    return sorted(receipts, key=lambda each: each.proof.index)


def _manifest(files: Mapping[str, bytes]) -> bytes:
    listed = [
        {"path": name, "bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
        for name in sorted(files)
        if name != MANIFEST
    ]
    return json.dumps({"format": "sunledger/dossier/1", "files": listed}, indent=1).encode() + b"\n"


def _files(data: bytes) -> dict[str, bytes]:
    """What is in the zip; nothing is unpacked that was compressed, nothing is written anywhere."""
    if len(data) > MAX_DOSSIER_BYTES:
        raise MalformedError(f"dossier: expected at most {MAX_DOSSIER_BYTES} bytes, found {len(data)}")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            listed = archive.infolist()
            # Together no longer than the zip: files that lie over one another would multiply.
            is_plain = all(each.compress_type == zipfile.ZIP_STORED for each in listed)
            if not is_plain or sum(each.file_size for each in listed) > len(data):
                raise MalformedError("dossier: expected a zip of stored files")
            files = {each.filename: archive.read(each) for each in listed}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise MalformedError(f"dossier: expected a zip: {error}") from None
    if len(files) != len(listed):
        raise MalformedError("dossier: expected each file once")
    return files
