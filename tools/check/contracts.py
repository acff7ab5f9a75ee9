"""Two import contracts that the library has no word for; named in pyproject.toml and run with the others.

The library's `protected` contract needs one entry per app and fails on a module that does not exist yet; these hold
for every app from the day it appears.
"""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Illegal = list[tuple[str, str]]


def within(module: str, package: str) -> bool:
    """Whether `module` is `package` or lies inside it."""
    return module == package or module.startswith(f"{package}.")


def _lines(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return ", ".join(str(detail["line_number"]) for detail in details)


class _DirectImports(Contract):
    """Base: a subclass lists the direct imports that may not be."""

    def illegal(self, graph: ImportGraph) -> Illegal:
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - the library's call
        found = [(link, _lines(graph, *link)) for link in sorted(self.illegal(graph))]
        return ContractCheck(kept=not found, metadata={"illegal": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for (importer, imported), lines in check.metadata["illegal"]:
            output.print_error(f"- {importer} -> {imported} (l.{lines})", bold=False)
        output.new_line()


class PrivateModels(_DirectImports):
    """`X.models` is imported only inside X; the apps listed as `open` publish theirs."""

    type_name = "private_models"
    open = fields.ListField(subfield=fields.StringField(), required=False)

    def illegal(self, graph: ImportGraph) -> Illegal:
        published = cast("list[str]", self.open or [])
        closed = [
            module
            for module in graph.modules
            if module.split(".")[1:2] == ["models"] and module.split(".")[0] not in published
        ]
        return [
            (importer, module)
            for module in closed
            for importer in graph.find_modules_that_directly_import(module)
            if not within(importer, module.split(".")[0])
        ]


class Vendors(_DirectImports):
    """`allowed` says for each SDK which packages may import it, as `sdk: package, package`."""

    type_name = "vendors"
    allowed = fields.ListField(subfield=fields.StringField())

    def illegal(self, graph: ImportGraph) -> Illegal:
        found = []
        for entry in cast("list[str]", self.allowed):
            vendor, _, homes = entry.partition(":")
            if vendor not in graph.modules:
                continue
            allowed = [home.strip() for home in homes.split(",")]
            found += [
                (importer, vendor)
                for importer in graph.find_modules_that_directly_import(vendor)
                if not any(within(importer, home) for home in allowed)
            ]
        return found
