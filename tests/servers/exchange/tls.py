"""Certificates of a made-up authority, new in each run: for the server, and for a client that logs in with one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """PEM files.

    :param authority: what clients must trust.
    :param server: certificate and key of the server in one file.
    :param client: certificate of *account*, and *client_key* its key.
    """

    authority: Path
    server: Path
    client: Path
    client_key: Path

    def context(self) -> ssl.SSLContext:
        """For the server; clients may show a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def binding(self) -> bytes:
        """Channel binding ``tls-server-end-point`` of the server's certificate (RFC 5929 4)."""
        made = x509.load_pem_x509_certificate(self.server.read_bytes())
        return b"tls-server-end-point:" + sha256(made.public_bytes(serialization.Encoding.DER)).digest()


def certificates(folder: Path, account: str) -> Certificates:
    """New ones, good for a day, in *folder*; the client's names *account*."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Byhavn Test CA", key, None, key)
    paths = Certificates(*(folder / name for name in ("ca.pem", "server.pem", "client.pem", "client.key")))
    paths.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    own, shown = _issued("127.0.0.1", authority, key)
    paths.server.write_bytes(shown + own)
    own, shown = _issued(account, authority, key)
    paths.client.write_bytes(shown)
    paths.client_key.write_bytes(own)
    return paths


def _issued(name: str, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """A new key and its certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, authority, signer)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return plain, certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        issuer_name=issuer.subject if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(days=1),
    )
    made = made.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    if name[0].isdigit():
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
    return made.sign(signer, hashes.SHA256())
