"""A quota of CPU time limits the threads, wherever the kernel says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesionlens.inference.threads import cpu_quota, usable_cpus


def groups(tmp_path: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Lay out control groups as the kernel does."""
    named = tmp_path / "self"
    named.write_text(membership)
    for name, text in files.items():
        path = tmp_path / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return named, tmp_path / "mounted"


@pytest.fixture(autouse=True)
def _sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("text", "quota", "cpus"),
    [("150000 100000", 1.5, 2), ("50000 100000", 0.5, 1), ("max 100000", None, 16), ("nonsense", None, 16)],
)
def test_a_container_of_cgroup_2(tmp_path: Path, text: str, quota: float | None, cpus: int) -> None:
    where = groups(tmp_path, "0::/\n", {"cpu.max": f"{text}\n"})
    assert (cpu_quota(*where), usable_cpus(*where)) == (quota, cpus)


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    files = {"a/b/cpu.max": "400000 100000", "a/cpu.max": "300000 100000", "cpu.max": "max 100000"}
    where = groups(tmp_path, "0::/a/b\n", files)
    assert (cpu_quota(*where), usable_cpus(*where)) == (3.0, 3)


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "cpus"), [("250000", 3), ("-1", 16), ("0", 16)])
def test_a_container_of_cgroup_1(tmp_path: Path, mount: str, quota: str, cpus: int) -> None:
    files = {f"{mount}/cpu.cfs_quota_us": f"{quota}\n", f"{mount}/cpu.cfs_period_us": "100000\n"}
    where = groups(tmp_path, f"9:memory:/x\n1:{mount}:/docker/0123\n0::/\n", files)
    assert usable_cpus(*where) == cpus


def test_without_control_groups_the_affinity_decides(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) is None
    assert usable_cpus(tmp_path / "none", tmp_path) == 16


def test_this_machine_has_a_cpu() -> None:
    assert usable_cpus() >= 1
    assert cpu_quota() is None or cpu_quota() > 0
