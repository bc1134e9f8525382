"""How often one address may ask, and how often look-ups may fail: 429 with Retry-After beyond it."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar

import structlog
from litestar import Request

from api.problems import ProblemError
from ledger.privacy import FiscalNumbers, fiscal_name, parse_code
from ledger.store.database import DATABASE_ERRORS, is_unreachable
from ledger.store.queries.visits import Visit, Visits

MINUTE_S = 60
HOUR_S = 3_600
IPV6_BITS = 64
"""Of an IPv6 address: what one household or one server usually has to itself."""

UNLIMITED = ("/healthz", "/log/", "/readyz", "/schema", "/static/")
"""Below these nothing is counted: files that caches keep, and what machines of the operator ask."""

_WITH_PORT = re.compile(r"^(?:([0-9.]+):[0-9]+|\[([^\]]*)\](?::[0-9]+)?)$")
"""As some proxies write an address; every connection comes from another port."""

Network = IPv4Network | IPv6Network
Found = TypeVar("Found")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is allowed; 0 allows anything."""

    requests_per_minute: int = 0
    """Of one address."""
    failures_per_hour: int = 0
    """Look-ups of one address that found nothing."""
    failures_per_code: int = 0
    """Look-ups of one code, or of one fiscal receipt, that found nothing, in an hour, from anywhere."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose X-Forwarded-For is believed."""


class Limits:
    """Asks the store how often somebody came. While the store does not answer nobody is turned away for that."""

    def __init__(self, visits: Visits | None, rates: Rates) -> None:
        self._visits = visits
        self._rates = rates

    async def admit(self, request: Request[Any, Any, Any]) -> None:
        """Count a request. Raises ProblemError `too-many-requests` beyond what an address may ask in a minute."""
        most = self._rates.requests_per_minute
        if most and not request.scope["path"].startswith(UNLIMITED):
            await self._count((Visit(f"request {self._address(request)}", 1, MINUTE_S), most))

    async def look_up(
        self,
        request: Request[Any, Any, Any],
        typed: str,
        find: Callable[[str], Awaitable[Found]],
        is_found: Callable[[Found], bool] = bool,
    ) -> Found:
        """What `find` finds under a code; nothing (no gift is entry 0) is counted.

        Raises ProblemError `too-many-requests` where this address, or this code, failed too often.
        """
        # However it was written: a space more is not another code.
        return await self._try(request, f"code {parse_code(typed) or typed}", lambda: find(typed), is_found)

    async def look_up_fiscal(
        self,
        request: Request[Any, Any, Any],
        numbers: FiscalNumbers,
        amount_fen: int,
        find: Callable[[FiscalNumbers, int], Awaitable[Found]],
    ) -> Found:
        """The same by all four that a fiscal receipt shows.

        Counted by code and number, which are sequential: whoever tries check codes tries one receipt.
        """
        name = f"fiscal {' '.join(fiscal_name(numbers))}"
        return await self._try(request, name, lambda: find(numbers, amount_fen), bool)

    async def _try(
        self,
        request: Request[Any, Any, Any],
        name: str,
        find: Callable[[], Awaitable[Found]],
        is_found: Callable[[Found], bool],
    ) -> Found:
        await self._count(*self._failures(request, name, cost=0))
        found = await find()
        if not is_found(found):
            await self._count(*self._failures(request, name, cost=1), refuse=False)
        return found

    def _failures(self, request: Request[Any, Any, Any], name: str, *, cost: int) -> Iterable[tuple[Visit, int]]:
        rates = self._rates
        if rates.failures_per_hour:
            yield Visit(f"failure {self._address(request)}", cost, HOUR_S), rates.failures_per_hour - 1 + cost
        if rates.failures_per_code:
            yield Visit(name, cost, HOUR_S), rates.failures_per_code - 1 + cost

    async def _count(self, *asked: tuple[Visit, int], refuse: bool = True) -> None:
        if self._visits is None or not asked:
            return
        try:
            found = await self._visits.count(*(visit for visit, _ in asked))
        except DATABASE_ERRORS as error:
            if not is_unreachable(error):
                raise
            _log.warning("visits are not counted", exc_info=error)
            return
        waits = [each.left_s for each, (_, most) in zip(found, asked, strict=True) if each.visits > most]
        if waits and refuse:
            raise ProblemError("too-many-requests", headers={"Retry-After": str(max(1, *waits))})

    def _address(self, request: Request[Any, Any, Any]) -> str:
        client = request.scope.get("client")
        forwarded = ",".join(request.headers.getall("x-forwarded-for", []))
        return visitor(client[0] if client else "", forwarded, self._rates.trusted_proxies)


def visitor(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> str:
    """Who asks: the last address of the chain that is no proxy of ours. What others say before it may be invented."""
    address = peer
    hops = [_WITH_PORT.sub(r"\1\2", each.strip()) for each in forwarded.split(",") if each.strip()]
    while hops and _is_in(address, trusted):
        address = hops.pop()
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((found, IPV6_BITS), strict=False))
    return str(found)


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
    return any(found.version == each.version and found in each for each in networks)
