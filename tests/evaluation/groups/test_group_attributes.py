"""Who is in which group."""

from __future__ import annotations

import numpy as np
import pytest
from group_data import with_traits
from made_predictions import made, one_hot

from lesionlens.evaluation import Predictions
from lesionlens.evaluation.groups.attributes import UNKNOWN, Attribute, attributes

AGES = [0, 29, 30, 49, 50, 79, 80, 101, -1]


@pytest.fixture(scope="module")
def divided() -> dict[str, Attribute]:
    predictions = made([0] * 9, one_hot([0] * 9), sources=["HAM"] * 4 + ["BCN"] * 4 + [""])
    full = with_traits(
        predictions,
        sex=["female", "male", "female", "male", "female", "male", "", "male", "female"],
        age=AGES,
        site=["head/neck"] * 8 + [""],
        ita=[60, 50, 30, 20, 0, -40, 95, np.nan, 60],
    )
    return {attribute.key: attribute for attribute in attributes(full)}


def rows(attribute: Attribute) -> dict[str, list[int]]:
    return {group.key: np.flatnonzero(group.mask).tolist() for group in attribute.groups}


def test_ages_fall_into_decades(divided: dict[str, Attribute]) -> None:
    assert rows(divided["age"]) == {
        "under_30": [0, 1],
        "30_39": [2],
        "40_49": [3],
        "50_59": [4],
        "70_79": [5],
        "80_and_over": [6, 7],
        UNKNOWN: [8],
    }
    assert [g.title for g in divided["age"].groups][:2] == ["under 30", "30–39"]


def test_sex_and_age_intersect_where_both_are_known(divided: dict[str, Attribute]) -> None:
    assert rows(divided["sex_age"]) == {
        "female_under_50": [0, 2],
        "female_50_and_over": [4],
        "male_under_50": [1, 3],
        "male_50_and_over": [5, 7],
    }


def test_what_is_not_known_is_a_group_of_its_own(divided: dict[str, Attribute]) -> None:
    assert rows(divided["sex"]) == {"female": [0, 2, 4, 8], "male": [1, 3, 5, 7], UNKNOWN: [6]}
    assert rows(divided["site"]) == {"head/neck": list(range(8)), UNKNOWN: [8]}
    assert rows(divided["source"]) == {"BCN": [4, 5, 6, 7], "HAM": [0, 1, 2, 3], UNKNOWN: [8]}


def test_tones_run_from_light_to_dark(divided: dict[str, Attribute]) -> None:
    assert list(rows(divided["tone"]).items()) == [
        ("very_light", [0, 8]),
        ("light", [1]),
        ("intermediate", [2]),
        ("tan", [3]),
        ("brown", [4]),
        ("dark", [5]),
        ("blue_cast", [6]),
        (UNKNOWN, [7]),
    ]
    assert "not of the person" in divided["tone"].note


def test_no_picture_is_in_two_groups(divided: dict[str, Attribute]) -> None:
    for attribute in divided.values():
        total = np.sum([group.mask for group in attribute.groups], axis=0)
        assert total.max() == 1
        assert total.min() == (0 if attribute.key == "sex_age" else 1)


def test_a_trait_that_is_never_known_makes_no_groups(mixed: Predictions) -> None:
    by_key = {a.key: a for a in attributes(with_traits(mixed))}
    assert [key for key, a in by_key.items() if a.groups] == ["source"]
    with pytest.raises(ValueError, match="no traits"):
        attributes(mixed)
