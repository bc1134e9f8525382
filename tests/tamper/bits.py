"""One bit of a stored value changed, whatever its type."""

import json
from datetime import date, datetime, timedelta
from typing import Any


def flipped(value: Any, bit: int) -> Any:  # noqa: C901  one arm for each type
    """The value with one bit changed; where it is absent or empty, with something there. The type stays."""
    match value:
        case None:
            return 1
        case bool():
            return not value
        case int():
            return value ^ (1 << bit % 8)
        case bytes():
            at = bit // 8 % len(value)
            return value[:at] + bytes([value[at] ^ (1 << bit % 8)]) + value[at + 1 :]
        case datetime():
            return value + timedelta(microseconds=1 << bit % 8)
        case date():
            return value + timedelta(days=1 << bit % 3)
        case [first, *rest]:
            return [flipped(first, bit), *rest]
        case []:
            return ["0"]
        case "":
            return "0"
        case str() if value.startswith("{"):
            return json.dumps({**json.loads(value), "event": "0"})
        case str():
            at = bit // 8 % len(value)
            # The lowest bit of a character gives another that can be stored: neither NUL nor half of a pair.
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case _:
            raise AssertionError(f"a type nobody has thought of: {type(value)}")
