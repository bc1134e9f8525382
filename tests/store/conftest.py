"""What tests of the store share: short words in the log, for here much fails on purpose."""

from collections.abc import MutableMapping
from typing import Any

import structlog


def _one_line(_: object, __: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = said.pop("exc_info", None)
    return said if error is None else {**said, "error": repr(error)}


structlog.configure(processors=[structlog.processors.add_log_level, _one_line, structlog.processors.KeyValueRenderer()])
