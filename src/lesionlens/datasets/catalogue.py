"""The official ISIC archives: names, sizes, checksums, licence and citations.

A size or checksum stands here only where it has been published; where none has, the size that the server announces, the
CRC of every zip member and the SHA-256 recorded at the first download take its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lesionlens.datasets.licence import ISIC_2019_CITATIONS, ISIC_2019_LICENCE

__all__ = ["BASE_URL", "COLLECTIONS", "Collection", "RemoteFile"]

BASE_URL: Final = "https://isic-archive.s3.amazonaws.com/challenges"
"""Where the ISIC Archive keeps the data of its challenges; a mirror has the same `year/file` layout."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a collection.

    Attributes:
        path: Path below the base URL, such as `2019/ISIC_2019_Training_Metadata.csv`.
        size: Size in bytes; None where it is not known beforehand.
        md5: MD5 as lower-case hexadecimal; None where it is not known beforehand.
    """

    path: str
    size: int | None = None
    md5: str | None = None

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_archive(self) -> bool:
        """Whether the file is a zip that is unpacked after the download."""
        return self.name.endswith(".zip")


@dataclass(frozen=True, slots=True)
class Collection:
    """A published data set.

    Attributes:
        name: Name on the command line.
        title: Name in words.
        files: Its files, small ones first so that a wrong address shows at once.
        licence: Licence of pictures and labels.
        licence_url: Text of the licence.
        terms: What the licence asks for, in a sentence.
        citations: What the licence obliges users to cite.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    licence: str
    licence_url: str
    terms: str
    citations: tuple[str, ...]


_LICENCE_URL: Final = "https://creativecommons.org/licenses/by-nc/4.0/"
_TERMS: Final = (
    "You may use, share and adapt the pictures for non-commercial purposes, and must credit their sources; "
    "what is trained on them carries the same duty to credit."
)
_CODELLA_2018: Final = (
    "Codella N. et al. Skin Lesion Analysis Toward Melanoma Detection 2018: A Challenge Hosted by the International "
    "Skin Imaging Collaboration (ISIC). arXiv:1902.03368"
)
COLLECTIONS: Final[dict[str, Collection]] = {
    c.name: c
    for c in (
        Collection(
            name="isic2019",
            title="ISIC 2019 training set: 25,331 dermoscopy pictures, 8 diagnoses",
            files=(
                RemoteFile("2019/ISIC_2019_Training_GroundTruth.csv", size=1_291_479),
                RemoteFile("2019/ISIC_2019_Training_Metadata.csv", size=1_214_351),
                RemoteFile("2019/ISIC_2019_Training_Input.zip", size=9_771_618_190),
            ),
            licence=ISIC_2019_LICENCE,
            licence_url=_LICENCE_URL,
            terms=_TERMS,
            citations=ISIC_2019_CITATIONS,
        ),
        Collection(
            name="isic2018",
            title="ISIC 2018 task 3 training set (HAM10000): 10,015 dermoscopy pictures, 7 diagnoses",
            files=(
                RemoteFile("2018/ISIC2018_Task3_Training_GroundTruth.zip", md5="8302427e4ce0c107559531b9f444abe9"),
                RemoteFile("2018/ISIC2018_Task3_Training_LesionGroupings.csv"),
                RemoteFile("2018/ISIC2018_Task3_Training_Input.zip", size=2_771_732_744),
            ),
            licence=ISIC_2019_LICENCE,
            licence_url=_LICENCE_URL,
            terms=_TERMS,
            citations=(_CODELLA_2018, *(c for c in ISIC_2019_CITATIONS if c.startswith("HAM10000"))),
        ),
    )
}
"""The collections that `lesionlens data fetch` knows, by name."""
