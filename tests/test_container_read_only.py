"""The service runs as the container runs it: an unprivileged user, no capability, a root filesystem that is read-only.

There need not be a container engine: bubblewrap makes the same namespaces and mounts. What is run is the command of the
Dockerfile, with its environment, under the restrictions that deploy/compose.yaml and deploy/kubernetes ask for.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from serving import SERVE, TIMEOUT, Started, as_file, draw_lesion, encode, wait_until

USER = 10001
HOME = "/home/lesionlens"
PHOTO = encode(draw_lesion())


def sandbox(*writable: str) -> list[str]:
    """The options of bubblewrap for a read-only root, with fresh memory where something may be written."""
    options = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-user", "--unshare-pid"]
    options += ["--unshare-ipc", "--uid", str(USER), "--gid", str(USER), "--cap-drop", "ALL", "--die-with-parent"]
    for path in writable:
        options += ["--tmpfs", path]
    return options


@pytest.fixture(scope="module", autouse=True)
def _bubblewrap() -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed (Debian's package bubblewrap)")
    tried = subprocess.run([*sandbox("/tmp"), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine lets bubblewrap make no namespaces: {tried.stderr.strip()[:200]}")


@pytest.fixture(scope="module")
def writable(repo_root: Path) -> list[str]:
    """What compose.yaml lets the service write to, less the records' volume."""
    [compose] = yaml.safe_load_all((repo_root / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    paths: list[str] = compose["services"]["lesionlens"]["tmpfs"]
    assert set(paths) == {"/tmp", f"{HOME}/.cache"}
    return ["/tmp", "/home"]  # the home of the image's user is not on this machine: one in memory stands for it


@pytest.fixture(scope="module")
def environment(repo_root: Path) -> dict[str, str]:
    """The environment of the image, on a free port and under loopback."""
    text = (repo_root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").rsplit("\nFROM ", 1)[1]
    [line] = re.findall(r"^ENV (.*)$", text, flags=re.MULTILINE)
    given = dict(re.findall(r"(\S+)=(\S+)", line))
    source = str(repo_root / "src")
    return {
        **given,
        "PATH": "/usr/bin:/bin",
        "HOME": HOME,
        "PORT": "0",
        "PYTHONPATH": source,
        "LESIONLENS_THREADS": "1",
    }


class Contained(Started):
    """`lesionlens serve` in the sandbox."""

    def __init__(self, writable: list[str], environment: dict[str, str]) -> None:
        command = [*sandbox(*writable), sys.executable, "-c", SERVE, "serve"]
        super().__init__(command, env=environment, cwd="/")

    def url(self) -> str:
        """Its address from here: it listens on every one."""
        return super().url().replace("0.0.0.0", "127.0.0.1")

    def inner(self) -> int:
        """The process id of the service itself, below bubblewrap."""
        pid = self.process.pid
        while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = int(children[0])
        return pid


@pytest.fixture(scope="module")
def service(writable: list[str], environment: dict[str, str]) -> Iterator[Contained]:
    contained = Contained(writable, environment)
    try:
        url = contained.url()
        wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
        yield contained
    finally:
        contained.end()


def test_it_answers_photos_there(service: Contained) -> None:
    answer = httpx.post(f"{service.url()}/v1/analyses?overlay=top", files=as_file(PHOTO), timeout=TIMEOUT)
    assert answer.status_code == 200
    assert answer.json()["overlays"]
    assert httpx.post(f"{service.url()}/predict", files=as_file(PHOTO), timeout=TIMEOUT).json()["gradcam"]
    assert httpx.get(f"{service.url()}/").status_code == 200
    assert httpx.get(f"{service.url()}/metrics").status_code == 200


def test_it_is_nobody_in_particular(service: Contained) -> None:
    status = Path(f"/proc/{service.inner()}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"


def test_it_has_left_nothing_outside_its_memory(service: Contained, writable: list[str]) -> None:
    mounts = Path(f"/proc/{service.inner()}/mounts").read_text().splitlines()
    by_path = {path: (kind, options.split(",")) for _, path, kind, options, *_ in map(str.split, mounts)}
    assert "ro" in by_path["/"][1]
    for path in writable:
        assert by_path[path][0] == "tmpfs"


def test_it_said_nothing_of_a_failure(service: Contained) -> None:
    levels = [json.loads(line).get("level") for line in service.lines if line.startswith("{")]
    assert levels
    assert not {"error", "critical"} & set(levels)
    assert not any("Traceback" in line or "Read-only file system" in line for line in service.lines)


def test_the_sandbox_does_hold(writable: list[str]) -> None:
    """A control: a program in it can write nowhere else, and is not root."""
    program = (
        "import os, sys\n"
        "assert os.getuid() == 10001\n"
        "open('/tmp/may', 'w').close()\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        open(path, 'w').close()\n"
        "    except OSError:\n"
        "        continue\n"
        "    sys.exit(path)\n"
    )
    refused = ["/etc/lesionlens-test", "/usr/lesionlens-test", str(Path(__file__).parent / "lesionlens-test")]
    done = subprocess.run(
        [*sandbox(*writable), sys.executable, "-c", program, *refused], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
