"""How often a password may be guessed."""

from __future__ import annotations

import pytest

from lesionlens.api.access.attempts import OVERALL, PER_ADDRESS, Attempts, Limit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(Limit(burst=3, seconds=60), Limit(burst=8, seconds=6), clock)


def fail(attempts: Attempts, address: str, times: int) -> list[int]:
    return [attempts.begin(address) for _ in range(times)]


def test_some_may_fail_and_then_one_waits(attempts: Attempts, clock: Clock) -> None:
    assert fail(attempts, "203.0.113.1", 4) == [0, 0, 0, 60]
    clock.now += 59.5
    assert fail(attempts, "203.0.113.1", 1) == [1]
    clock.now += 0.5
    assert fail(attempts, "203.0.113.1", 2) == [0, 60]
    clock.now += 10_000
    assert fail(attempts, "203.0.113.1", 4) == [0, 0, 0, 60]


def test_what_is_turned_away_costs_nothing_more(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, "203.0.113.1", 100)
    clock.now += 60
    assert fail(attempts, "203.0.113.1", 1) == [0]


def test_addresses_do_not_share_but_for_the_limit_of_all(attempts: Attempts, clock: Clock) -> None:
    assert (
        fail(attempts, "203.0.113.1", 3) + fail(attempts, "203.0.113.2", 3) + fail(attempts, "203.0.113.3", 2)
        == [0] * 8
    )
    assert fail(attempts, "203.0.113.4", 1) == [6]
    clock.now += 6
    assert fail(attempts, "203.0.113.4", 2) == [0, 6]


def test_success_does_not_count(attempts: Attempts) -> None:
    for _ in range(50):
        assert attempts.begin("203.0.113.1") == 0
        attempts.succeeded("203.0.113.1")
    assert fail(attempts, "203.0.113.1", 4) == [0, 0, 0, 60]


def test_success_does_not_forgive_earlier_failures(attempts: Attempts) -> None:
    fail(attempts, "203.0.113.1", 2)
    assert attempts.begin("203.0.113.1") == 0
    attempts.succeeded("203.0.113.1")
    assert fail(attempts, "203.0.113.1", 2) == [0, 60]


def test_a_network_of_ipv6_is_one_address(attempts: Attempts) -> None:
    assert [attempts.begin(f"2001:db8:1:2:{host}::1") for host in range(1, 5)] == [0, 0, 0, 60]
    assert attempts.begin("2001:db8:1:3::1") == 0


def test_ipv4_in_ipv6_is_the_same_address(attempts: Attempts) -> None:
    fail(attempts, "203.0.113.1", 3)
    assert attempts.begin("::ffff:203.0.113.1") == 60
    assert attempts.begin("::ffff:203.0.113.2") == 0


def test_clients_without_an_address_share_one(attempts: Attempts) -> None:
    assert fail(attempts, "", 4) == [0, 0, 0, 60]


def test_memory_and_hashing_stay_bounded_however_many_addresses_try() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    looked_at = 0
    seconds = 3600
    for second in range(seconds):
        clock.now += 1
        for host in range(10):
            looked_at += attempts.begin(f"198.51.{second % 256}.{host}") == 0
    assert looked_at <= OVERALL.burst + seconds / OVERALL.seconds
    assert len(attempts._addresses) <= OVERALL.burst + PER_ADDRESS.burst * PER_ADDRESS.seconds / OVERALL.seconds
