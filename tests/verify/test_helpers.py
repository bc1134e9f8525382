"""Processes that help: all of them are there without running the program that asked for them once more."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys, time
with open(sys.argv[1], "a") as told:
    told.write(__name__ + "\\n")
from ledger.verify.helper import helpers

def main():
    with helpers(2, 1, None, is_replayed=False) as (executor, _):
        # Longer than a start takes: no helper is idle when the next one is asked.
        list(executor.map(time.sleep, [0.5] * 4))
        print(len(executor._processes))

if __name__ == "__main__":
    main()
"""


def test_no_helper_imports_the_program_that_runs(tmp_path: Path) -> None:
    program, told = tmp_path / "program.py", tmp_path / "told"
    program.write_text(_PROGRAM)
    ended = subprocess.run([sys.executable, program, told], capture_output=True, text=True, check=True)
    assert ended.stdout == "2\n"
    assert told.read_text() == "__main__\n"
