"""What a user would put in front of a mail store, each in its best configuration, in the foreground and on ports of its
own. All of them log sessions, as an operator needs it, to a file."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from postern_testing.dovecot import Dovecot
from postern_testing.gateway import backend, binary, configuration, imap_backend, parse_logfmt
from postern_testing.packages import library_path
from postern_testing.process import dies_with_parent, end_group, free_port, greets, group_members

PACKAGES = ["nginx-light", "libnginx-mod-mail", "perdition", "haproxy", "stunnel4"]
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 20.0  # seconds


@dataclass
class Site:
    """Where everything is: packages unpacked, a certificate, and the CPU for whatever is measured."""

    folder: Path
    peers_root: Path
    dovecot_root: Path
    certificate: tuple[Path, Path]
    gateway_cpu: str
    other_cpu: str


class Peer:
    """A program that is measured, while it runs. `tls` and `plain` are its ports; 0 for what it does not have."""

    name: str
    tls = 0
    plain = 0
    process: subprocess.Popen | None = None

    def __enter__(self) -> "Peer":
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        if self.process:
            end_group(self.process)

    def cpu_seconds(self) -> float:
        """CPU time of all its processes, ended ones too."""
        ticks = 0
        for text in self.read_of_all("stat"):
            fields = text.rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])  # its own, and of children that it waited for
        return ticks / TICKS

    def pss_kib(self) -> int:
        """The memory of all its processes; what they share is counted once."""
        texts = self.read_of_all("smaps_rollup")
        return sum(int(found[1]) for text in texts if (found := re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)))

    def members(self) -> list[int]:
        return group_members(self.process.pid)

    def read_of_all(self, name: str) -> list[str]:
        """That file of /proc, of each of its processes; of one that has ended meanwhile, nothing."""
        texts = []
        for process in self.members():
            try:
                texts.append(Path(f"/proc/{process}/{name}").read_text())
            except OSError:
                pass
        return texts


class Program(Peer):
    """A peer that is one command. `command` is told its ports and writes its configuration."""

    def __init__(self, name: str, site: Site, store: "Store") -> None:
        self.name, self.site, self.store = name, site, store
        self.folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-", dir=site.folder))
        self.folder.chmod(0o777)
        self.log = self.folder / "log"

    def command(self) -> list[object]:
        raise NotImplementedError

    def __enter__(self) -> "Program":
        self.plain, self.tls = free_port(), free_port()
        self.process = self.start(self.command())
        if not greets(self.process, self.plain, b"+OK", PATIENCE):
            end_group(self.process)
            raise RuntimeError(f"{self.name} does not start:\n{self.log.read_text()}")
        return self

    def start(self, command: list[object]) -> subprocess.Popen:
        return subprocess.Popen(
            dies_with_parent(["taskset", "-c", self.site.gateway_cpu, *map(str, command)]),
            env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": library_path(self.site.peers_root)},
            stdin=subprocess.DEVNULL,
            stdout=open(self.log, "ab"),  # noqa: SIM115  (handed to the child)
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


class Store(Program):
    """The synthetic store, which also serves POP3 over TLS itself: what no gateway can be cheaper than."""

    def __init__(self, name: str, site: Site, distance: int, cpu: str) -> None:
        super().__init__(name, site, self)
        self.distance, self.cpu = distance, cpu
        self.imap = 0

    def command(self) -> list[object]:
        cert, key = self.site.certificate
        program = binary().parents[2] / "tests/bench/bench_store"
        return ["taskset", "-c", self.cpu, program, "--cert", cert, "--key", key, "--distance", self.distance]

    def __enter__(self) -> "Store":
        self.process = self.start(self.command())
        lines = wait_for(self.process, self.log, lambda text: text.splitlines() if "ready" in text else None)
        ports = dict(line.split() for line in lines if " " in line)
        self.plain, self.imap, self.tls = (int(ports[name]) for name in ("pop3", "imap", "pop3s"))
        return self


class Postern(Program):
    """`protocol` is what it speaks to the store: "pop3", passed on, or "imap", translated."""

    def __init__(self, name: str, site: Site, store: Store, protocol: str, threads: int = 1) -> None:
        super().__init__(name, site, store)
        self.protocol, self.threads = protocol, threads

    def command(self) -> list[object]:
        cert, key = self.site.certificate
        shutil.copy(cert, self.folder / "cert.pem")
        shutil.copy(key, self.folder / "key.pem")
        leg = backend(self.store.plain) if self.protocol == "pop3" else imap_backend(self.store.imap)
        config = configuration(
            [leg],
            self.folder,
            runtime={"threads": self.threads},
            store={"file": str(self.folder / "store.db")},
        )
        return [binary(), "-c", self.write("postern.yaml", yaml.safe_dump(config, sort_keys=False))]

    def __enter__(self) -> "Postern":
        self.process = self.start(self.command())
        text = wait_for(self.process, self.log, lambda text: text if "event=started" in text else None)
        entries = [parse_logfmt(line) for line in text.splitlines()]
        listening = {entry["listener"]: entry["address"] for entry in entries if entry.get("event") == "listening"}
        self.tls, self.plain = (int(listening[name].rpartition(":")[2]) for name in ("pop3s", "plain"))
        return self


class Nginx(Program):
    """The mail proxy, with the HTTP server that it asks for the store in the same nginx."""

    def __init__(self, name: str, site: Site, store: Store, workers: int = 1) -> None:
        super().__init__(name, site, store)
        self.workers = workers

    def command(self) -> list[object]:
        cert, key = self.site.certificate
        modules = self.site.peers_root / "usr/lib/nginx/modules"
        text = NGINX.format(
            folder=self.folder, modules=modules, workers=self.workers, cert=cert, key=key, tls=self.tls,
            plain=self.plain, auth=free_port(), store=self.store.plain,
        )  # fmt: skip
        return [self.site.peers_root / "usr/sbin/nginx", "-p", self.folder, "-c", self.write("nginx.conf", text)]


NGINX = """
daemon off;
user root;
worker_processes {workers};
load_module {modules}/ngx_mail_module.so;
error_log {folder}/error.log info;
pid {folder}/pid;
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
mail {{
  auth_http 127.0.0.1:{auth}/;
  proxy_pass_error_message on;
  ssl_certificate {cert};
  ssl_certificate_key {key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:mail:10m;
  server {{ listen 127.0.0.1:{plain}; protocol pop3; }}
  server {{ listen 127.0.0.1:{tls} ssl; protocol pop3; }}
}}
http {{
  access_log off;
  client_body_temp_path {folder}/a;
  proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d;
  scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{auth};
    location / {{
      add_header Auth-Status OK;
      add_header Auth-Server 127.0.0.1;
      add_header Auth-Port {store};
      return 204;
    }}
  }}
}}
"""


class Haproxy(Program):
    """Raw: TLS on one side, octets on the other."""

    def command(self) -> list[object]:
        cert, key = self.site.certificate
        pair = self.write("pair.pem", cert.read_text() + key.read_text())
        text = HAPROXY.format(pair=pair, tls=self.tls, plain=self.plain, store=self.store.plain)
        return [self.site.peers_root / "usr/sbin/haproxy", "-db", "-f", self.write("haproxy.cfg", text)]


HAPROXY = """
global
  nbthread 1
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode tcp
  timeout connect 10s
  timeout client 600s
  timeout server 600s
