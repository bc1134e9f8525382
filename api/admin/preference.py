"""`Prefer: wait=N` (RFC 7240, section 4.3): a caller that would rather have the proof than a quick answer."""

import re
from typing import Any

from litestar import Request

MAX_WAIT_S = 10
"""The longest wait that is granted; `Preference-Applied` says what was."""

_WAIT = re.compile(r"""\s*wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))\s*(?:;.*)?""", re.IGNORECASE)


def wait_s(request: Request[Any, Any, Any]) -> int | None:
    """How many seconds the caller would wait, at most MAX_WAIT_S. None: she did not say, or not in that form.

    The first of several counts (RFC 7240, section 2).
    """
    for each in ",".join(request.headers.getall("prefer", [])).split(","):
        if each.split("=")[0].strip().lower() == "wait":
            found = _WAIT.fullmatch(each)
            return min(int(found[1] or found[2]), MAX_WAIT_S) if found else None
    return None
