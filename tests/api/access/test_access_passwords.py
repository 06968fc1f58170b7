"""Passwords are hashed slowly, compared without telling anything, and never keep the service from its work."""

from __future__ import annotations

import asyncio
import threading

import argon2
import pytest
from visitors import PASSWORD, PASSWORD_HASH

from lesionlens.access_settings import LONGEST_PASSWORD
from lesionlens.api import create_app
from lesionlens.api.access.keys import find_key, hash_key, new_key
from lesionlens.api.access.passwords import Password, hash_password
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings


def test_a_hash_is_argon2id_of_the_cost_that_rfc_9106_recommends() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    parameters = argon2.extract_parameters(first)
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (64 * 1024, 3, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
    assert first != second
    assert PASSWORD not in first


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (PASSWORD, True),
        (PASSWORD + " ", False),
        (PASSWORD.upper(), False),
        ("", False),
        ("\ud800", False),
        ("\x00", False),
        ("x" * LONGEST_PASSWORD, False),
        ("x" * (LONGEST_PASSWORD + 1), False),
    ],
)
def test_only_the_password_matches(given: str, right: bool) -> None:
    assert asyncio.run(Password(PASSWORD_HASH).matches(given)) is right


def test_a_letter_is_the_same_however_the_keyboard_spells_it() -> None:
    assert asyncio.run(Password(hash_password("caf\u00e9 au lait")).matches("cafe\u0301 au lait"))


def test_a_hash_of_any_other_program_works() -> None:
    other = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=2, hash_len=24, salt_len=12).hash(PASSWORD)
    assert asyncio.run(Password(other).matches(PASSWORD))


@pytest.mark.parametrize(
    "damage",
    [("m=8", "m=1"), ("t=1", "t=0"), ("m=8", "m=9999999999"), ("p=1", "p=0"), (PASSWORD_HASH[-2:], "//")],
)
def test_a_hash_that_nobody_could_log_in_with_is_told_before_the_service_starts(damage: tuple[str, str]) -> None:
    settings = load_settings(tracker="off", password_hash=PASSWORD_HASH.replace(*damage))
    with pytest.raises(SettingsError, match=r"LESIONLENS_PASSWORD_HASH cannot be computed here.*lesionlens password"):
        create_app(settings)


def test_two_at_once_at_most_and_the_event_loop_goes_on() -> None:
    slow = Password(argon2.PasswordHasher(time_cost=2, memory_cost=16 * 1024, parallelism=1).hash(PASSWORD))
    most, turns = 0, 0

    async def watch(done: asyncio.Event) -> None:
        nonlocal most, turns
        while not done.is_set():
            most = max(most, sum(thread.name.startswith("password") for thread in threading.enumerate()))
            turns += 1
            await asyncio.sleep(0)

    async def guess() -> list[bool]:
        done = asyncio.Event()
        watching = asyncio.create_task(watch(done))
        answers = await asyncio.gather(*(slow.matches(given) for given in [PASSWORD, *"abcdefg"]))
        done.set()
        await watching
        return answers

    before = sum(thread.name.startswith("password") for thread in threading.enumerate())
    assert asyncio.run(guess()) == [True] + [False] * 7
    assert 1 <= most - before <= 2
    assert turns > 20


def test_keys_are_random_and_found_by_their_hash_only() -> None:
    keys = [new_key() for _ in range(100)]
    assert len(set(keys)) == 100
    assert all(key.startswith("lesionlens_") and len(key) == 11 + 43 for key in keys)  # 256 bits in base64
    known = [(f"key-{number}", hash_key(key)) for number, key in enumerate(keys)]
    assert [find_key(key, known) for key in keys] == [name for name, _ in known]
    for wrong in (new_key(), keys[0][:-1], keys[0] + "A", keys[0].upper(), "", known[0][1]):
        assert find_key(wrong, known) is None
    assert find_key(keys[0], []) is None
