"""The process: command line, configuration check, reload, admin port."""

import re
import socket
import ssl
import subprocess

import pytest
import yaml

from postern_testing.certificates import self_signed
from postern_testing.client import Client, eventually
from postern_testing.gateway import backend, binary, check, configuration
from postern_testing.scripted import Store


@pytest.fixture
def config(tmp_path) -> dict:
    """A configuration without mistakes, its certificate in place."""
    cert, key = self_signed(tmp_path)
    cert.rename(tmp_path / "cert.pem")
    key.rename(tmp_path / "key.pem")
    return configuration([backend(1110)], tmp_path)


@pytest.fixture
def file(tmp_path):
    def write(config: dict | str):
        path = tmp_path / "postern.yaml"
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))
        return path

    return write


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=20, check=False)


# Command line


def test_version_is_told():
    done = run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"postern \d+\.\d+\.\d+.*", done.stdout.splitlines()[0])


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["frobnicate"]])
def test_wrong_usage_is_told(arguments):
    done = run(*arguments)
    assert done.returncode == 64
    assert done.stderr


def test_port_that_is_taken_is_told(config, file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config["listeners"][2]["bind"] = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("-c", str(file(config)))
    assert done.returncode == 69


# postern check


def test_check_accepts_a_good_file(config, file):
    assert check(file(config)) == (0, "")


MISTAKES = {
    "unknown-key": lambda c: c["limits"].update(idle_timeot="5m"),
    "wrong-type": lambda c: c["runtime"].update(threads="many"),
    "out-of-range": lambda c: c["limits"].update(idle_timeout="1s"),
    "unknown-backend": lambda c: c["routes"].append({"match": {"domain": "example.net"}, "backend": "stroe"}),
    "unknown-profile": lambda c: c["listeners"][0].update(profile="nope"),
    "duplicate-listener": lambda c: c["listeners"].append(dict(c["listeners"][0])),
    "missing-certificate": lambda c: c["tls"]["profiles"]["default"]["certificates"][0].update(cert="nope.pem"),
    "no-listeners": lambda c: c.update(listeners=[]),
    "no-backends": lambda c: c.pop("backends"),
}


@pytest.mark.parametrize("change", MISTAKES.values(), ids=MISTAKES.keys())
def test_check_tells_where_a_mistake_is(config, file, change):
    change(config)
    status, said = check(file(config))
    assert status == 78
    assert said.splitlines()
    for line in said.splitlines():
        assert re.match(r".*postern\.yaml:\d+:\d+: \S", line), said


def test_check_names_line_and_column(config, file):
    text = yaml.safe_dump(config, sort_keys=False)
    lines = text.splitlines()
    number = lines.index("limits:") + 1
    lines.insert(number, "  idle_timeot: 5m")
    status, said = check(file("\n".join(lines) + "\n"))
    assert status == 78
    assert re.search(rf"postern\.yaml:{number + 1}:3: .*idle_timeot", said), said


def test_check_tells_all_mistakes_at_once(config, file):
    for change in (MISTAKES["unknown-key"], MISTAKES["unknown-backend"]):
        change(config)
    status, said = check(file(config))
    assert status == 78
    assert "idle_timeot" in said and "stroe" in said


@pytest.mark.parametrize("text", ["version: 1\nlisteners: [\n", "\t- x\n", "", "version: 2\n", "just text\n"])
def test_check_survives_what_is_no_configuration(file, text):
    status, said = check(file(text))
    assert status == 78
    assert "postern.yaml:" in said


def test_check_tells_of_a_certificate_that_does_not_fit_its_key(config, file, tmp_path, certificates):
    (tmp_path / "key.pem").write_bytes(certificates.rsa.key.read_bytes())
    status, said = check(file(config))
    assert status == 78
    assert re.search(r"postern\.yaml:\d+:\d+: ", said)


def test_file_that_is_not_there_is_told(tmp_path):
    status, said = check(tmp_path / "nothing.yaml")
    assert status != 0
    assert "nothing.yaml" in said


def test_program_does_not_start_with_a_bad_file(config, file):
    MISTAKES["unknown-key"](config)
    done = run("-c", str(file(config)))
    assert done.returncode == 78
    assert "idle_timeot" in done.stderr


# Reload


def test_reload_sends_new_sessions_to_the_new_backend(gateway, upstream, connect):
    first, second = upstream(Store([b"Subject: a\r\n\r\n"])), upstream(Store())
    running = gateway(first)
    old = connect(running)
    old.login()
    running.config["backends"] = [backend(second.port)]
    assert running.reload(running.config)["level"] == "info"
    new = connect(running)
    assert new.login().startswith(b"+OK")
    assert (first.connections, second.connections) == (1, 1)
    assert old.command("STAT") == b"+OK 1 14", "a session goes on with what it began with"
    assert running.metric("postern_config_last_reload_successful") == 1


def test_reload_of_a_bad_file_changes_nothing(gateway, upstream, connect):
    running = gateway(upstream(Store()))
    assert running.reload("version: 1\nlisteners: [\n")["level"] == "error"
    assert running.metric("postern_config_last_reload_successful") == 0
    assert connect(running).login().startswith(b"+OK")
    running.write(running.config)
    assert running.reload()["level"] == "info"
    assert running.metric("postern_config_last_reload_successful") == 1


def test_reload_shows_a_renewed_certificate(gateway, upstream, tmp_path, certificates):
    running = gateway(upstream(Store()))
    (tmp_path / "cert.pem").write_bytes(certificates.rsa.cert.read_bytes())
    (tmp_path / "key.pem").write_bytes(certificates.rsa.key.read_bytes())
    running.reload()

    def shown() -> bytes:
        with Client(running.ports["pop3s"], certificates.client_context()) as client:
            return client.socket.getpeercert(binary_form=True)

    eventually(lambda: shown() == ssl.PEM_cert_to_DER_cert(certificates.rsa.cert.read_text()), "the new certificate")


def test_reload_keeps_sessions(gateway, upstream, connect):
    running = gateway(upstream(Store([b"Subject: a\r\n\r\n"])))
    clients = [connect(running, listener) for listener in ("plain", "pop3s") for _ in range(5)]
    for client in clients:
        client.login()
    for _ in range(3):
        running.reload()
    for client in clients:
        assert client.command("STAT") == b"+OK 1 14"
        assert client.command("QUIT").startswith(b"+OK")


def test_reload_changes_limits(gateway, upstream, connect):
    running = gateway(upstream(Store()))
    running.config["limits"]["max_sessions"] = 1
    running.reload(running.config)
    connect(running)
    assert connect(running).greeting.startswith(b"-ERR [SYS/TEMP]")


# Admin port


def test_health_is_told(gateway, upstream):
    running = gateway(upstream(Store()))
    assert running.get("/healthz")[0] == 200
    assert running.get("/readyz")[0] == 200
    assert running.get("/nothing")[0] == 404


def test_metrics_are_complete_from_the_start(gateway, upstream):
    running = gateway(upstream(Store()))
    assert running.metric("postern_build_info") == 1
    assert running.metric("process_open_fds") > 3
    assert running.metric("postern_backend_logins_total", backend="store", result="ok") == 0
    assert running.metric("postern_listener_connections_total", listener="pop3s") == 0
    assert running.metric("postern_tls_certificate_not_after_timestamp_seconds", profile="default") > 1.7e9


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ],
)
def test_admin_port_survives_nonsense(gateway, upstream, octets):
    running = gateway(upstream(Store()))
    with Client(running.ports["admin"], greet=False) as client:
        try:
            client.send(octets)
        except OSError:
            pass
        assert b" 200 " not in client.rest().partition(b"\r\n")[0]
    assert running.get("/healthz")[0] == 200


def test_admin_port_is_closed_to_others(gateway, upstream):
    running = gateway(upstream(Store()), admin={"allow_from": ["192.0.2.0/24"]})
    assert running.get("/metrics")[0] == 403
