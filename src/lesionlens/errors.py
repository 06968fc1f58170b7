"""Every error that LesionLens raises on purpose.

    LesionLensError
    ├── ImageError                 a picture that cannot be used
    │   ├── EmptyImageError        no bytes at all
    │   ├── ImageTooLargeError     more bytes than the limit
    │   ├── UnsupportedImageError  not JPEG, PNG, WebP, BMP or TIFF
    │   ├── TooManyPixelsError     more pixels than the limit (a decompression bomb, say)
    │   └── CorruptImageError      truncated or damaged
    ├── BundleError                a model bundle that is missing, damaged or from another version
    ├── EngineError                no engine can run the bundle, or it failed
    ├── SettingsError              a setting with a value that is not accepted
    ├── DataError                  a training data folder that cannot be used
    ├── BulkError                  many pictures that cannot be classified, or not go on where an earlier run stopped
    ├── ConversionError            weights that cannot become a bundle
    ├── QuantisationError          a network that cannot be quantised
    ├── ExportError                a network that has no exact one-pass Grad-CAM graph
    ├── RecordError                a request that the tracker's records do not allow
    │   ├── InvalidRecordError     a field with a value that is not accepted
    │   │   └── ExchangeFileError  a file that cannot be imported
    │   ├── RecordNotFoundError    no such person, lesion, visit or analysis
    │   └── RecordConflictError    what was asked does not fit the state that the records are in
    └── StoreError                 the tracker's database or photo folder cannot be used
        └── DamagedPhotoError      a photo file that is missing or is not what was stored

The message always says what was wrong and what is accepted, in words. That of an `ImageError` or a `RecordError` can be
shown to whoever sent the request: it holds no path and no part of a picture. The other errors are for whoever runs the
program, and may name its files.
"""

from __future__ import annotations

__all__ = [
    "BulkError",
    "BundleError",
    "ConversionError",
    "CorruptImageError",
    "DamagedPhotoError",
    "DataError",
    "EmptyImageError",
    "EngineError",
    "ExchangeFileError",
    "ExportError",
    "ImageError",
    "ImageTooLargeError",
    "InvalidRecordError",
    "LesionLensError",
    "QuantisationError",
    "RecordConflictError",
    "RecordError",
    "RecordNotFoundError",
    "SettingsError",
    "StoreError",
    "TooManyPixelsError",
    "UnsupportedImageError",
]


class LesionLensError(Exception):
    """Base of all errors raised on purpose."""


class ImageError(LesionLensError):
    """A picture that cannot be used."""


class EmptyImageError(ImageError):
    """The picture has no bytes."""


class ImageTooLargeError(ImageError):
    """The file has more bytes than the limit."""


class UnsupportedImageError(ImageError):
    """The bytes are not a picture in one of the accepted formats."""


class TooManyPixelsError(ImageError):
    """The picture has more pixels than the limit."""


class CorruptImageError(ImageError):
    """The picture is truncated or damaged."""


class BundleError(LesionLensError):
    """A model bundle is missing, damaged, or made for another version."""


class EngineError(LesionLensError):
    """No inference engine can run the bundle, or the engine failed."""


class SettingsError(LesionLensError):
    """A setting has a value that is not accepted."""


class DataError(LesionLensError):
    """A training data folder cannot be used."""


class BulkError(LesionLensError):
    """Many pictures cannot be classified: where they lie, where the results go, or what an earlier run left behind."""


class ConversionError(LesionLensError):
    """Weights cannot be turned into a bundle."""


class ExportError(LesionLensError):
    """A network cannot be exported as an exact one-pass Grad-CAM graph."""


class QuantisationError(LesionLensError):
    """A network cannot be quantised, or its answers would move too far."""


class RecordError(LesionLensError):
    """The tracker's records do not allow what was asked."""


class InvalidRecordError(RecordError):
    """A field of a record has a value that is not accepted.

    Args:
        problems: Pairs of a field's name and a sentence that says what its value is and what is accepted.

    Attributes:
        problems: The same, for programs that show each sentence beside its field.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__("; ".join(sentence for _, sentence in problems))
        self.problems = problems


class ExchangeFileError(InvalidRecordError):
    """A file to be imported into the tracker is none that can be; nothing of it was imported.

    Args:
        message: What is wrong with it, and what is accepted.
    """

    def __init__(self, message: str) -> None:
        super().__init__(("file", message))


class RecordNotFoundError(RecordError):
    """There is no such person, lesion, visit or analysis, or it is deleted."""


class RecordConflictError(RecordError):
    """What was asked does not fit the state that the records are in."""


class StoreError(LesionLensError):
    """The tracker's database or photo folder cannot be used."""


class DamagedPhotoError(StoreError):
    """A photo file is missing, or its bytes are not those that were stored."""
