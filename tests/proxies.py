"""HAProxy and nginx as they are shipped, with only addresses, files and users of this machine put in."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import skip_or_fail

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "dashboard" / "deployment"
START_SECONDS = 10
# What nginx has around a site, where nothing may be written but in this folder.
AROUND = """
daemon off;
master_process off;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log off;
    include /etc/nginx/mime.types;
    include {folder}/site.conf;
}}
"""


@dataclass
class Proxy:
    """A proxy that can be started, cut off and started again on the same port."""

    command: Sequence[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the proxy did not start: {self.log.read_text()}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


def free_ports(count: int) -> list[int]:
    """Ports that follow each other and that nothing listens on."""
    for first in range(20_000, 30_000, 97):
        with ExitStack() as probes:
            try:
                for port in range(first, first + count):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return list(range(first, first + count))
    raise RuntimeError("no free ports")


def filled_in(name: str, changes: Mapping[str, str]) -> str:
    """The shipped file with these changes; each must have something to change."""
    text = (SHIPPED / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def _certificate(folder: Path) -> tuple[Path, Path]:
    both, key = folder / "both.pem", folder / "only.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", key, "-out", both,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    with both.open("a") as file:
        file.write(key.read_text())
    return both, key


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path="/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin") is None:
            skip_or_fail(f"{program} is not installed")


def haproxy_command(folder: Path, front: int, plain: int, apps: Sequence[int]) -> list[str]:
    """The command that runs the shipped configuration before these two app processes."""
    _need("haproxy", "openssl")
    both, _ = _certificate(folder)
    changes = {
        # Whoever runs the tests need not be root.
        "    user haproxy\n    group haproxy\n": "",
        "log /dev/log local0": "log stdout format raw local0",
        "bind :443": f"bind 127.0.0.1:{front}",
        "bind :80": f"bind 127.0.0.1:{plain}",
        "/etc/haproxy/certs/dashboard.pem": str(both),
        "127.0.0.1:8501": f"127.0.0.1:{apps[0]}",
        "127.0.0.1:8502": f"127.0.0.1:{apps[1]}",
    }
    config = folder / "haproxy.cfg"
    config.write_text(filled_in("haproxy.cfg", changes))
    return ["/usr/sbin/haproxy", "-db", "-f", str(config)]


def nginx_command(folder: Path, front: int, plain: int, apps: Sequence[int]) -> list[str]:
    """The same for nginx."""
    _need("nginx", "openssl")
    both, key = _certificate(folder)
    changes = {
        "listen 443": f"listen 127.0.0.1:{front}",
        "listen 80": f"listen 127.0.0.1:{plain}",
        "dashboard.example.nhs.uk": "localhost",
        "/etc/nginx/certs/dashboard.pem": str(both),
        "/etc/nginx/certs/dashboard.key": str(key),
        "/var/log/nginx/dashboard.log": str(folder / "access.log"),
        "127.0.0.1:8501": f"127.0.0.1:{apps[0]}",
        "127.0.0.1:8502": f"127.0.0.1:{apps[1]}",
        r"127\.0\.0\.1:8501": rf"127\.0\.0\.1:{apps[0]}",
        r"127\.0\.0\.1:8502": rf"127\.0\.0\.1:{apps[1]}",
    }
    (folder / "site.conf").write_text(filled_in("nginx.conf", changes))
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder))
    return ["/usr/sbin/nginx", "-e", "stderr", "-c", str(config)]


COMMANDS = {"haproxy": haproxy_command, "nginx": nginx_command}


@contextmanager
def proxy(name: str, folder: Path, front: int, plain: int, apps: Sequence[int]) -> Iterator[Proxy]:
    """The named proxy before these app processes, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Proxy(COMMANDS[name](folder, front, plain, apps), front, folder / "proxy.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()
