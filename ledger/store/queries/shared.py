"""Questions that many ask at once: those that arrive while a query runs share the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

AT_ONCE = 2
"""Queries that run at the same time at most."""

PATIENCE_S = 0.01
"""So long those who wait are kept together, to share the next query; one long answer does not hold up all others."""


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
        self._patient_until_s = 0.0

    async def ask(self, question: Question) -> Answer:
        """The answer; what asking raised is raised to everybody who shared it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._asking or loop.time() >= self._patient_until_s:
            self._start()
        return await answer

    def _start(self) -> None:
        """Ask for those who wait, beside what is being asked, if that is not too much already."""
        if self._waiting and len(self._asking) < AT_ONCE:
            self._asking.add(asyncio.create_task(self._ask(), name="shared questions"))

    async def _ask(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        while self._waiting:
            shared, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._patient_until_s = loop.time() + PATIENCE_S
            beside = loop.call_at(self._patient_until_s, self._start)
            answers: Sequence[Answer | Exception]
            try:
                answers = await self._ask_all([question for question, _ in shared])
            except Exception as error:  # noqa: BLE001  whatever it was, everybody who waits is told
                answers = [error] * len(shared)
            finally:
                beside.cancel()
            for (_, waiting), answer in zip(shared, answers, strict=True):
                if waiting.done():  # its caller went away
                    continue
                if isinstance(answer, Exception):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)
        # Now, not when the task is seen to be done: who asks in between would wait for nobody.
        self._asking.remove(task)
