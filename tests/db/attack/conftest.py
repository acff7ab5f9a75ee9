"""Those who are attacked."""

from tests.db.cashapp.kept import owner  # noqa: F401
