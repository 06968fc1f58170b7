"""How the weights of a run came to be, as its bundle will tell."""

from __future__ import annotations

from lesionlens.datasets import Sample
from lesionlens.datasets.licence import ISIC_2019_CITATIONS, ISIC_2019_LICENCE
from lesionlens.inference.records import TrainingRecord
from lesionlens.training.provenance import HELD_OUT, StartRecord
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.soup_record import SoupRecord

__all__ = ["training_record"]


def training_record(
    folder: RunFolder, training: list[Sample], validation: list[Sample], *, balance: float = 0.0
) -> TrainingRecord:
    """Tell how a run's weights were made.

    Args:
        folder: The run's folder.
        training: The samples that it trained on.
        validation: The samples that it kept out of training.
        balance: Share of the preference for common classes that is taken off the logits.

    Raises:
        DataError: The folder holds no run.
    """
    config = folder.read_config()
    start, soup = StartRecord.read(folder.start), SoupRecord.read(folder.soup)
    given = config.start.name if config.start else "random"
    recipe = config.model_dump(
        mode="json", exclude={"data", "folds_file", "start", "teachers", "workers", "device", "compile"}
    )
    if config.teachers:
        recipe["teachers"] = [path.name for path in config.teachers]
    else:
        del recipe["distill"], recipe["distill_temperature"]
    if soup is not None:
        recipe = {name: recipe[name] for name in HELD_OUT} | {"batch_norm_pictures": soup.batch_norm_pictures}
        given = " + ".join(f"{part.share:g} × {part.weights}" for part in soup.ingredients)
    sources = {s.source for s in training if s.source}
    return TrainingRecord(
        data=(
            f"ISIC 2019 training set ({', '.join(sorted(sources)) or 'all sources'}), folds "
            f"{', '.join(map(str, config.train_folds))}: {len(training)} pictures trained on, "
            f"{len(validation)} for calibration"
        ),
        licence=f"{ISIC_2019_LICENCE} (research, non-commercial)",
        citations=ISIC_2019_CITATIONS,
        recipe={**recipe, "logit_balance": balance},
        starting_weights=start.title if start else given,
        earlier=start.training if start else None,
        averaged=soup.ingredients if soup else (),
    )
