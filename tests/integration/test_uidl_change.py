"""Unique-ids are a contract: who would break it is stopped, at the start, at a reload and by `check`."""

import re
import subprocess

import pytest

from postern_testing.gateway import backend, binary

ACCEPT = "--accept-uidl-change"
DEFAULT = "%{uid:08x}%{uidvalidity:08x}"


def imap(uidl: str | None = None, name: str = "store") -> dict:
    """A backend that nobody asks for anything."""
    section = {"imap": {"uidl": uidl}} if uidl else {}
    return backend(1143, name=name, protocol="imap", **section)


@pytest.fixture
def store(tmp_path) -> dict:
    return {"file": f"{tmp_path}/store.db"}


@pytest.fixture
def served(gateway, store):
    """served(backend, ...): a gateway with the store's file that has run and ended; what it left in its folder."""

    def run_once(*backends: dict, arguments: tuple[str, ...] = ()):
        running = gateway(*backends, arguments=arguments, store=store)
        running.terminate()
        running.wait()
        return running

    return run_once


def run(running, *backends: dict, arguments: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """The program with these backends, expected to end by itself; `running` tells where the configuration is."""
    config = {**running.config, "backends": list(backends)}
    running.write(config)
    command = [binary(), *arguments, "-c", str(running.file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def place_of(running, line: str, column: int) -> str:
    """FILE:LINE:COLUMN of the first line of the configuration that begins so."""
    lines = running.file.read_text().splitlines()
    number = next(i for i, text in enumerate(lines, 1) if text.startswith(line))
    return f"{running.file}:{number}:{column}: "


def test_the_same_template_starts_again(served):
    served(imap())
    again = served(imap())
    assert not again.events("uidl_changed")


@pytest.mark.parametrize(
    "before, after",
    [(DEFAULT, "%{uid}"), ("%{uid:x}", "%{uid}"), ("%{uid:08x}", "%{uid:07x}"), ("u%{uid}", "U%{uid}")],
    ids=["another", "base", "width", "case"],
)
def test_another_template_is_refused_with_its_place(served, before, after):
    running = served(imap(before))
    done = run(running, imap(after))
    assert done.returncode == 78
    assert "event=config_error" in done.stdout
    assert place_of(running, "    uidl: ", 11) + "backends[].imap.uidl: found" in done.stdout
    assert f"found '{after}' for 'store', expected '{before}' as served before; start with {ACCEPT}" in done.stdout


def test_a_template_that_was_taken_away_is_refused_with_the_place_of_the_backend(served):
    running = served(imap("%{uid}"))
    done = run(running, imap())
    assert done.returncode == 78
    assert place_of(running, "- name: store", 3) in done.stdout


@pytest.mark.parametrize(
    "before, after",
    [("%{uid:x}", "%{uid:01x}"), (DEFAULT, None), ("%{header:X-UIDL}", "%{header:x-uidl}")],
    ids=["width-of-one", "default", "header"],
)
def test_another_spelling_of_the_same_ids_is_no_change(served, before, after):
    served(imap(before))
    assert not served(imap(after)).events("uidl_changed")
    assert not served(imap(before)).events("uidl_changed")


def test_the_flag_accepts_a_change_once_and_for_all(served):
    served(imap())
    accepted = served(imap("%{uid}"), arguments=(ACCEPT,))
    [line] = accepted.events("uidl_changed")
    assert (line["level"], line["backend"], line["was"], line["is"]) == ("warn", "store", DEFAULT, "%{uid}")
    assert not served(imap("%{uid}")).events("uidl_changed")
    assert run(accepted, imap()).returncode == 78, "the new one is the contract now"


def test_the_flag_without_a_change_is_nothing(served):
    served(imap())
    assert not served(imap(), arguments=(ACCEPT,)).events("uidl_changed")


def test_a_refused_start_changes_nothing(served):
    running = served(imap())
    for _ in range(2):
        assert run(running, imap("%{uid}")).returncode == 78
    served(imap())


def test_all_mistakes_of_a_start_are_told(served):
    running = served(imap(), imap(name="other"))
    done = run(running, imap("%{uid}"), imap("%{uid:x}", name="other"))
    assert done.returncode == 78
    assert len(re.findall("event=config_error", done.stdout)) == 2


def test_a_new_backend_is_remembered_and_one_that_comes_back_is_known(served):
    served(imap())
    running = served(imap(), imap("%{uid}", name="new"))
    served(imap())
    assert run(running, imap(), imap("%{uid:x}", name="new")).returncode == 78
    served(imap(), imap("%{uid}", name="new"))


def test_a_reload_does_not_change_templates(gateway, store):
    running = gateway(imap(), store=store)
    running.config["backends"] = [imap("%{uid}")]
    assert running.reload(running.config)["result"] == "failed"
    [line] = running.events("config_error")
    assert line["detail"].startswith(place_of(running, "    uidl: ", 11))
    running.config["backends"] = [imap()]
    assert running.reload(running.config)["result"] == "ok"


def test_the_flag_is_for_the_start_alone(gateway, store):
    running = gateway(imap(), store=store, arguments=(ACCEPT,))
    running.config["backends"] = [imap("%{uid}")]
    assert running.reload(running.config)["result"] == "failed"


def test_a_reload_remembers_a_new_backend(gateway, store):
    running = gateway(imap(), store=store)
    running.config["backends"] = [imap(), imap("%{uid}", name="new")]
    assert running.reload(running.config)["result"] == "ok"
    running.config["backends"] = [imap()]
    assert running.reload(running.config)["result"] == "ok"
    running.config["backends"] = [imap(), imap("%{uid:x}", name="new")]
    assert running.reload(running.config)["result"] == "failed"


def test_without_a_file_only_a_reload_is_held_to_it(gateway):
    running = gateway(imap())
    running.config["backends"] = [imap("%{uid}")]
    assert running.reload(running.config)["result"] == "failed"
    running.terminate()
    running.wait()
    gateway(imap("%{uid}"))


def test_a_file_that_cannot_be_read_is_a_warning(served, tmp_path):
    served(imap())
    (tmp_path / "store.db").write_bytes(b"what somebody wrote" * 1000)
    running = served(imap("%{uid}"))
    running.wait_for_event("store_trouble")
    assert {line["level"] for line in running.events("store_trouble")} == {"warn"}


# postern check


def files(folder) -> dict[str, bytes]:
    """The store's files; SQLite's index of the journal is memory that processes share."""
    return {path.name: b"" if path.name.endswith("-shm") else path.read_bytes() for path in folder.glob("store.db*")}


@pytest.mark.parametrize("arguments", [("check",), ("-t",)])
def test_check_tells_a_change_and_touches_nothing(served, tmp_path, arguments):
    running = served(imap())
    before = files(tmp_path)
    assert list(before) == ["store.db"]
    same = run(running, imap(), arguments=arguments)
    assert (same.returncode, same.stderr) == (0, "")
    assert "store.db: unique-ids compared with those served before" in same.stdout
    other = run(running, imap("%{uid}"), arguments=arguments)
    assert other.returncode == 78
    assert place_of(running, "    uidl: ", 11) in other.stderr
    assert files(tmp_path) == before


def test_check_compares_with_a_process_that_runs(gateway, store, tmp_path):
    running = gateway(imap(), store=store)
    before = files(tmp_path)
    assert "store.db-wal" in before
    assert run(running, imap(), arguments=("check",)).returncode == 0
    assert run(running, imap("%{uid}"), arguments=("check",)).returncode == 78
    assert files(tmp_path) == before


def test_check_accepts_what_a_start_with_the_flag_would(served):
    running = served(imap())
    assert run(running, imap("%{uid}"), arguments=("check", ACCEPT)).returncode == 0
    assert run(running, imap("%{uid}"), arguments=("check",)).returncode == 78


def test_check_makes_no_file(served, tmp_path):
    running = served(imap())
    (tmp_path / "store.db").unlink()
    done = run(running, imap("%{uid}"), arguments=("check",))
    assert done.returncode == 0
    assert "store.db: unique-ids not compared: " in done.stdout
    assert files(tmp_path) == {}
