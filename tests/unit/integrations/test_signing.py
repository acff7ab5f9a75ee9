"""Signatures by the Standard Webhooks specification, with its published example, and the schedule of tries."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.domain.schedule import SPREAD, WAITS, taken, wait_after
from integrations.domain.signing import raw, signature, signatures, written


def test_the_published_example() -> None:
    """The vector of the specification's reference libraries."""
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_is_written_and_read(secret: bytes) -> None:
    assert raw(written(secret)) == secret
    assert written(secret).startswith("whsec_")


@given(st.binary(max_size=80), st.integers(0, 2**40), st.text(alphabet="abc_", min_size=1))
def test_another_body_time_or_id_signs_otherwise(body: bytes, at: int, name: str) -> None:
    secret = written(b"k" * 32)
    one = signature(secret, message_id=name, timestamp=at, body=body)
    assert one == signature(secret, message_id=name, timestamp=at, body=body)
    assert one != signature(secret, message_id=name, timestamp=at, body=body + b" ")
    assert one != signature(secret, message_id=name, timestamp=at + 1, body=body)
    assert one != signature(secret, message_id=name + "x", timestamp=at, body=body)
    assert one != signature(written(b"j" * 32), message_id=name, timestamp=at, body=body)


def test_both_secrets_sign_while_they_change() -> None:
    secrets = [written(b"k" * 32), written(b"j" * 32)]
    header = signatures(secrets, message_id="evt_1", timestamp=1, body=b"{}")
    assert header.split(" ") == [
        signature(each, message_id="evt_1", timestamp=1, body=b"{}") for each in secrets
    ]


@given(st.integers(1, 20), st.integers(0, SPREAD))
def test_waits_grow_and_end(failures: int, chance: int) -> None:
    wait = wait_after(failures, chance=chance)
    if failures > len(WAITS):
        assert wait is None
    else:
        assert wait is not None
        assert WAITS[failures - 1] * 0.9 <= wait <= WAITS[failures - 1] * 1.1 + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "is_taken"), [(200, True), (204, True), (301, False), (0, False), (500, False)]
)
def test_only_the_200s_are_taken(status: int, is_taken: bool) -> None:
    assert taken(status) is is_taken
