"""Questions that share a query."""

import asyncio
from collections.abc import Sequence

from ledger.store.queries.shared import PATIENCE_S, Shared


async def test_who_asks_again_at_once_is_answered() -> None:
    asked: list[list[int]] = []

    async def double(questions: Sequence[int]) -> list[int | Exception]:
        asked.append([*questions])
        await asyncio.sleep(0)
        return [2 * each for each in questions]

    shared = Shared(double, most=10)
    assert [await shared.ask(each) for each in (1, 2, 3)] == [2, 4, 6]
    assert asked == [[1], [2], [3]]


async def test_those_who_come_meanwhile_share_the_next_query() -> None:
    asked: list[list[int]] = []

    async def double(questions: Sequence[int]) -> list[int | Exception]:
        asked.append([*questions])
        await asyncio.sleep(0)
        return [2 * each for each in questions]

    shared = Shared(double, most=3)
    first = asyncio.create_task(shared.ask(0))
    await asyncio.sleep(0)
    assert await asyncio.gather(*(shared.ask(each) for each in range(1, 6))) == [2, 4, 6, 8, 10]
    assert await first == 0
    assert asked[0] == [0]
    assert asked[1:] in ([[1, 2, 3], [4, 5]], [[1], [2, 3, 4], [5]])


async def test_one_long_answer_does_not_hold_up_the_others() -> None:
    comes = asyncio.Event()

    async def ask(questions: Sequence[str]) -> list[str | Exception]:
        if "long" in questions:
            await comes.wait()
        return [*questions]

    shared = Shared(ask, most=10)
    long = asyncio.create_task(shared.ask("long"))
    await asyncio.sleep(0.001)  # it is being asked
    assert await shared.ask("soon") == "soon"
    await asyncio.sleep(2 * PATIENCE_S)
    assert await shared.ask("late") == "late"
    assert not long.done()
    comes.set()
    assert await long == "long"


async def test_what_fails_is_told_to_those_who_shared_it_and_the_next_one_works() -> None:
    async def ask(questions: Sequence[int]) -> list[int | Exception]:
        await asyncio.sleep(0)
        if 0 in questions:
            raise ConnectionRefusedError
        return [ValueError() if each == 1 else each for each in questions]

    shared = Shared(ask, most=2)
    answers = await asyncio.gather(*(shared.ask(each) for each in (0, 1, 1, 2)), return_exceptions=True)
    assert [*map(type, answers[:3])] == [ConnectionRefusedError, ConnectionRefusedError, ValueError]
    assert answers[3] == 2
