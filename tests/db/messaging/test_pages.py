"""What staff see of messages: found by who, what and state; the letter without scripts and secrets; sent again once."""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from core.effects import work_off
from core.models import Effect, Organization, OutboxEvent, StateChange
from core.scope import Scope, enter, work
from core.states import move
from messaging.domain.shown import without_tokens
from messaging.domain.states import MOVES, State
from messaging.models import Message
from messaging.services.send import send_message
from tenants.models import Membership, Role, User
from tests import factories
from tests.cast import CANARY

LIST = "/o/acorn/messages/"
TOKEN = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA"


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


def message(state: State = State.SENT, **given: object) -> Message:
    """A message in a state, as the services leave it. Inside work()."""
    n = Message.objects.count()
    row = factories.letter(
        **{  # type: ignore[arg-type]
            "kind": "receipt",
            "about": f"pay_{n}",
            "to_address": f"ap{n}@kestrel.example",
            "header_id": f"<{n}@x>",
            "subject": f"Letter {n}",
            "text_body": f"Pay at https://acorn.example/pay/{TOKEN}?x=1 please",
            "html_body": f'<p>Hello</p><a href="https://acorn.example/pay/{TOKEN}">Pay</a>',
            **given,
        }
    )
    if state in {State.SENT, State.FAILED, State.SENDING}:
        move(row, State.SENDING, moves=MOVES)
    if state == State.SENT:
        move(row, State.SENT, moves=MOVES, sent_at=clock.now())
    if state in {State.FAILED, State.SKIPPED}:
        move(row, state, moves=MOVES, reason="550 no such user", why="550 no such user")
    return row


def shown(client: Client, query: str = "") -> list[str]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return [each["row"].to_address for each in answer.context["rows"]]


def standing() -> list[object]:
    with work():
        return [
            *Message.objects.order_by("id").values_list("id", "state", "version"),
            Effect.objects.count(),
            StateChange.objects.count(),
            OutboxEvent.objects.count(),
        ]


def test_found_by_state_kind_recipient_customer_and_subject(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        message(State.SENT, to_address="anna@kestrel.example", customer_public_id=owner.public_id)
        message(State.FAILED, to_address="bob@kestrel.example", kind="invoice_issued", about="doc_1")
        message(State.QUEUED, to_address="Cleo@wexley.example")
    ben = client_of("Ben")
    everybody = ["Cleo@wexley.example", "bob@kestrel.example", "anna@kestrel.example"]
    assert shown(ben) == everybody
    assert shown(ben, "?state=failed") == ["bob@kestrel.example"]
    assert shown(ben, "?kind=invoice_issued") == ["bob@kestrel.example"]
    assert shown(ben, "?q=ann") == shown(ben, "?q=ANN") == ["anna@kestrel.example"]
    assert shown(ben, "?q=Cleo") == ["Cleo@wexley.example"]
    assert shown(ben, "?q=kestrel") == []
    assert shown(ben, f"?customer={owner.public_id}") == ["anna@kestrel.example"]
    assert shown(ben, "?about=doc_1&state=failed") == ["bob@kestrel.example"]
    assert shown(ben, "?about=doc_1&state=sent") == []


@pytest.mark.parametrize(
    "query",
    ["?state=odd", "?state=", "?customer=%27", "?about=%00", "?q=%00", "?q=%E2%80%AE", "?kind=%00", "?page=xx",
     "?page=WzAsMSwxXQ", "?kind=" + "x" * 900, "?q=" + "x" * 900, "?state=sent&state=failed"],
)  # fmt: skip
def test_odd_filters_are_left_out(acorn: Scope, query: str) -> None:
    with work():
        message()
    answer = client_of("Vic").get(LIST + query)
    assert answer.status_code == 200
    assert "Server Error" not in answer.content.decode()


def test_pages_by_keyset_in_a_constant_number_of_statements(acorn: Scope) -> None:
    vic = client_of("Vic")

    def look() -> int:
        with CaptureQueriesContext(connection) as captured:
            vic.get(LIST)
        return len(captured)

    with work():
        document = factories.invoice(factories.customer())
        for n in range(3):
            message(about=document.public_id, dedupe=str(n))
    look()
    few = look()
    with work():
        for _ in range(60):
            message()
    assert look() == few
    first = vic.get(LIST)
    second = vic.get(LIST + first.context["older"])
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 13)
    seen = {each["row"].pk for page in (first, second) for each in page.context["rows"]}
    assert len(seen) == 63


