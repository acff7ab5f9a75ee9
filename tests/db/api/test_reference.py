"""The reference that people read says the same as the OpenAPI document, and every refusal has its place in it."""

from django.test import Client

from arapp.api.reference import parts, refusals
from core.api.schema import document
from tests.db.api.conftest import Program, said


def test_every_operation_stands_in_the_reference(db: None, client: Client) -> None:
    entries = [entry for part in parts() for entry in part.entries]
    wanted = [each["operationId"] for path in document()["paths"].values() for each in path.values()]
    assert sorted(entry.anchor for entry in entries) == sorted(wanted)
    contents = client.get("/api/docs/").content.decode()
    for part in parts():
        place = f"/api/docs/{part.slug}/"
        page = client.get(place)
        shown = page.content.decode()
        assert page.status_code == 200
        for entry in part.entries:
            assert f'href="{place}#{entry.anchor}"' in contents
            assert f'id="{entry.anchor}"' in shown
            assert f'href="#{entry.anchor}"' in shown
        assert "Customer.parent" not in shown
    assert len({part.slug for part in parts()}) == len(parts())
    assert client.get("/api/openapi.json").json()["paths"].keys() == document()["paths"].keys()


def test_a_part_that_is_not_there_is_not_found(db: None, client: Client) -> None:
    assert client.get("/api/docs/unicorns/").status_code == 404


def test_fields_say_what_they_are(db: None) -> None:
    (create,) = [entry for part in parts() for entry in part.entries if entry.anchor == "customers_post"]
    kinds = {field.name: (field.kind, field.required) for field in create.body}
    assert kinds["name"] == ("text, up to 200 characters", True)
    assert kinds["terms_days"] == ("integer, 0 to 365", False)
    assert create.status == "201"
    assert "Idempotency-Key" in create.call


def test_a_problem_leads_to_what_it_means(api: Program, client: Client) -> None:
    problem = said(api("GET", "/customers/cus_none"))
    page, _, anchor = problem["type"].partition("#")
    shown = client.get(page).content.decode()
    assert f'id="{anchor}"' in shown
    assert len({each.code for each in refusals()}) == len(refusals())
    assert all(each.says for each in refusals())
