"""The demo behind deploy/demo, once postern is built: one mailbox by two roads, POP3 passed on and IMAP translated.

Starts a store and the gateway, fetches a message by each road, compares, then waits.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from postern_testing.certificates import self_signed
from postern_testing.dovecot import Dovecot, private_root
from postern_testing.gateway import REPOSITORY, Gateway, backend, configuration, imap_backend

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RELAYED, TRANSLATED = "ann@example.net", "ann@imap.example.net"  # the same mailbox; the domain chooses the road
ROADS = (RELAYED, TRANSLATED)
PASSWORD = "correct-horse"
SERVANT = "nobody"  # whom postern becomes when the demo is run by root
MAILBOX = [
    b"""From: Postern <postmaster@example.net>
To: Ann <ann@example.net>
Subject: Welcome
Date: Thu, 01 Jan 2026 09:00:00 +0000

Hello Ann,

this message lies in a mail store that speaks plaintext POP3 and IMAP on ports
that only the gateway knows. You are reading it over TLS, through postern.
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


@dataclass
class Fetched:
    """What came by one road."""

    message: bytes
    sizes: list[str]
    ids: list[str]


def curl_command(user: str, port: int, certificate: Path, what: str = "", *options: str) -> list[str]:
    login = f"{user}:{PASSWORD}"
    url = f"pop3s://localhost:{port}/{what}"
    return ["curl", "-sS", "--cacert", str(certificate), "-u", login, *options, url]


def show_addresses(store: Dovecot, gateway: Gateway, certificate: Path) -> None:
    ports = gateway.ports
    say(
        f"""
  POP3S          localhost:{ports['pop3s']}
  POP3 and STLS  localhost:{ports['pop3']}
  Metrics        http://127.0.0.1:{ports['admin']}/metrics
  Mail store     127.0.0.1:{store.ports.pop3} (POP3), 127.0.0.1:{store.ports.imap} (IMAP), Dovecot, plaintext
  Users          {RELAYED} (POP3, passed on)
                 {TRANSLATED} (IMAP, translated)
  Password       {PASSWORD}
  Certificate    {certificate}
  Configuration  {gateway.file}

Try these in another terminal:

  {shlex.join(curl_command(RELAYED, ports['pop3s'], certificate, "2"))}
  {shlex.join(curl_command(TRANSLATED, ports['pop3s'], certificate, "2"))}
  curl -sS --ssl-reqd --cacert {certificate} -u {TRANSLATED}:{PASSWORD} pop3://localhost:{ports['pop3']}/
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
    passwords = dict.fromkeys(ROADS, PASSWORD)
    store = Dovecot(root, passwords, mailboxes={RELAYED: MAILBOX}, aliases={TRANSLATED: RELAYED})
    stack.enter_context(store)
    say("Starting postern in front of it")
    relayed = backend(store.ports.pop3, name="relayed")
    translated = imap_backend(store.ports.imap, name="translated")
    config = configuration([relayed, translated], folder)
    if os.geteuid() == 0:
        config["runtime"]["user"] = SERVANT
        folder.chmod(0o755)
        shutil.chown(key, SERVANT)  # to be read again by a reload
    else:
        del config["runtime"]["user"]
    config["routes"] = [
        {"match": {"domain": RELAYED.partition("@")[2]}, "backend": "relayed"},
        {"match": {"domain": TRANSLATED.partition("@")[2]}, "backend": "translated"},
    ]
    profile = {"certificates": [{"cert": str(certificate), "key": str(key)}]}
    config["tls"]["profiles"] = {"default": profile}
    config["listeners"] = [entry for entry in config["listeners"] if entry["tls"] != "none"]
    gateway = stack.enter_context(Gateway(config, folder, quiet=True))
    return store, gateway, certificate


def fetch(user: str, port: int, certificate: Path) -> Fetched:
    """The first message and the listings; a failure of curl is a CalledProcessError, and curl has said why."""

    def output(*what: str) -> bytes:
        command = curl_command(user, port, certificate, *what)
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout

    say(f"$ {shlex.join(curl_command(user, port, certificate, '1'))}")
    listings = [output(""), output("", "-X", "UIDL")]  # lines of a number and a size or an id
    return Fetched(output("1"), *(lines.decode().split()[1::2] for lines in listings))


def show_and_compare(relayed: Fetched, translated: Fetched) -> bool:
    """Whether both roads lead to the same."""
    say(f"\n{relayed.message.decode()}")
    roads = (("POP3, passed on", relayed), ("IMAP, translated", translated))
    for name, fetched in roads:
        say(f"{name:18} message 1: {len(fetched.message)} octets")
        for size, unique_id in zip(fetched.sizes, fetched.ids, strict=True):
            say(f"{'':18} LIST {size:>5}   UIDL {unique_id}")
    same = relayed == translated
    say("\nThe same by both roads." if same else "\nThe roads DIFFER: this is a bug.")
    return same


def fetch_by_both_roads(store: Dovecot, gateway: Gateway, certificate: Path) -> bool:
    say()
    try:
        relayed, translated = (fetch(user, gateway.ports["pop3s"], certificate) for user in ROADS)
    except subprocess.CalledProcessError as error:
        say(f"\nThe fetch failed with status {error.returncode}.\n{gateway.report()}\n--- Dovecot:\n{store.log}")
        return False
    return show_and_compare(relayed, translated)


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
            same = fetch_by_both_roads(store, gateway, certificate)
            if once or not same:
                return 0 if same else 1
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
