"""A time stamp authority of OpenSSL's."""

import subprocess
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Authority of the tests
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
authorityKeyIdentifier = keyid
[tsa]
serial = serial
signer_cert = stamper.pem
signer_key = stamper.key
certs = root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """A time stamp authority of OpenSSL's, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "config").write_text(CONFIG)
        (folder / "serial").write_text("01\n")
        key = "req -new -config config -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout"
        self.run(f"{key} root.key -x509 -days 30 -extensions root -out root.pem")
        self.run(f"{key} stamper.key -out stamper.csr -subj /CN=Stamper")
        self.run(
            "x509 -req -in stamper.csr -CA root.pem -CAkey root.key -days 30 -extfile config "
            "-extensions stamper -out stamper.pem"
        )

    def run(self, arguments: str) -> int:
        command = ["openssl", *arguments.split()]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode

    def stamp(self, request: bytes) -> bytes:
        """Return the answer to a request."""
        (self.folder / "request").write_bytes(request)
        assert not self.run("ts -reply -config config -section tsa -queryfile request -out answer")
        return (self.folder / "answer").read_bytes()

    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()
