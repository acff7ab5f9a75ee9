"""Fields of forms are the kernel's, which take figures and days written in one way and within bounds."""

from collections.abc import Iterator

import pytest
from django import forms
from django.apps import apps
from django.urls import get_resolver

from core.fields import Day, Email, Figure, Whole
from tests.routes import routes

OWN = {
    forms.IntegerField: Whole,
    forms.DecimalField: Figure,
    forms.DateField: Day,
    forms.EmailField: Email,
    forms.FloatField: None,
    forms.DateTimeField: None,
    forms.URLField: None,
}


def _forms(base: type = forms.Form) -> Iterator[type[forms.Form]]:
    assert get_resolver().url_patterns  # all views, so all forms, are imported
    ours = {config.name for config in apps.get_app_configs()}
    for kind in base.__subclasses__():
        module = kind.__module__
        if module.split(".")[0] in ours and not module.startswith(("tests.", "arapp.styleguide", "django.")):
            yield kind
        yield from _forms(kind)


@pytest.mark.parametrize(
    "form", sorted(set(_forms()), key=lambda form: form.__qualname__), ids=lambda form: form.__qualname__
)
def test_fields_take_one_way_of_writing_within_bounds(form: type[forms.Form]) -> None:
    for name, field in form.base_fields.items():
        for django_field, own in OWN.items():
            if type(field) is django_field or (own is None and isinstance(field, django_field)):
                pytest.fail(f"{name} is a {django_field.__name__}: core.fields has a stricter one")
        if isinstance(field, forms.IntegerField | forms.DecimalField):
            assert field.min_value is not None, name
            assert field.max_value is not None, name
        if type(field).__mro__[1] is forms.CharField and not isinstance(field, forms.RegexField):
            assert field.max_length or field.validators or field.disabled, f"{name} has no longest length"


def test_forms_are_found() -> None:
    assert routes()
    assert len(set(_forms())) > 30
