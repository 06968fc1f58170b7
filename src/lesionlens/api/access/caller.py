"""Who it is that may use the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom the access control has let in.

    Attributes:
        kind: By what: an API key, a session, or being at the machine itself where no password is set.
        name: Name of the key, or a short sign of the session by which its requests can be told from others'; empty for
            the machine itself.
    """

    kind: Literal["key", "session", "local"]
    name: str = ""

    def __str__(self) -> str:
        """Return it as the audit log names it: `key:backup`, `session:3f9a01bc` or `local`."""
        return f"{self.kind}:{self.name}" if self.name else self.kind
