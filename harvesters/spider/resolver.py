"""Names to addresses, for connections: only such addresses as the guard allows. Whatever Twisted connects to has gone
through here just before, literal addresses too, so a name cannot become a private address after it was looked at."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet._idna import _idnaBytes
from twisted.internet._resolver import HostResolution
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHostnameResolver
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from harvesters.spider.addresses import Guard

_KINDS: dict[int, type] = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}


@implementer(IHostnameResolver)
class GuardedResolver:
    """Resolves by the recipe's fixed addresses, else as the system does; IPv4 and IPv6."""

    def __init__(self, reactor: Any, guard: Guard, lookup: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        self._reactor, self._guard, self._lookup = reactor, guard, lookup
        self.refusals: dict[str, str] = {}
        """Why hosts had no address to connect to, when they were looked up last."""

    def resolveHostName(
        self, resolutionReceiver: Any, hostName: str, portNumber: int = 0,
        addressTypes: Sequence[Any] | None = None, transportSemantics: str = "TCP",
    ) -> Any:  # fmt: skip
        """See IHostnameResolver."""
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        Deferred.fromCoroutine(self._resolve(resolutionReceiver, hostName, portNumber))
        return resolution

    async def _resolve(self, receiver: Any, name: str, port: int) -> None:
        found: list[Any] = []
        try:
            host = (name if name.isascii() else _idnaBytes(name).decode("ascii")).lower()
            self.refusals.pop(host, None)
            target = self._guard.fixed(host) or host
            found = await deferToThreadPool(
                self._reactor, self._reactor.getThreadPool(), self._lookup, target, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            pass  # no address: Twisted says so
        refused = None
        allowed = 0
        for family, _, _, _, address in found:
            kind = _KINDS.get(family)
            if kind is None:
                continue
            if reason := self._guard.address(address[0], host):
                refused = f"{host} is {address[0]}: {reason}"
                continue
            allowed += 1
            receiver.addressResolved(kind("TCP", *address))
        if refused and not allowed:
            self.refusals[host] = refused
        receiver.resolutionComplete()
