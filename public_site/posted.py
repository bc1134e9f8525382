"""What a posted form says: codes come in bodies, and in nothing else."""

import re
from urllib.parse import parse_qs

from ledger.store.queries.receipts import NEWEST

MAX_FIELDS = 10

_SEQ = re.compile("[0-9]{1,16}")


def fields(body: bytes, *names: str) -> list[str]:
    """The form's fields. Not by the framework's parser, which keeps the last thousand forms in memory."""
    try:
        found = parse_qs(body.decode("latin-1"), max_num_fields=MAX_FIELDS)
    except ValueError:
        found = {}
    return [found.get(name, [""])[0] for name in names]


def asked(body: bytes) -> tuple[str, int]:
    """The form's code, and which of its entries."""
    code, wanted = fields(body, "code", "seq")
    return code, int(wanted) if _SEQ.fullmatch(wanted) else NEWEST
