"""Whatever the rules let through, the auditor's replay finds nothing wrong with, entry by entry."""

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from ledger import posting
from ledger.verify.finding import Findings
from ledger.verify.replay import Replay
from ledger.verify.verifier import verify
from tests.rules.test_histories import STEPS, Histories
from tests.support.fixed import FIXED
from tests.verify.export import ORIGIN, POLICY, export

HISTORIES = 15
LONG_HISTORIES = 2_000


class AuditedHistories(Histories):
    """The same random histories, read by somebody who trusts none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.findings = Findings()
        self.replay = Replay(ORIGIN, self.findings)

    @invariant()
    def the_auditor_finds_nothing(self) -> None:
        for written in self.pen.written[self.replay.size :]:
            self.replay.step(written)
        assert not self.findings.listed

    def teardown(self) -> None:
        super().teardown()
        report = verify(export(self.pen.written), policy=POLICY)
        assert report.exit_code == 0, report.text()
        assert report.replayed == report.size == len(self.pen.written)
        rest = sum(self.pen.line(where).balance for where in self.pen.credits)
        assert report.totals_fen["received"] == rest
        self.replay.close()


@pytest.mark.parametrize("postings", [posting.MAX_POSTINGS, 2])
def test_every_history_the_rules_allow_verifies(
    postings: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "MAX_POSTINGS", postings)
    histories = LONG_HISTORIES if request.config.getoption("--long", default=False) else HISTORIES
    run_state_machine_as_test(
        AuditedHistories, settings=settings(FIXED, max_examples=histories, stateful_step_count=STEPS)
    )