def test_the_page_tells_what_became_of_it(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        document = factories.invoice(owner)
        row = message(
            State.FAILED, about=document.public_id, customer_public_id=owner.public_id, kind="invoice_issued"
        )
    page = client_of("Vic").get(f"{LIST}{row.public_id}/").content.decode()
    assert "550 no such user" in page
    assert "Handed to the mail server" in page
    assert f'href="/o/acorn/invoices/{document.public_id}/"' in page
    assert f'href="/o/acorn/customers/{owner.public_id}/"' in page
    assert "Kestrel Freight" in page


def test_a_viewer_without_customers_does_not_learn_the_names(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        row = message(customer_public_id=owner.public_id)
        role = Role.objects.create(name="Post", permissions=["messages.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    vic = client_of("Vic")
    for path in (LIST, f"{LIST}{row.public_id}/"):
        assert "Kestrel Freight" not in vic.get(path).content.decode()


def test_the_letter_cannot_do_anything_and_its_links_are_cut(acorn: Scope) -> None:
    with work():
        row = message(html_body=f'<script>alert(1)</script><a href="https://x.example/pay/{TOKEN}">Pay</a>')
    vic = client_of("Vic")
    letter = vic.get(f"{LIST}{row.public_id}/letter/")
    policy = dict(part.strip().partition(" ")[::2] for part in letter["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'none'"
    assert policy["sandbox"] == ""
    assert policy["frame-ancestors"] == "'self'"
    assert letter["X-Frame-Options"] == "SAMEORIGIN"
    assert TOKEN not in letter.content.decode()
    assert "https://x.example/pay/…" in letter.content.decode()
    page = vic.get(f"{LIST}{row.public_id}/")
    assert 'sandbox=""' in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    text = vic.get(f"{LIST}{row.public_id}/?as=text").content.decode()
    assert TOKEN not in text
    assert "https://acorn.example/pay/…?x=1" in text
    assert "links cut" in text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("no address here abcdefghijklmnopqrstuvwxyz", "no address here abcdefghijklmnopqrstuvwxyz"),
        ("https://acorn.example/help/how-to-pay", "https://acorn.example/help/how-to-pay"),
        (f"http://a.example/p?t={TOKEN}&u=1", "http://a.example/p?t=…&u=1"),
        (f'"https://a.example/{TOKEN}/x"', '"https://a.example/…/x"'),
        (f"https://{TOKEN.lower()}.example/", f"https://{TOKEN.lower()}.example/"),
    ],
)
def test_tokens(text: str, safe: str) -> None:
    assert without_tokens(text) == safe


def test_a_queued_message_says_that_it_is_not_written(acorn: Scope) -> None:
    with work():
        row = message(State.QUEUED, subject="", text_body="", html_body="")
    page = client_of("Vic").get(f"{LIST}{row.public_id}/").content.decode()
    assert "Not written yet" in page
    assert "<iframe" not in page


def test_a_failed_mail_is_sent_again_once_however_often_it_is_asked_for(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        document = factories.invoice(owner)
        row = message(
            State.FAILED, about=document.public_id, kind="invoice_issued", html_body="", text_body=""
        )
    ben = client_of("Ben")
    again = f"{LIST}{row.public_id}/send-again/"
    assert ben.post(again).status_code == 302
    second = ben.post(again)
    assert second.status_code == 409
    assert "Not done." in second.content.decode()
    with work():
        assert Effect.objects.filter(kind="message.send", done_at=None).count() == 1
        Message.objects.filter(pk=row.pk).update(created_at=clock.now() - clock.now().resolution * 10**10)
    work_off([])
    assert len(mail.outbox) == 1
    assert ben.post(again).status_code == 409  # sent: it does not leave a second time
    with work():
        back = StateChange.objects.filter(object_public_id=row.public_id, to_state="queued").get()
    assert back.actor == "Ben"


@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.QUEUED])
def test_what_is_under_way_or_sent_is_not_sent_again(acorn: Scope, state: State) -> None:
    with work():
        row = message(state)
    before = standing()
    ana = client_of("Ana")
    assert "Send again" not in ana.get(f"{LIST}{row.public_id}/").content.decode()
    assert ana.post(f"{LIST}{row.public_id}/send-again/").status_code == 409
    assert standing() == before


def test_a_suspended_organization_sends_nothing_again(acorn: Scope) -> None:
    with work():
        row = message(State.FAILED)
        Organization.objects.filter(pk=acorn.organization_id).update(suspended_at=clock.wall())
    before = standing()
    answer = client_of("Ana").post(f"{LIST}{row.public_id}/send-again/")
    assert answer.status_code == 409
    assert "suspended" in answer.content.decode()
    assert standing() == before


def test_a_worker_killed_after_sending_again_loses_nothing(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        document = factories.invoice(factories.customer())
        row = message(
            State.FAILED, about=document.public_id, kind="invoice_issued", html_body="", text_body=""
        )
        Message.objects.filter(pk=row.pk).update(created_at=clock.now() - clock.now().resolution * 10**10)
    client_of("Ben").post(f"{LIST}{row.public_id}/send-again/")

    class Killed(BaseException):
        pass

    def die(*_args: object, **_more: object) -> None:
        raise Killed

    monkeypatch.setattr("messaging.services.send.deliver", die)
    with pytest.raises(Killed):
        send_message(row.public_id)
    monkeypatch.undo()
    assert "Being sent" in client_of("Vic").get(LIST + "?state=sending").content.decode()
    send_message(row.public_id)
    assert len(mail.outbox) == 1


def test_who_may_what(acorn: Scope, birch: Scope) -> None:
    with work():
        row = message(State.FAILED)
    with enter(birch), work():
        message(to_address=f"ap@{CANARY}.example")
    before = standing()
    vic, bea = client_of("Vic"), client_of("Bea")
    assert CANARY not in vic.get(LIST).content.decode()
    assert "needs the right" in vic.get(f"{LIST}{row.public_id}/").content.decode()
    assert vic.post(f"{LIST}{row.public_id}/send-again/").status_code == 403
    for path in ("", "letter/"):
        assert bea.get(f"{LIST}{row.public_id}/{path}").status_code == 404
        assert bea.get(f"/o/birch/messages/{row.public_id}/{path}").status_code == 404
    assert bea.post(f"/o/birch/messages/{row.public_id}/send-again/").status_code == 404
    with work():
        role = Role.objects.create(name="Guest", permissions=["home.view", "customers.view", "invoices.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    for path in (LIST, f"{LIST}{row.public_id}/", f"{LIST}{row.public_id}/letter/"):
        assert vic.get(path).status_code == 403
    assert standing() == before


@pytest.fixture
def addressed(acorn: Scope) -> tuple[str, str]:
    """Public ids of a customer and an invoice with a message about it."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        document = factories.invoice(owner)
        message(about=document.public_id, customer_public_id=owner.public_id, kind="invoice_issued")
        return owner.public_id, document.public_id


def test_the_customers_page_has_its_messages_for_whoever_may_see_them(
    acorn: Scope, addressed: tuple[str, str]
) -> None:
    customer, document = addressed
    vic = client_of("Vic")
    panel = f"/o/acorn/customers/{customer}/messages/"
    assert f'hx-get="{panel}"' in vic.get(f"/o/acorn/customers/{customer}/").content.decode()
    assert "ap0@kestrel.example" in client_of("Ben").get(panel).content.decode()
    assert "/o/acorn/messages/msg_" in vic.get(f"/o/acorn/invoices/{document}/").content.decode()
    assert client_of("Bea").get(f"/o/birch/customers/{customer}/messages/").status_code == 404
    with work():
        role = Role.objects.create(name="Guest", permissions=["home.view", "customers.view", "invoices.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    assert panel not in vic.get(f"/o/acorn/customers/{customer}/").content.decode()
    assert vic.get(panel).status_code == 403
    assert "/o/acorn/messages/msg_" not in vic.get(f"/o/acorn/invoices/{document}/").content.decode()


def test_a_customer_without_messages_says_so(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
    page = client_of("Vic").get(f"/o/acorn/customers/{owner.public_id}/messages/").content.decode()
    assert "Nothing was written to this customer yet." in page


def test_what_a_member_is_told_is_read_by_nobody_else(acorn: Scope) -> None:
    with work():
        row = message(kind="digest", subject="2 subscriptions", text_body="Held", html_body="<p>Held</p>")
    vic = client_of("Vic")
    page = vic.get(f"{LIST}{row.public_id}/").content.decode()
    letter = vic.get(f"{LIST}{row.public_id}/letter/").content.decode()
    assert "For its reader alone" in page
    for text in ("2 subscriptions", "Held"):
        assert text not in page + letter


def test_what_a_message_is_about_is_called_and_leads_there(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        sold, invoice = factories.subscription(owner, factories.DAY), factories.invoice(owner)
        made = [message(about=row.public_id).public_id for row in (sold, invoice)]
    client = client_of("Ana")
    assert [each["about"].label for each in client.get(LIST).context["rows"]] == [invoice.number, "Track Pro"]
    for name, href, row in (
        ("Track Pro", f"/o/acorn/subscriptions/{sold.public_id}/", made[0]),
        (invoice.number, f"/o/acorn/invoices/{invoice.public_id}/", made[1]),
    ):
        assert re.search(rf'href="{href}"[^>]*>\s*{name}', client.get(f"{LIST}{row}/").content.decode())
