"""The demo behind deploy/demo, once postern is built: starts a store and the gateway, shows a fetch, then waits."""

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from postern_testing.certificates import self_signed
from postern_testing.dovecot import Dovecot, private_root
from postern_testing.gateway import REPOSITORY, Gateway, backend, configuration

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
USER, PASSWORD = "ann@example.net", "correct-horse"
MAILBOX = [
    b"""From: Postern <postmaster@example.net>
To: Ann <ann@example.net>
Subject: Welcome
Date: Thu, 01 Jan 2026 09:00:00 +0000

Hello Ann,

this message lies in a mail store that speaks plaintext POP3 on a port that
only the gateway knows. You are reading it over TLS, through postern.
.
(The line above holds a single dot: it was doubled on its way, and undone.)
""",
    b"""From: Bob <bob@example.net>
To: Ann <ann@example.net>
Subject: Lunch?
Date: Fri, 02 Jan 2026 11:30:00 +0000

At one, at the usual place? I bring the parcel.

Bob
""",
    """From: Ünal <unal@example.net>
To: Ann <ann@example.net>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Sat, 03 Jan 2026 20:15:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße aus Çeşme, Ünal
""".encode(),
]


def say(text: str = "") -> None:
    print(text, flush=True)


def fetch_command(port: int, certificate: Path) -> list[str]:
    login = f"{USER}:{PASSWORD}"
    return ["curl", "-sS", "--cacert", str(certificate), "-u", login, f"pop3s://localhost:{port}/1"]


def show_addresses(store: Dovecot, gateway: Gateway, certificate: Path) -> None:
    ports = gateway.ports
    say(
        f"""
  POP3S          localhost:{ports['pop3s']}
  POP3 and STLS  localhost:{ports['pop3']}
  Metrics        http://127.0.0.1:{ports['admin']}/metrics
  Mail store     127.0.0.1:{store.ports.pop3} (Dovecot, plaintext)
  User           {USER}
  Password       {PASSWORD}
  Certificate    {certificate}
  Configuration  {gateway.file}

Try these in another terminal:

  {shlex.join(fetch_command(ports['pop3s'], certificate))}
  curl -sS --ssl-reqd --cacert {certificate} -u {USER}:{PASSWORD} pop3://localhost:{ports['pop3']}/
  openssl s_client -quiet -crlf -CAfile {certificate} -connect localhost:{ports['pop3s']}
  openssl s_client -quiet -crlf -CAfile {certificate} -starttls pop3 -connect localhost:{ports['pop3']}
  curl -s http://127.0.0.1:{ports['admin']}/metrics | grep '^postern_'
"""
    )


def start(stack: ExitStack) -> tuple[Dovecot, Gateway, Path]:
    folder = Path(tempfile.mkdtemp(prefix="postern-demo-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    certificate, key = self_signed(folder, "DNS:localhost,IP:127.0.0.1")
    say("Starting a mail store (Dovecot, fetched from Debian, not installed)")
    root = private_root(REPOSITORY / "build/cache/dovecot")
    store = stack.enter_context(Dovecot(root, {USER: PASSWORD}, mailboxes={USER: MAILBOX}))
    say("Starting postern in front of it")
    config = configuration([backend(store.ports.pop3)], folder)
    profile = {"certificates": [{"cert": str(certificate), "key": str(key)}]}
    config["tls"]["profiles"] = {"default": profile}
    config["listeners"] = [entry for entry in config["listeners"] if entry["tls"] != "none"]
    gateway = stack.enter_context(Gateway(config, folder, quiet=True))
    return store, gateway, certificate


def fetch(store: Dovecot, gateway: Gateway, certificate: Path) -> int:
    command = fetch_command(gateway.ports["pop3s"], certificate)
    say(f"\n$ {shlex.join(command)}\n")
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        say(f"\nThe fetch failed with status {status}.\n{gateway.report()}\n--- Dovecot:\n{store.log}")
    return status


def interrupt_once(*_: object) -> None:
    """The first signal ends the demo; a second one must not disturb the cleaning up."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def main() -> int:
    for number in SIGNALS:
        signal.signal(number, interrupt_once)
    once = "--once" in sys.argv[1:]
    try:
        with ExitStack() as stack:
            store, gateway, certificate = start(stack)
            status = fetch(store, gateway, certificate)
            if once or status != 0:
                return status
            show_addresses(store, gateway, certificate)
            say("Running until Ctrl-C.")
            gateway.process.wait()
            say(f"postern has ended by itself.\n{gateway.report()}")
            return 1
    except KeyboardInterrupt:
        say("\nEverything is stopped and removed.")
        return 0
    except (RuntimeError, AssertionError, OSError) as error:
        say(f"The demo failed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
