"""The answer in a sentence: whatever became of a gift, it says no more than is so, and leaves nothing out."""

from itertools import combinations, permutations

import pytest

from ledger.trace import Gift, Leaf, Named, State, Trace
from public_site import messages
from public_site.words import CHINESE, ENGLISH, Words

WORDS = {
    State.CONFIRMED: ("由受助方签收", "confirmed"),
    State.UNCONFIRMED: ("拨付使用", "paid out"),
    State.REFUNDED: ("退回", "given back"),
    State.LOST: ("汇兑中损失", "lost in the exchange"),
    State.FEES: ("由渠道收取手续费", "kept by the channel"),
    State.IN_TRANSIT: ("正在转往另一级红十字会", "on its way to another"),
    State.VOIDED: ("登记有误", "entered wrongly"),
    State.ALLOCATED: ("分配到项目", "allocated to a project"),
    State.HELD: ("已入账|已经入账|留在基金里", "is in the"),
}
WAITS = ("等待分配", "waits to be allocated")
RESTS = (State.REFUNDED, State.IN_TRANSIT, State.VOIDED)
GONE = (State.FEES, State.LOST)


def trace(**fen: int) -> Trace:
    """Of a gift of which so much is in each state."""
    states = {state: fen.get(state.value, 0) for state in State}
    here = Named("330800", "示例市红十字会")
    move = {
        "seq": 2, "on": "2026-11-21", "organisation": here, "other": here, "fund": Named("general", "不指定用途"),
        "project": None, "entry_amount_fen": 1, "decision": "", "purpose": "", "payee": "", "spending": "",
        "region": "", "beneficiaries": "", "evidence": (),
    }  # fmt: skip
    leaves = tuple(Leaf(state=state, amount_fen=qty, **move) for state, qty in states.items() if qty)  # type: ignore[arg-type]
    gift = Gift(
        seq=1, sha256="0" * 64, on="2026-11-21", organisation=here, fund=here, event=None, campaign=None, late=False,
        fiscal="none", amount_fen=sum(states.values()), channel="bank", donor_class="person", batch=None,
        entering=False, earlier_than=(), currency="", original=0, rate="", corrects=None, right_fen=0,
    )  # fmt: skip
    return Trace(gift=gift, states=states, leaves=leaves, steps=())


def is_named(state: State, told: str, language: int) -> bool:
    return any(word in told for word in WORDS[state][language].split("|"))


@pytest.mark.parametrize(("say", "language"), [(CHINESE, 0), (ENGLISH, 1)], ids=["zh", "en"])
@pytest.mark.parametrize("count", range(1, len(State) + 1))
def test_every_state_is_named_with_its_amount_and_no_other(count: int, say: Words, language: int) -> None:
    for chosen in combinations(State, count):
        for order in (chosen, chosen[::-1]):  # each is the larger one once
            states = {state: 1_000_003 << i for i, state in enumerate(order)}
            told = trace(**{state.value: fen for state, fen in states.items()})
            headline = messages.headline(told, say)
            whole = f"{headline} {messages.remainder(told, say)}"
            assert (WAITS[language] in headline) <= (State.HELD in states), (states, headline)
            for state in State:
                if state is State.UNCONFIRMED and State.CONFIRMED in states:
                    continue  # what is confirmed was paid, too
                assert is_named(state, whole, language) is (state in states), (state, states, whole)
            spent = states.get(State.UNCONFIRMED, 0) + states.get(State.CONFIRMED, 0)
            for state, fen in states.items():
                amount = messages.spoken(spent if state is State.UNCONFIRMED else fen, say)
                assert amount in whole, (state, states, whole)


@pytest.mark.parametrize("say", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_the_headline_leads_with_what_is_largest_and_with_fees_and_losses_last(say: Words) -> None:
    language = int(say is ENGLISH)
    for one, other in permutations((*RESTS, *GONE), 2):
        headline = messages.headline(trace(**{one.value: 9_940, other.value: 60}), say)
        leads = other if one in GONE and other not in GONE else one
        assert is_named(leads, headline, language), headline
        assert not is_named(other if leads is one else one, headline, language), headline


def test_a_gift_that_was_given_back_but_for_its_fee_does_not_wait() -> None:
    told = trace(refunded=9_940, fees=60)
    assert messages.headline(told) == "您的 100 元，已有 99.40 元退回"
    assert messages.remainder(told) == "其中 0.60 元由渠道收取手续费。"
    assert messages.headline(told, ENGLISH) == "Your ¥100: ¥99.40 has been given back"


def test_a_gift_of_which_a_little_waits_says_how_little() -> None:
    told = trace(refunded=9_900, held=100)
    assert messages.headline(told) == "您的 100 元，有 1 元已经入账，等待分配"
    assert messages.remainder(told) == "其中 99 元已退回。"
