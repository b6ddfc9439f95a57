"""Certificates for tests and demo, made by the openssl command."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

NAMES = "DNS:localhost,DNS:pop.example.net,IP:127.0.0.1"


def _openssl(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def self_signed(folder: Path, names: str = NAMES) -> tuple[Path, Path]:
    """A certificate and its key, for whoever has no authority at hand."""
    _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}", "-keyout", "key.pem", "-out", "cert.pem")  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


@dataclass
class Leaf:
    cert: Path
    key: Path

    @property
    def pair(self) -> tuple[Path, Path]:
        return self.cert, self.key

    def place(self, folder: Path) -> None:
        """Where a configuration of the gateway's says that they are."""
        shutil.copy(self.cert, folder / "cert.pem")
        shutil.copy(self.key, folder / "key.pem")

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def pin(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hex."""
        public = _openssl(self.cert.parent, "x509", "-in", self.cert.name, "-noout", "-pubkey")
        (self.cert.parent / "public.pem").write_bytes(public)
        digest = ["pkey", "-pubin", "-in", "public.pem", "-outform", "DER", "-out", "public.der"]
        _openssl(self.cert.parent, *digest)
        return _openssl(self.cert.parent, "dgst", "-sha256", "-r", "public.der").split()[0].decode()


class Certificates:
    """An authority with leaves for `NAMES` (ecdsa, rsa, expired), one for another name, and a leaf of an authority that
    nobody trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = self._authority("ca")
        other = self._authority("other-ca")
        self.ecdsa = self._leaf("ecdsa", self.ca)
        self.rsa = self._leaf("rsa", self.ca, algorithm="rsa:2048")
        self.expired = self._leaf("expired", self.ca, expired=True)
        self.other_name = self._leaf("other-name", self.ca, names="DNS:elsewhere.example.org")
        self.untrusted = self._leaf("untrusted", other)

    def client_context(self, ca: Leaf | None = None) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str((ca or self.ca).cert))

    def until(self, end: datetime) -> Leaf:
        """A leaf for `NAMES` that is good until then, to the second."""
        name = f"until-{end:%H%M%S}"
        self._new_key(name, "ec")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={NAMES}\nextendedKeyUsage=serverAuth\n")
        (self.folder / "issued").write_text("")
        (self.folder / "serial").write_text(f"{end:%Y%m%d%H%M%S}")
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=all\n[all]\ndatabase=issued\nnew_certs_dir=.\nserial=serial\npolicy=any\n[any]\ncommonName=supplied\n"
        )
        start = datetime.now(timezone.utc) - timedelta(days=1)
        _openssl(self.folder, "ca", "-batch", "-config", "ca.cnf", "-cert", self.ca.cert.name, "-keyfile",
                 self.ca.key.name, "-md", "sha256", "-notext", "-extfile", f"{name}.ext", "-startdate",
                 f"{start:%Y%m%d%H%M%SZ}", "-enddate", f"{end.astimezone(timezone.utc):%Y%m%d%H%M%SZ}", "-in",
                 f"{name}.csr", "-out", f"{name}.pem")  # fmt: skip
        return Leaf(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def _new_key(self, name: str, algorithm: str) -> None:
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else []
        _openssl(self.folder, "req", "-newkey", algorithm, *curve, "-nodes", "-subj", f"/CN={name}",
                 "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip

    def _authority(self, name: str) -> Leaf:
        self._new_key(name, "ec")
        extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        extensions += "subjectKeyIdentifier=hash\n"
        return self._sign(name, extensions, ["-signkey", f"{name}.key", "-days", "30"])

    def _leaf(self, name: str, ca: Leaf, algorithm: str = "ec", names: str = NAMES, expired: bool = False) -> Leaf:
        self._new_key(name, algorithm)
        extensions = f"subjectAltName={names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
        extensions += "authorityKeyIdentifier=keyid\n"
        days = "-1" if expired else "30"
        signer = ["-CA", ca.cert.name, "-CAkey", ca.key.name, "-CAcreateserial", "-days", days]
        return self._sign(name, extensions, signer)

    def _sign(self, name: str, extensions: str, signer: list[str]) -> Leaf:
        (self.folder / f"{name}.ext").write_text(extensions)
        request = ["x509", "-req", "-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem"]
        _openssl(self.folder, *request, *signer)
        return Leaf(self.folder / f"{name}.pem", self.folder / f"{name}.key")
