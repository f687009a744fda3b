"""Why: two programs that write the same value otherwise compute other hashes of it."""

from typing import Any

import pytest

from common.canonical import canonical, digest


def test_canonical_form_is_that_of_rfc_8785() -> None:
    value = {
        "numbers": [1, -7, 2**53],
        "literals": [None, True, False],
        "string": '€$\x0f\nA\'B"\\"/',
    }

    assert (
        canonical(value)
        == (
            '{"literals":[null,true,false],"numbers":[1,-7,9007199254740992],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\"/"}'
        ).encode()
    )


def test_order_of_names_changes_nothing() -> None:
    assert digest({"b": 1, "a": {"d": [], "c": ""}}) == digest({"a": {"c": "", "d": []}, "b": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


@pytest.mark.parametrize("value", [0.5, 1.0, 2**53 + 1, {1: 2}, {"é": 1}, (1,), b"", {"a": [0.5]}])
def test_value_without_an_agreed_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)
