"""Who acts on the pages of cash application."""

from collections.abc import Callable

import pytest
from django.test import Client

from tenants.models import User
from tests.db.cashapp.kept import owner  # noqa: F401

Login = Callable[[str], Client]


@pytest.fixture
def login() -> Login:
    def enter(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(name=name))
        return client

    return enter
