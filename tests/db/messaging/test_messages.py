"""One message, sent once, written from the truth of the moment it leaves."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries

from core import clock
from core.effects import work_off
from core.errors import Invalid
from core.files import store
from core.models import Effect, Organization, OutboxEvent, StateChange
from core.reseal import reseal
from core.scope import InsideWork, Scope, enter, work
from core.states import StateConflict
from core.suspension import Suspended
from core.vault import next_key, seal
from messaging.composers import Answer, Ready, Skip, Wait, composers
from messaging.domain.headers import display_name, one_line
from messaging.domain.letters import InvoiceIssued, Line, PaymentFailed, Receipt
from messaging.domain.states import MOVES, State
from messaging.models import Message
from messaging.selectors import message_of, messages_about, messages_of_customer
from messaging.services.deliver import Prepared, deliver
from messaging.services.queue import Draft, queue, queue_all, send_again
from messaging.services.send import send_message

KIND = "test.kind"
LETTER = InvoiceIssued(
    organization_name="Acorn Instruments",
    customer_name="Kestrel & Sons <b>",
    number="INV-1",
    amount="EUR 10.00",
    due_on="14 November 2026",
    pay_url="https://pay.example/p?a=1&b=2",
    lines=(Line("Track Pro", "10.00"),),
)


@pytest.fixture
def answers() -> Iterator[list[Answer]]:
    """What the composer of KIND says next; the last answer is repeated."""
    given: list[Answer] = []
    composers[KIND] = lambda _message: given.pop(0) if len(given) > 1 else given[0]
    yield given
    del composers[KIND]


def queued(**given: object) -> Message:
    with work():
        return queue(**{"kind": KIND, "about": "inv_1", "to": "ap@kestrel.example", **given})  # type: ignore[arg-type]


def again() -> None:
    """Let the time pass that an effect waits, and work."""
    with work():
        Effect.objects.filter(done_at=None).update(due_at=clock.wall(), lease_until=None)
    work_off([])


def state_of(message: Message) -> str:
    with work():
        return str(Message.objects.get(pk=message.pk).state)


def test_a_queued_message_is_written_sent_and_kept(acorn: Scope, answers: list[Answer]) -> None:
    file = store(b"%PDF-1.7", kind="pdf", name="INV-1.pdf", content_type="application/pdf")
    answers.append(Ready(LETTER, attachments=(file.public_id,), reply_to="billing@acorn.example"))
    message = queued(customer="cus_1")
    work_off([])
    (sent,) = mail.outbox
    assert sent.to == ["ap@kestrel.example"]
    assert sent.subject == "Invoice INV-1 from Acorn Instruments: EUR 10.00"
    assert sent.from_email == "Acorn Instruments <billing@localhost>"
    assert sent.reply_to == ["billing@acorn.example"]
    assert "Hello Kestrel & Sons <b>," in sent.body
    ((html, _),) = sent.alternatives  # type: ignore[attr-defined]
    assert "Kestrel &amp; Sons &lt;b&gt;" in html
    assert 'href="https://pay.example/p?a=1&amp;b=2"' in html
    assert [(one[0], one[1]) for one in sent.attachments] == [("INV-1.pdf", b"%PDF-1.7")]
    raw = sent.message()
    assert raw["Message-ID"] == message.header_id == f"<{message.public_id}@localhost>"
    assert raw["Auto-Submitted"] == "auto-generated"
    with work():
        kept = message_of(message.public_id)
        assert kept is not None
        assert (kept.state, kept.letter_html, kept.letter_text) == ("sent", html, sent.body)
        assert html not in kept.html_body
        assert kept.sent_at is not None
        assert OutboxEvent.objects.get(name="message.sent").payload["about"] == "inv_1"
        moved = StateChange.objects.filter(object_public_id=message.public_id).order_by("id")
        assert [one.to_state for one in moved] == ["sending", "sent"]
        assert messages_about("inv_1") == messages_of_customer("cus_1") == [kept]


def test_the_same_key_is_one_message(acorn: Scope, answers: list[Answer]) -> None:
    answers.append(Ready(LETTER))
    assert queued() == queued() == queued(to="other@kestrel.example")
    assert queued(dedupe="second") != queued()
    for _ in range(3):
        again()
    assert len(mail.outbox) == 2
    queued()
    again()
    assert len(mail.outbox) == 2


def test_many_are_queued_in_as_many_statements_as_one(
    acorn: Scope, answers: list[Answer], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    drafts = [Draft(KIND, f"inv_{n}", f"a{n}@kestrel.example") for n in range(200)]
    with work(), django_assert_max_num_queries(4):
        messages = queue_all(drafts)
    assert [message.about for message in messages] == [draft.about for draft in drafts]
    with work():
        assert queue_all([]) == []


@pytest.mark.parametrize("address", [
    "", "nobody", "a@b", "a@b.example\nBcc: c@d.example", "a@b.example\r\nX: y", "a@b.example,c@d.example",
    "a@b.example;c@d.example", "A <a@b.example>", "a b@c.example", "a@b.example\0", "billing@localhost",
    "x" * 250 + "@b.example", "a@b.example\u2028", '"a b"@c.example', "a@[127.0.0.1]",
])  # fmt: skip
def test_an_address_that_is_not_one_is_refused(acorn: Scope, answers: list[Answer], address: str) -> None:
    with pytest.raises(Invalid):
        queued(to=address)
    with work():
        assert not Message.objects.exists()
        assert not Effect.objects.exists()


def test_a_kind_that_nobody_composes_is_refused(acorn: Scope) -> None:
    with pytest.raises(LookupError):
        queued(kind="nobody.writes")


def test_what_is_no_longer_right_is_not_sent(acorn: Scope, answers: list[Answer]) -> None:
    answers.append(Skip("It was paid."))
    message = queued()
    work_off([])
    assert (state_of(message), mail.outbox) == ("skipped", [])
    with work():
        assert OutboxEvent.objects.get(name="message.skipped").payload["reason"] == "It was paid."


def test_what_is_not_ready_waits(acorn: Scope, answers: list[Answer]) -> None:
    later = clock.wall() + timedelta(minutes=1)
    answers.extend([Wait(later), Ready(LETTER)])
    message = queued()
    work_off([])
    assert (state_of(message), mail.outbox) == ("queued", [])
    with work():
        effect = Effect.objects.get()
        assert (effect.due_at, effect.attempts) == (later, 0)
    again()
    assert state_of(message) == "sent"


def test_a_suspended_organization_queues_nothing_and_sends_nothing(
    acorn: Scope, answers: list[Answer]
) -> None:
    answers.append(Ready(LETTER))
    message = queued()
    with work():
        Organization.objects.update(suspended_at=clock.wall())
    with pytest.raises(Suspended):
        queued(dedupe="more")
    work_off([])
    assert (state_of(message), mail.outbox) == ("skipped", [])


def test_a_skipped_message_may_be_sent_again_and_a_sent_one_not(acorn: Scope, answers: list[Answer]) -> None:
    answers.extend([Skip("Not now."), Ready(LETTER)])
    message = queued()
    work_off([])
    with work():
        send_again(message.public_id)
    work_off([])
    assert state_of(message) == "sent"
    assert len(mail.outbox) == 1
    with pytest.raises(StateConflict, match="sent already"), work():
        send_again(message.public_id)


def test_what_was_sent_cannot_be_changed(acorn: Scope, answers: list[Answer]) -> None:
    answers.append(Ready(LETTER))
    queued()
    work_off([])
    for change in (
        {"subject": "x"},
        {"html_body": "x"},
        {"to_address": "x"},
        {"state": "queued", "sent_at": None},
    ):
        with work(), pytest.raises(DatabaseError, match=r"was sent|never change"), transaction.atomic():
            Message.objects.update(**change)


def test_what_was_sent_may_be_sealed_anew_only(acorn: Scope, answers: list[Answer]) -> None:
    answers.append(Ready(LETTER))
    queued()
    work_off([])
    with work():
        row = Message.objects.get()
        held, said = row.html_body, row.letter_html
        with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
            Message.objects.update(html_body=seal(Message, "html_body", row.public_id, "forged"))
        assert reseal(next_key()) > 0
        row.refresh_from_db()
        assert row.letter_html == said != ""
        with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
            Message.objects.update(html_body=held)


def test_an_attachment_of_another_organization_is_not_found(
    acorn: Scope, birch: Scope, answers: list[Answer]
) -> None:
    with enter(birch):
        foreign = store(b"x", kind="pdf", name="x.pdf", content_type="application/pdf")
    answers.append(Ready(LETTER, attachments=(foreign.public_id,)))
    message = queued()
    work_off([])
    assert (state_of(message), mail.outbox) == ("queued", [])
    with work():
        assert "are not here" in Effect.objects.get().last_error


def test_too_much_is_not_attached(
    acorn: Scope, answers: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.services.send.MAX_ATTACHED", 3)
    file = store(b"four", kind="pdf", name="x.pdf", content_type="application/pdf")
    answers.append(Ready(LETTER, attachments=(file.public_id,)))
    message = queued()
    work_off([])
    assert (state_of(message), mail.outbox) == ("failed", [])


def test_an_attachment_that_is_gone_is_waited_for(acorn: Scope, answers: list[Answer]) -> None:
    from django.core.files.storage import default_storage

    file = store(b"x", kind="pdf", name="x.pdf", content_type="application/pdf")
    default_storage.delete(file.storage_key)
    answers.append(Ready(LETTER, attachments=(file.public_id,)))
    message = queued()
    work_off([])
    assert state_of(message) == "queued"
    with work():
        assert "attachment" in Message.objects.get().why


def test_mail_is_refused_inside_work(acorn: Scope, answers: list[Answer]) -> None:
    message = queued()
    with work(), pytest.raises(InsideWork):
        deliver(Prepared(message, "Acorn", "text", "html", []))
    assert mail.outbox == []


def test_another_organization_cannot_send_it(acorn: Scope, birch: Scope, answers: list[Answer]) -> None:
    answers.append(Ready(LETTER))
    message = queued()
    with enter(birch), pytest.raises(Exception, match="not here"):
        send_message(message.public_id)
    with enter(birch), work():
        assert messages_about("inv_1") == []
    assert mail.outbox == []


def test_headers_carry_no_second_line(acorn: Scope, answers: list[Answer]) -> None:
    with work():
        Organization.objects.update(name='Evil" <boss@bank.example>\r\nBcc: all@kestrel.example')
    answers.append(
        Ready(
            InvoiceIssued(
                organization_name="Evil\r\nBcc: all@kestrel.example",
                customer_name="x",
                number="1\r\nX-Own: 1",
                amount="EUR 1.00",
                due_on="today",
            ),
            reply_to="a@b.example\r\nBcc: all@kestrel.example",
        )
    )
    queued()
    work_off([])
    raw = mail.outbox[0].message()
    assert raw["Bcc"] is raw["X-Own"] is raw["Reply-To"] is None
    assert "\n" not in raw["Subject"]
    assert raw["From"].endswith("<billing@localhost>")
    assert "boss@bank" not in raw["From"]


def test_every_forbidden_move_is_refused() -> None:
    assert set(MOVES) == set(State)
    assert MOVES[State.SENT] == frozenset()


@pytest.mark.parametrize("letter", [
    LETTER,
    Receipt(organization_name="Acorn", customer_name="Kestrel", number="P-1", amount="EUR 5.00", paid_on="2 May"),
    Receipt(
        organization_name="Acorn", customer_name="Kestrel", number="PAY-1", amount="EUR 5.00", paid_on="2 May 2026",
        method="card 4242", lines=(Line("INV-1", "5.00"),), remaining="EUR 1.00", pay_url="https://pay.example/x",
    ),
    PaymentFailed(organization_name="Acorn", customer_name="Kestrel", number="I-1", amount="EUR 5.00", due_on="2 May"),
    PaymentFailed(
        organization_name="Acorn", customer_name="Kestrel", number="INV-1", amount="EUR 5.00", due_on="2 May",
        reason="The bank said no", method="card 4242", next_try_on="5 May", pay_url="https://pay.example/x",
    ),
])  # fmt: skip
def test_every_letter_says_what_it_was_given(letter: InvoiceIssued | Receipt | PaymentFailed) -> None:
    from messaging.services.render import write

    written = write(Ready(letter))
    for name, value in vars(letter).items():
        for text in (
            [value]
            if isinstance(value, str)
            else [part for line in value for part in (line.text, line.amount)]
        ):
            assert text in written.text, name
            assert text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in written.html, name
    assert letter.amount in written.subject or letter.number in written.subject
    assert "\n\n\n" not in written.text
    assert "http" not in written.html.replace(letter.pay_url.replace("&", "&amp;") or "\0", "").replace(
        "http-equiv", ""
    ).replace("http://www.w3.org/1999/xhtml", "")  # nothing else is linked or loaded


@pytest.mark.parametrize("given", [
    {"pay_url": "javascript:alert(1)"}, {"pay_url": "data:text/html,x"}, {"pay_url": "https://a\nb"},
])  # fmt: skip
def test_a_letter_refuses_other_links(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="address"):
        InvoiceIssued(organization_name="a", customer_name="b", number="c", amount="d", due_on="e", **given)


def test_a_letter_refuses_what_is_not_plain_text() -> None:
    from django.utils.safestring import mark_safe
    from django.utils.translation import gettext_lazy

    for value in (1, None, gettext_lazy("x"), mark_safe("<b>")):
        with pytest.raises(TypeError):
            InvoiceIssued(organization_name="a", customer_name="b", number="c", amount=value, due_on="e")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        InvoiceIssued(organization_name="a", customer_name="b", number="c", amount="d")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        InvoiceIssued(
            organization_name="a", customer_name="b", number="c", amount="d", due_on="e", lines=["x"]
        )  # type: ignore[arg-type]


def test_names_are_cleaned_for_a_header() -> None:
    assert one_line("a\u202eb\r\n\tc\0") == "ab c"
    assert one_line("x" * 300).endswith("…")
    assert display_name('PayPal <service@paypal.example> "x"') == "PayPal service paypal.example x"
