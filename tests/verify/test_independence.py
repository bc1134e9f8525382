"""The auditor's replay shares the formats with the code that decides, and nothing else."""

import pkgutil
import subprocess
import sys

from ledger import verify

FORMATS = {"ledger", "ledger.account", "ledger.der", "ledger.entries", "ledger.posting", "ledger.timestamp"}
BEHIND_THE_FORMATS = {"ledger.line", "ledger.refusals"}
"""What `ledger.posting` brings along; nothing of it is used here."""


def test_the_verifier_loads_no_deciding_code() -> None:
    modules = [f"ledger.verify.{module.name}" for module in pkgutil.iter_modules(verify.__path__)]
    lines = [*(f"import {module}" for module in modules), "import sys", "print('\\n'.join(sys.modules))"]
    listed = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True)
    ours = {name for name in listed.stdout.split() if name.split(".")[0] == "ledger"}
    behind = ("ledger.verify", "ledger.log", "ledger.receipt", "ledger.bodies")
    rest = {name for name in ours if not name.startswith(behind)}
    assert rest == FORMATS | BEHIND_THE_FORMATS
    for other in ("asyncpg", "sqlalchemy", "litestar", "pydantic"):
        assert other not in listed.stdout.split()
