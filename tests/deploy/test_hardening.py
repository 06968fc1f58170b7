"""What the container may do is as little as it can be, wherever it is run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

SHELL_WORDS = re.compile(r"\b(sh|bash|curl|wget)\b")


@pytest.fixture(scope="module")
def last_stage(repo_root: Path) -> list[tuple[str, str]]:
    """Instructions of the image that runs."""
    text = re.sub(r"^#.*\n", "", (repo_root / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    found = [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]
    return found[max(i for i, (word, _) in enumerate(found) if word == "FROM") :]


@pytest.fixture(scope="module")
def service(repo_root: Path) -> dict[str, Any]:
    """The service of compose.yaml."""
    compose = yaml.safe_load((repo_root / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = compose["services"]["lesionlens"]
    return found


@pytest.fixture(scope="module")
def pod(repo_root: Path) -> dict[str, Any]:
    """The pod of the Kubernetes deployment."""
    text = (repo_root / "deploy" / "kubernetes" / "deployment.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["spec"]["template"]["spec"]
    return found


def test_the_image_needs_no_shell(last_stage: list[tuple[str, str]]) -> None:
    command, check = (dict(last_stage)[word] for word in ("CMD", "HEALTHCHECK"))
    for form in (command, check.partition("CMD ")[2]):
        words = json.loads(form)  # the exec form is JSON; the other one is run by a shell
        assert not SHELL_WORDS.search(" ".join(words))
    assert "ENTRYPOINT" not in dict(last_stage)


def test_the_image_runs_as_a_user_that_cannot_log_in(last_stage: list[tuple[str, str]]) -> None:
    words = [word for word, _ in last_stage]
    user = dict(last_stage)["USER"]
    assert re.fullmatch(r"[1-9]\d{3,}", user)
    [made] = [rest for word, rest in last_stage if word == "RUN"]
    assert f"--uid {user} " in made
    assert "--shell /usr/sbin/nologin" in made
    assert words.index("USER") > words.index("COPY"), (
        "what is copied belongs to root, so that the user cannot change it"
    )
    assert "--chown" not in str(last_stage)


def test_the_image_holds_nothing_but_the_install(last_stage: list[tuple[str, str]]) -> None:
    assert [rest for word, rest in last_stage if word == "COPY"] == ["--from=build /opt/lesionlens /opt/lesionlens"]
    assert not {"ADD", "VOLUME", "ARG"} & {word for word, _ in last_stage}
    assert not re.search(r"apt-get|pip |PASSWORD|SECRET|KEY=", str(last_stage))


def test_compose_gives_it_nothing_to_write_to_but_memory_and_its_records(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert set(service["tmpfs"]) == {"/tmp", "/home/lesionlens/.cache"}
    assert service["volumes"] == [f"photos:{service['environment']['LESIONLENS_DATA_DIR']}"]


def test_compose_takes_all_rights_from_it(service: dict[str, Any], repo_root: Path) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "user"} & set(service)
    assert service["deploy"]["resources"]["limits"]["memory"]
    compose = yaml.safe_load((repo_root / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    for other in compose["services"].values():
        assert other["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "devices"} & set(other)
        assert not any("docker.sock" in volume for volume in other.get("volumes", []))


def test_kubernetes_gives_it_nothing_to_write_to_but_scratch(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/tmp", "/home/lesionlens/.cache"}
    assert all(set(volume) == {"name", "emptyDir"} for volume in pod["volumes"])
    assert all(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"])


def test_kubernetes_takes_all_rights_from_it(pod: dict[str, Any]) -> None:
    """All that the restricted Pod Security Standard asks for, and no token of the cluster."""
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    assert container["resources"]["limits"]["memory"]
    assert not any("hostPort" in port for port in container["ports"])
