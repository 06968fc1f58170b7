"""Sessions' tokens: only whole, young ones of this password and this key count."""

from __future__ import annotations

import pytest
from visitors import OTHER_HASH, PASSWORD_HASH

from lesionlens.api.access.sessions import Sessions

KEY = bytes(range(32))
HOUR = 3600.0


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(KEY, PASSWORD_HASH, HOUR, clock)


def test_a_session_lasts_as_long_as_it_should(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin()
    assert sessions.lifetime == HOUR
    for passed, valid in ((0, True), (HOUR, True), (HOUR + 1, False), (100 * HOUR, False)):
        clock.now = Clock.now + passed
        assert sessions.is_valid(token) is valid


def test_a_token_from_the_future_does_not_count(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin()
    clock.now -= 10
    assert not sessions.is_valid(token)


def test_other_processes_and_a_restarted_one_take_it_if_key_and_password_are_the_same(
    sessions: Sessions, clock: Clock
) -> None:
    assert Sessions(KEY, PASSWORD_HASH, HOUR, clock).is_valid(sessions.begin())
    assert not Sessions(KEY, OTHER_HASH, HOUR, clock).is_valid(sessions.begin())
    assert not Sessions(bytes(32), PASSWORD_HASH, HOUR, clock).is_valid(sessions.begin())


def test_every_changed_character_is_noticed(sessions: Sessions) -> None:
    token = sessions.begin()
    assert sessions.is_valid(token)
    for place, character in enumerate(token):
        for other in ("A", "B", ".", "é", ""):
            if other != character and not is_padding(token, place):
                assert not sessions.is_valid(token[:place] + other + token[place + 1 :]), (token, place, other)


def is_padding(token: str, place: int) -> bool:
    """Whether a character holds bits that base64 ignores: the last of a signature of 32 bytes has two of them."""
    return place == len(token) - 1


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "a" * 100_000, "\x00", "\ud7ff", "x.AAAAAA.AAAA"])
def test_nonsense_is_no_session(sessions: Sessions, token: str) -> None:
    assert not sessions.is_valid(token)
    sessions.end(token)


def test_parts_of_two_tokens_make_none(sessions: Sessions, clock: Clock) -> None:
    first = sessions.begin().split(".")
    clock.now += 60
    second = sessions.begin().split(".")
    assert first[0] != second[0]
    assert not sessions.is_valid(".".join([first[0], second[1], first[2]]))
    assert not sessions.is_valid(".".join([second[0], first[1], first[2]]))


def test_an_ended_session_is_over_and_others_go_on(sessions: Sessions) -> None:
    ended, other = sessions.begin(), sessions.begin()
    sessions.end(ended)
    assert not sessions.is_valid(ended)
    assert sessions.is_valid(other)


def test_ended_sessions_are_forgotten_when_they_would_be_over_anyway(sessions: Sessions, clock: Clock) -> None:
    tokens = [sessions.begin() for _ in range(50)]
    for token in tokens:
        sessions.end(token)
    assert len(sessions._ended) == 50
    clock.now += HOUR + 1
    last = sessions.begin()
    sessions.end(last)
    assert len(sessions._ended) == 1
    assert not any(map(sessions.is_valid, [*tokens, last]))
