"""Questions that many ask at once: those that arrive while a query runs share the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

AT_ONCE = 2
"""Queries that run at the same time, so that one long answer does not hold up all the others."""


class Shared(Generic[Question, Answer]):
    """Asks for several what each would ask alone."""

    def __init__(
        self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]], *, most: int
    ) -> None:
        """`ask` answers at most `most` questions, in order; an exception among the answers is that one's alone."""
        self._ask_all = ask
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """The answer; what asking raised is raised to everybody who shared it."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if len(self._asking) < AT_ONCE:
            task = asyncio.create_task(self._ask(), name="shared questions")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return await answer

    async def _ask(self) -> None:
        while self._waiting:
            shared, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            answers: Sequence[Answer | Exception]
            try:
                answers = await self._ask_all([question for question, _ in shared])
            except Exception as error:  # noqa: BLE001  whatever it was, everybody who waits is told
                answers = [error] * len(shared)
            for (_, waiting), answer in zip(shared, answers, strict=True):
                if waiting.done():  # its caller went away
                    continue
                if isinstance(answer, Exception):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)
