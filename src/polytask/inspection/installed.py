"""What is installed: for reports of faults, and for the provenance of results."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

__all__ = ["show_versions", "versions_of"]


def versions_of(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of Python, of this package and of others."""
    import polytask

    found = {"python": platform.python_version(), "polytask": polytask.__version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed as a package"
    return found


def show_versions() -> None:
    """Print what a report of a fault should hold: system, packages, libraries of linear algebra.

    Examples
    --------
    >>> from polytask import show_versions
    >>> show_versions()
    system: ...
    """
    import numpy  # noqa: F401 (loads the libraries that are asked about)
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    print(f"system: {platform.platform()}, {platform.machine()}")
    for name, found in versions_of(_declared()).items():
        if not found.startswith("not"):
            print(f"{name}: {found}")
    for info in threadpool_info():
        words = (info.get("internal_api"), info.get("version"), f"{info['num_threads']} threads")
        print(f"{info['user_api']}: {' '.join(str(word) for word in words if word)}")


def _declared() -> tuple[str, ...]:
    """Every package that this one needs, or that one of its extras brings."""
    try:
        declared = requires("polytask") or []
    except PackageNotFoundError:
        declared = []
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in declared]
    return tuple(n for n in dict.fromkeys(names) if n and n != "polytask")
