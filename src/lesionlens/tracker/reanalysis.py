"""Having a model look at the photos that it has not seen yet; what others said of them stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from lesionlens.classifier import Classifier
from lesionlens.errors import DamagedPhotoError, ImageError, RecordNotFoundError
from lesionlens.prepare import prepare
from lesionlens.tracker.analyses import NewAnalysis
from lesionlens.tracker.tracker import Tracker

__all__ = ["Reanalysed", "reanalyse"]

Progress = Callable[[int, int], None]
"""Called with how many visits are done, and how many there are."""

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Reanalysed:
    """What came of it.

    Attributes:
        analysed: Visits that got an answer.
        failed: Visits whose photo could not be used, by id, each with the reason.
    """

    analysed: int
    failed: dict[str, str]


def reanalyse(
    tracker: Tracker, classifier: Classifier, person_id: str | None = None, *, progress: Progress | None = None
) -> Reanalysed:
    """Analyse all visits that are not deleted and that this model has not analysed; older answers stay beside the new.

    Each answer is stored when it is there, so one that was interrupted goes on where it stopped. A photo that cannot be
    used is told, and the others go on.

    Args:
        tracker: The store.
        classifier: The model.
        person_id: Whose visits; None for everybody's.
        progress: Told of every visit.

    Raises:
        RecordNotFoundError: There is no such person.
        EngineError: The engine failed.
        StoreError: The store failed.
    """
    if person_id is not None:
        tracker.people.get(person_id)
    graph = classifier.manifest.graph_sha256
    done, failed = 0, dict[str, str]()
    while True:
        # Those that got an answer drop out of the list, and those that failed stay at its begin.
        page = tracker.visits.list(
            person_id=person_id,
            not_analysed_by=graph,
            sort="created_at",
            descending=False,
            offset=len(failed),
            limit=_PAGE,
        )
        if not page.items:
            return Reanalysed(done, failed)
        total = page.total + done
        for visit in page.items:
            try:
                tracker.visits.add_analysis(visit.id, _analyse(tracker, classifier, visit.id))
                done += 1
            except (ImageError, DamagedPhotoError) as error:
                failed[visit.id] = str(error)
            except RecordNotFoundError:  # deleted or erased meanwhile, and so gone from the list
                continue
            if progress is not None:
                progress(done + len(failed), total)


def _analyse(tracker: Tracker, classifier: Classifier, visit_id: str) -> NewAnalysis:
    spec = classifier.manifest.preprocessing
    photo = prepare(tracker.visits.photo(visit_id), spec, limits=tracker.store.limits)
    [answer] = classifier.analyse_tensors(np.stack([photo.tensor]), [photo.decoded_size])
    return NewAnalysis.of(classifier, answer)
