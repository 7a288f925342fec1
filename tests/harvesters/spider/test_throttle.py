"""Delays of Scrapy's slots: what a host asked for is the least."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.core.downloader import Slot
from scrapy.http import Request, Response
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager

from harvesters.spider.throttle import SLOWEST_S, Throttle, slow_to


def throttle(interval: float, **settings: object) -> Throttle:
    downloader = SimpleNamespace(slots={"a.test": Slot(4, interval, 0.0)}, per_slot_settings={}, _delay=interval)
    crawler = SimpleNamespace(
        settings=Settings({"AUTOTHROTTLE_ENABLED": True, "DOWNLOAD_DELAY": interval, **settings}),
        signals=SignalManager(), engine=SimpleNamespace(downloader=downloader),
    )  # fmt: skip
    made = Throttle(crawler)
    made._spider_opened(None)
    return made


def answer(made: Throttle, latency: float, status: int = 200) -> Slot:
    request = Request("http://a.test/", meta={"download_slot": "a.test", "download_latency": latency})
    made._response_downloaded(Response("http://a.test/", status), request, None)
    slot: Slot = made.crawler.engine.downloader.slots["a.test"]
    return slot


@given(st.lists(st.tuples(st.floats(0, 300), st.sampled_from([200, 304, 404, 503])), max_size=20), st.floats(0, 60))
def test_never_below_the_rule_nor_far_above(answers: list[tuple[float, int]], crawl_delay: float) -> None:
    made = throttle(0.5)
    slow_to(made.crawler.engine.downloader, "a.test", crawl_delay)
    for latency, status in answers:
        slot = answer(made, latency, status)
        assert max(0.5, crawl_delay) <= slot.delay <= max(SLOWEST_S, crawl_delay)


def test_a_slow_host_is_asked_more_rarely_and_a_quick_one_again_as_before() -> None:
    made = throttle(0.5)
    assert answer(made, 3.0).delay == 3.0
    for _ in range(20):
        slot = answer(made, 0.01)
    assert slot.delay == pytest.approx(0.5, abs=0.01)


def test_an_interval_longer_than_the_slowest_stays() -> None:
    assert answer(throttle(600), 1.0).delay == 600


def test_crawl_delay_is_kept_for_the_slots_to_come() -> None:
    made = throttle(1.0)
    downloader = made.crawler.engine.downloader
    slow_to(downloader, "a.test", 5)
    slow_to(downloader, "a.test", 2)  # another port of the host asks for less
    slow_to(downloader, "b.test", 0.1)
    assert downloader.slots["a.test"].delay == 5 and downloader.slots["a.test"].concurrency == 1
    assert downloader.per_slot_settings["a.test"] == {"delay": 5, "concurrency": 1, "jitter": 0.0}
    assert downloader.per_slot_settings["b.test"]["delay"] == 1.0
