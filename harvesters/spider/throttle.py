"""How often a host is asked: Scrapy's delays and AutoThrottle, never below the recipe's interval or its Crawl-delay."""

from __future__ import annotations

from typing import Any

from scrapy.extensions.throttle import AutoThrottle

SLOWEST_S = 120.0
"""Longest interval that a slow host gets for its slowness."""


class Throttle(AutoThrottle):  # type: ignore[misc]
    """AutoThrottle that heeds the delay which a host asked for."""

    def _max_delay(self) -> float:
        return float(max(SLOWEST_S, self.mindelay))

    def _start_delay(self) -> float:
        return float(self.mindelay)

    def _response_downloaded(self, response: Any, request: Any, spider: Any) -> None:
        super()._response_downloaded(response, request, spider)
        host, slot = self._get_slot(request, spider)
        if host is not None and slot is not None:
            asked_for = self.crawler.engine.downloader.per_slot_settings.get(host, {}).get("delay", 0.0)
            slot.delay = max(slot.delay, asked_for)


def slow_to(downloader: Any, host: str, seconds: float) -> None:
    """Heed a Crawl-delay from now on: one request at a time, `seconds` apart at least."""
    known = downloader.per_slot_settings.get(host, {})
    delay = max(seconds, known.get("delay", 0.0), downloader._delay)
    # Scrapy forgets a slot that was idle for a minute, and makes the next one from these settings.
    downloader.per_slot_settings[host] = {"delay": delay, "concurrency": 1, "jitter": 0.0}
    slot = downloader.slots.get(host)
    if slot is not None:
        slot.delay, slot.concurrency = max(slot.delay, delay), 1
