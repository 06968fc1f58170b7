"""What came of an export or an import."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Exported", "Imported", "Skipped"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not imported.

    Attributes:
        what: Names it, such as `visit 0193…`.
        why: The reason, in words.
    """

    what: str
    why: str


@dataclass(slots=True)
class Imported:
    """How much an import added.

    Attributes:
        people: Added.
        lesions: Added.
        visits: Added.
        analyses: Added.
        photos: Photo files that no visit showed before.
        already_there: People, lesions, visits and analyses that the store held already, with the same content.
        skipped: What was left out, and why. Nothing in the store was changed for it.
    """

    people: int = 0
    lesions: int = 0
    visits: int = 0
    analyses: int = 0
    photos: int = 0
    already_there: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, other: Imported) -> None:
        """Count what another part of the import added."""
        for name in ("people", "lesions", "visits", "analyses", "photos", "already_there"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.skipped.extend(other.skipped)

    def skip(self, what: str, why: str) -> None:
        """Note something that was not imported."""
        self.skipped.append(Skipped(what, why))


@dataclass(slots=True)
class Exported:
    """How much an export holds, deleted records included.

    Attributes:
        missing_photos: SHA-256 of photos whose file is missing or damaged: the export lacks them.
    """

    people: int = 0
    lesions: int = 0
    visits: int = 0
    analyses: int = 0
    photos: int = 0
    missing_photos: list[str] = field(default_factory=list)
