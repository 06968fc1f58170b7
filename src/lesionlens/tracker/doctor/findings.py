"""What an examination of the store found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Report", "State"]

State = Literal["fine", "note", "repaired", "wrong"]
"""`note`: worth knowing, but nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: What was looked at.
        state: How it is now.
        message: What was found and, if something is wrong, what can be done.
        details: Files and records concerned, one a line.
    """

    check: str
    state: State
    message: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, or nothing any more."""
        return all(finding.state != "wrong" for finding in self.findings)
