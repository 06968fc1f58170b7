"""Threads with a bound, and what is kept in memory with one."""

from __future__ import annotations

import asyncio
import threading

import pytest
import structlog

from lesionlens.api.cache import BoundedCache
from lesionlens.api.pool import Pool
from lesionlens.api.problems import RequestError


def test_work_is_done_beside_the_event_loop_with_its_context() -> None:
    def work(number: int, *, more: int) -> tuple[int, str, object]:
        return number + more, threading.current_thread().name, structlog.contextvars.get_contextvars().get("request_id")

    async def main() -> tuple[int, str, object]:
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            return await pool.run(work, 1, more=2)

    pool = Pool("test", 1, 4, "pieces of work")
    total, thread, request_id = asyncio.run(main())
    pool.close()
    assert (total, request_id) == (3, "r1")
    assert thread.startswith("lesionlens-test")


def test_errors_reach_whoever_asked() -> None:
    pool = Pool("test", 1, 4, "pieces of work")
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run(divmod, 1, 0))
    pool.close()


def test_more_than_may_wait_is_refused_and_what_began_is_finished() -> None:
    begun, gate, done = threading.Event(), threading.Event(), []

    def work(number: int) -> None:
        begun.set()
        assert gate.wait(30)
        done.append(number)

    async def main() -> None:
        tasks = [asyncio.create_task(pool.run(work, number)) for number in range(3)]
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(RequestError, match="3 pieces of work"):
            await pool.run(work, 3)
        tasks[0].cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks[1:])
        await pool.run(work, 4)

    pool = Pool("test", 1, 3, "pieces of work")
    asyncio.run(main())
    pool.close()
    assert done == [0, 1, 2, 4]


def test_a_full_cache_forgets_what_was_not_used_for_longest() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    cache.put("a", b"aaaa")
    cache.put("b", b"bbbb")
    assert cache.get("a") == b"aaaa"
    cache.put("c", b"cccc")
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"aaaa", None, b"cccc")
    cache.put("a", b"a")
    assert cache.held == 5
    cache.put("d", b"d" * 11)
    assert cache.get("d") is None
    assert cache.held == 0
    cache.put("e", b"e")
    generation = cache.generation
    cache.clear()
    assert (cache.get("e"), cache.held) == (None, 0)
    cache.put("f", b"begun before everything was forgotten", generation)
    cache.put("g", b"g", cache.generation)
    assert (cache.get("f"), cache.get("g")) == (None, b"g")