frontend plain
  bind 127.0.0.1:{plain}
  default_backend store
frontend tls
  bind 127.0.0.1:{tls} ssl crt {pair}
  default_backend store
backend store
  server store 127.0.0.1:{store}
"""


class Stunnel(Program):
    """Raw as well, with a thread for each connection; TLS is all it does."""

    def __enter__(self) -> "Stunnel":
        self.tls = free_port()
        self.process = self.start(self.command())
        wait_for(self.process, self.log, lambda text: "Configuration successful" in text)
        return self

    def command(self) -> list[object]:
        cert, key = self.site.certificate
        text = STUNNEL.format(cert=cert, key=key, tls=self.tls, store=self.store.plain)
        return [self.site.peers_root / "usr/bin/stunnel4", self.write("stunnel.conf", text)]


STUNNEL = """
foreground = yes
pid =
debug = notice
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[tls]
accept = 127.0.0.1:{tls}
connect = 127.0.0.1:{store}
cert = {cert}
key = {key}
"""


class Perdition(Program):
    """A process for each connection; one program for each port."""

    def command(self) -> list[object]:
        self.other = self.start(self.one(self.tls, "ssl_listen"))
        return self.one(self.plain, "none")

    def one(self, port: int, mode: str) -> list[object]:
        cert, key = self.site.certificate
        options = {
            "config_file": "/dev/null", "bind_address": "127.0.0.1", "listen_port": port, "outgoing_port": self.store.plain,
            "outgoing_server": "127.0.0.1", "map_library": "", "connection_limit": 0, "username": "root", "group": "root",
            "pid_file": self.folder / f"pid-{port}", "ssl_mode": mode, "ssl_cert_file": cert, "ssl_key_file": key,
            "protocol": "POP3S" if mode == "ssl_listen" else "POP3",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        program = self.site.peers_root / "usr/sbin/perdition.pop3"
        return [program, "--no_daemon", "--no_lookup", "--ssl_no_cert_verify", "--ssl_no_client_cert_verify", *words]

    def __exit__(self, *_: object) -> None:
        end_group(self.other)
        super().__exit__()

    def members(self) -> list[int]:
        return super().members() + group_members(self.other.pid)


class DovecotPeer(Peer):
    """Dovecot as a gateway: of POP3, by its login processes alone, or of IMAP, by imapc."""

    def __init__(self, name: str, site: Site, store: Store, protocol: str) -> None:
        self.name, self.site = name, site
        if protocol == "pop3":
            passdb = f"driver = static\n  args = proxy=y nopassword=y host=127.0.0.1 port={store.plain}"
            settings = DOVECOT_LOGIN
        else:
            passdb = "driver = static\n  args = nopassword=y"
            settings = DOVECOT_LOGIN + DOVECOT_IMAPC.format(port=store.imap)
        pair = site.certificate
        self.server = Dovecot(site.dovecot_root, {}, pair, settings=settings, passdb=passdb)

    def __enter__(self) -> "DovecotPeer":
        self.server.__enter__()
        self.process = self.server.process
        for process in group_members(self.process.pid):
            subprocess.run(["taskset", "-a", "-cp", self.site.gateway_cpu, str(process)], check=True, stdout=subprocess.DEVNULL)
        self.plain, self.tls = self.server.ports.pop3, self.server.ports.pop3s
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()


# High-performance mode: one login process for each core serves all sessions.
DOVECOT_LOGIN = """
ssl_min_protocol = TLSv1.2
default_vsz_limit = 1G
service pop3-login {
  process_min_avail = 1
  process_limit = 1
  client_limit = 20000
}
service anvil {
  client_limit = 20000
}
service auth {
  client_limit = 20000
}
"""

# A session needs a process; that serves the next ones too.
DOVECOT_IMAPC = """
mail_location = imapc:~/imapc
imapc_host = 127.0.0.1
imapc_port = {port}
imapc_password = secret
imapc_features = rfc822.size fetch-headers
service pop3 {{
  service_count = 1000
  process_limit = 2000
  process_min_avail = 8
}}
"""


def wait_for(process: subprocess.Popen, log: Path, find) -> object:
    """What `find` finds in the log, once it is something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := find(log.read_text()):
            return found
        time.sleep(0.02)
    end_group(process)
    raise RuntimeError(f"{process.args} does not start:\n{log.read_text()}")
