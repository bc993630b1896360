"""A throttle of attempts, per client and in all, so that a password cannot be guessed by trying."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

MAX_CLIENTS = 10_000
"""Clients that are remembered; of more, the one whose attempt is longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class AttemptRate:
    """How many attempts are allowed.

    Attributes:
        burst: Attempts at once at the most.
        seconds: Seconds until one more is allowed.
    """

    burst: int
    seconds: float


PER_CLIENT, IN_ALL = AttemptRate(5, 12.0), AttemptRate(60, 2.0)
"""What one client may try, and all of them together."""


class _Bucket:
    """Attempts that are left, refilled as time passes."""

    def __init__(self, rate: AttemptRate, now: float) -> None:
        self._rate, self._left, self._at = rate, float(rate.burst), now

    def seconds_to_wait(self, now: float) -> float:
        self._left = min(self._rate.burst, self._left + (now - self._at) / self._rate.seconds)
        self._at = now
        return max(0.0, (1 - self._left) * self._rate.seconds)

    def take(self) -> None:
        self._left -= 1


class AttemptThrottle:
    """Attempts per client and in all. For use in one event loop. ``clock`` gives seconds that never jump."""

    def __init__(
        self,
        per_client: AttemptRate = PER_CLIENT,
        in_all: AttemptRate = IN_ALL,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_client, self._clock = per_client, clock
        self._all = _Bucket(in_all, clock())
        self._clients: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, client: str) -> float:
        """Take an attempt: 0, or the seconds after which the client may try again. A wait costs no attempt."""
        now, key = self._clock(), group_client(client)
        bucket = self._clients.pop(key, None) or _Bucket(self._per_client, now)
        self._clients[key] = bucket
        if len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        wait = bucket.seconds_to_wait(now) or self._all.seconds_to_wait(now)
        if not wait:
            bucket.take()
            self._all.take()
        return wait

    def forgive(self, client: str) -> None:
        """Forget the failed attempts of a client that has succeeded."""
        self._clients.pop(group_client(client), None)


def group_client(address: str) -> str:
    """What counts as one client: an IPv4 address, or the 64 bits of IPv6 that one household gets."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Address(int(ip) >> 64 << 64))
    return str(ip)
