"""What this machine has. Standard library only: it also runs before any package is installed."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

PANGO_LIBRARIES = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
}
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
OLDEST_NODE = 20
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - only asked about


def has_apt() -> bool:
    """Debian, Ubuntu and what is made from them."""
    return (
        sys.platform == "linux"
        and shutil.which("apt-get") is not None
        and Path("/etc/debian_version").exists()
    )


def missing_pango() -> list[str]:
    """The Debian packages still needed to draw a PDF."""
    if sys.platform != "linux":
        return []
    missing = [package for package, library in PANGO_LIBRARIES.items() if not loads(library)]
    if missing and not Path("/usr/share/fonts/truetype/dejavu").exists():
        missing.append("fonts-dejavu-core")
    return missing


def has_pango() -> bool:
    """Whether WeasyPrint will find its libraries."""
    if sys.platform == "darwin":
        return any(
            Path(folder, "libpango-1.0.dylib").exists() for folder in ("/opt/homebrew/lib", "/usr/local/lib")
        )
    return all(loads(library) for library in PANGO_LIBRARIES.values())


def browser() -> str | None:
    """A Chromium for the browser tests; the one without a window shows a page in two thirds of the time."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def missing_venv() -> list[str]:
    """The Debian package without which its python3 cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        default = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
        return ["python3-venv" if default else f"python3.{sys.version_info.minor}-venv"]
    return []


def has_shared_memory() -> bool:
    """Celery's process pool needs it; without it the worker starts, takes nothing and says nothing."""
    return sys.platform != "linux" or os.access(SHARED_MEMORY, os.W_OK)


def room_in_memory(gigabytes: int = 4) -> Path | None:
    """Where files are kept in memory, when there is that much room for them."""
    folder = Path(SHARED_MEMORY)
    if sys.platform != "linux" or not has_shared_memory():
        return None
    room = shutil.disk_usage(folder).free
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            room = min(room, int(line.split()[1]) * 1024)
    return folder if room >= gigabytes * 2**30 else None


def loads(library: str) -> bool:
    """Whether the loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
