import gc

from django.apps import AppConfig


class ArappConfig(AppConfig):
    """Installed last, so that every app's models are ready when the registry is filled."""

    name = "arapp"

    def ready(self) -> None:
        from core import effects, registry, relay, seals  # noqa: F401 - the kernel's own due workers register themselves
        from core.guard import refuse_wrong_role
        from core.imports import work  # noqa: F401 - so does the worker of imports

        registry.discover()
        refuse_wrong_role()
        gc.freeze()  # what start-up made is looked at no more, and stays shared with the processes forked from here
