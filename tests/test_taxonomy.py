"""The order of the classes is the contract's, and data sets' labels find their class."""

from __future__ import annotations

import pytest

from lesionlens.taxonomy import BY_CODE, CODES, MALIGNANT_CODES, NOT_CONFIDENT, canonical_code, diagnosis


def test_the_order_is_the_contracts() -> None:
    assert CODES == ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC", "SCC")
    assert [diagnosis(i).index for i in range(9)] == list(range(9))
    assert diagnosis(8) is NOT_CONFIDENT is BY_CODE["NOT_CONFIDENT"]
    assert MALIGNANT_CODES == ("MEL", "BCC", "AKIEC", "SCC")
    assert NOT_CONFIDENT.malignant is None


@pytest.mark.parametrize("index", [-1, 9])
def test_there_is_no_other_index(index: int) -> None:
    with pytest.raises(IndexError, match="0–8"):
        diagnosis(index)


@pytest.mark.parametrize(("label", "code"), [("AK", "AKIEC"), ("akiec", "AKIEC"), (" nv ", "NV"), ("SCC", "SCC")])
def test_labels_as_data_sets_write_them(label: str, code: str) -> None:
    assert canonical_code(label) == code


def test_an_unknown_label_is_told() -> None:
    with pytest.raises(KeyError, match="known: MEL, NV"):
        canonical_code("UNK")
