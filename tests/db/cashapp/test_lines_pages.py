"""The pages of matching as their users: going through the lines, deciding, and everybody who may not."""

import pytest
from django.urls import reverse

from cashapp.domain.states import LineState
from cashapp.models import BankLine, Payment
from cashapp.services.matching import match_all
from core.models import Effect
from core.scope import Scope, work
from receivables.models import OpenItem
from tests import factories
from tests.db.cashapp.conftest import Login
from tests.db.cashapp.lines import line, opening


@pytest.fixture
def waiting(acorn: Scope) -> BankLine:
    """Two equal debts of one customer, and a line that could be either."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        for number in ("2025-1187", "2025-1188"):
            opening(owner, 9_900, number)
        row = line(9_900, payer="Kestrel Freight", memo="November")
    match_all()
    with work():
        return BankLine.objects.get(pk=row.pk)  # type: ignore[no-any-return]


def address(name: str, *args: object) -> str:
    return reverse(name, args=["acorn", *args])


def item(number: str) -> OpenItem:
    with work():
        return OpenItem.objects.get(label=number)  # type: ignore[no-any-return]


def form(row: BankLine, number: str = "2025-1187", amount: str = "99.00") -> dict[str, str]:
    owed = item(number)
    with work():
        customer = owed.customer.public_id
    return {"customer": customer, "version": str(row.version), f"part-{owed.public_id}": amount}


def count() -> int:
    with work():
        return Payment.objects.count()  # type: ignore[no-any-return]


def test_the_list_leads_to_the_line_and_its_offers(login: Login, waiting: BankLine) -> None:
    client = login("Ben")
    assert "Kestrel Freight" in client.get(address("bank-lines")).content.decode()
    page = client.get(address("bank-line", waiting.public_id)).content.decode()
    assert "is the customer’s name" in page
    assert "Other choices that fit as well" in page
    assert page.count('class="prop"') == 2
    second = client.get(address("bank-line", waiting.public_id), {"use": "2"}).content.decode()
    assert second != page


def test_booking_goes_on_to_the_next_line(login: Login, waiting: BankLine) -> None:
    with work():
        following = line(100, payer="Nobody")
    answer = login("Ben").post(address("bank-line-settle", waiting.public_id), form(waiting))
    assert answer.status_code == 302
    assert answer["Location"] == address("bank-line", following.public_id)
    assert item("2025-1187").open_minor == 0
    last = login("Ben").get(address("bank-line", waiting.public_id)).content.decode()
    assert "This money is a payment of Kestrel Freight" in last


def test_a_double_click_books_once(login: Login, waiting: BankLine) -> None:
    said, client = form(waiting), login("Ben")
    for _ in range(2):
        assert client.post(address("bank-line-settle", waiting.public_id), said).status_code == 302
    assert count() == 1


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("99.01", "Only 9900"),
        ("-1", "more than zero"),
        ("0.00", "more than zero"),
        ("1e2", "is not an amount"),
        ("9.999", "more"),
        ("٩٩", "is not an amount"),
    ],
)
def test_a_bad_amount_is_said_and_books_nothing(
    login: Login, waiting: BankLine, amount: str, says: str
) -> None:
    with work():
        BankLine.objects.filter(pk=waiting.pk).update(minor=20_000)
    answer = login("Ben").post(address("bank-line-settle", waiting.public_id), form(waiting, amount=amount))
    assert answer.status_code in {409, 422}
    page = answer.content.decode()
    assert says in page
    assert f'value="{amount}"' in page
    assert count() == 0


@pytest.mark.parametrize("version", ["", "0", "99", "x", "٣", "9" * 30])
def test_a_form_of_an_older_look_books_nothing(login: Login, waiting: BankLine, version: str) -> None:
    said = {**form(waiting), "version": version}
    assert login("Ben").post(address("bank-line-settle", waiting.public_id), said).status_code == 409
    assert count() == 0


def test_another_customer_is_found_by_name(login: Login, waiting: BankLine) -> None:
    with work():
        other = factories.customer(name="Halden Marine")
        opening(other, 9_900, "HM-1")
    client = login("Ben")
    find = address("bank-line-customer", waiting.public_id)
    assert client.get(find, {"customer": "nobody"}).status_code == 422
    page = client.get(find, {"customer": "Halden Marine"}, follow=True).content.decode()
    assert "HM-1" in page
    assert 'value="99.00"' not in page


def test_money_may_stay_with_the_customer(login: Login, waiting: BankLine) -> None:
    said = {name: value for name, value in form(waiting).items() if not name.startswith("part-")}
    assert login("Ben").post(address("bank-line-settle", waiting.public_id), said).status_code == 302
    with work():
        payment = Payment.objects.get()
        assert OpenItem.objects.get(source=payment.public_id).open_minor == 9_900


def test_the_difference_follows_what_is_typed(login: Login, waiting: BankLine) -> None:
    said = form(waiting, amount="90.00")
    page = login("Ben").post(address("bank-line-difference", waiting.public_id), said).content.decode()
    assert "9.00" in page
    assert "zero" not in page


def test_setting_aside_needs_a_reason(login: Login, waiting: BankLine) -> None:
    client = login("Ben")
    aside = address("bank-line-aside", waiting.public_id)
    assert client.post(aside, {"reason": " "}).status_code == 422
    assert client.post(aside, {"reason": "Interest"}).status_code == 302
    with work():
        assert BankLine.objects.get(pk=waiting.pk).state == LineState.ASIDE
    assert "Kestrel" in client.get(address("bank-lines"), {"state": "aside"}).content.decode()
    assert client.post(address("bank-line-back", waiting.public_id)).status_code == 302
    with work():
        assert BankLine.objects.get(pk=waiting.pk).state == LineState.OPEN


def test_matching_again_is_asked_once_per_form(login: Login, waiting: BankLine) -> None:
    client = login("Ben")
    for _ in range(2):
        client.post(address("bank-lines-match"), {"key": "form_12345678"})
    with work():
        assert Effect.objects.filter(kind="cashapp.match", key="page:form_12345678").count() == 1


def test_a_viewer_sees_and_decides_nothing(login: Login, waiting: BankLine) -> None:
    client = login("Vic")
    assert client.get(address("bank-line", waiting.public_id)).status_code == 200
    for name, said in (
        ("bank-line-settle", form(waiting)),
        ("bank-line-aside", {"reason": "x"}),
        ("bank-line-back", {}),
    ):
        assert client.post(address(name, waiting.public_id), said).status_code == 403
    assert client.post(address("bank-lines-match")).status_code == 403
    assert count() == 0


def test_birch_finds_nothing_of_it(login: Login, waiting: BankLine) -> None:
    client = login("Bea")
    own = reverse("bank-line", args=["birch", waiting.public_id])
    assert client.get(address("bank-line", waiting.public_id)).status_code == 404
    assert client.get(own).status_code == 404
    settle = reverse("bank-line-settle", args=["birch", waiting.public_id])
    assert client.post(settle, form(waiting)).status_code == 404
    assert "Kestrel" not in client.get(reverse("bank-lines", args=["birch"])).content.decode()
    assert count() == 0


def test_the_pages_cost_the_same_however_many_lines_wait(
    login: Login, waiting: BankLine, django_assert_max_num_queries: object
) -> None:
    with work():
        for n in range(40):
            line(100 + n, payer=f"Payer {n}")
    client = login("Ben")
    for where in (address("bank-lines"), address("bank-line", waiting.public_id)):
        with django_assert_max_num_queries(32):  # type: ignore[operator]
            assert client.get(where).status_code == 200
