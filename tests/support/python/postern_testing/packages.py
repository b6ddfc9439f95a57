"""Packages of Debian 12 in a private root: nothing is installed, no daemon of the machine is started or touched."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path


def unpacked(cache: Path, packages: list[str], without: tuple[str, ...] = ()) -> Path:
    """The packages and those of their dependencies that this machine lacks, unpacked below `cache`; fetched once.

    `without`: beginnings of names of dependencies that nobody here runs, such as a mail transport agent."""
    root = cache / "root"
    if root.exists():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _unpack(_fetch(cache, packages, without), cache, root)
    return root


def copy_programs(root: Path, folder: Path) -> None:
    """For a program that runs as a user who may not come to where the private root is."""
    for part in ("usr/lib", "usr/libexec", "usr/sbin", "usr/bin", "lib"):
        if (root / part).exists():
            shutil.copytree(root / part, folder / part, symlinks=True)


def library_path(root: Path) -> str:
    """For LD_LIBRARY_PATH: where the libraries of a private root lie."""
    folders = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu"), root / "usr/lib"]
    return ":".join(str(folder) for folder in folders)


def _fetch(cache: Path, packages: list[str], without: tuple[str, ...]) -> list[Path]:
    folder = cache / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    failure = _download(packages, without, folder)
    if failure and os.geteuid() == 0:  # a fresh machine has no package lists, another one old ones
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        failure = _download(packages, without, folder)
    if failure:
        raise RuntimeError(f"apt-get does not fetch {packages} (is `apt-get update` needed?):\n{failure}")
    return sorted(folder.glob("*.deb"))


def _download(packages: list[str], without: tuple[str, ...], folder: Path) -> str:
    """What apt-get complains of; nothing if it has fetched them."""
    plan = _apt(["-s", "install", "--no-install-recommends", *packages], folder)
    if plan.returncode != 0:
        return plan.stderr
    missing = {line.split()[1] for line in plan.stdout.splitlines() if line.startswith("Inst ")}
    wanted = {package for package in missing if not package.startswith(without)} if without else missing
    fetched = _apt(["download", *sorted(wanted | set(packages))], folder)
    return "" if fetched.returncode == 0 else fetched.stderr or "apt-get download failed"


def _apt(arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(["apt-get", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def _unpack(packages: list[Path], cache: Path, root: Path) -> None:
    partial = cache / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    for package in packages:
        subprocess.run(["dpkg", "-x", package, partial], check=True)
    partial.rename(root)
