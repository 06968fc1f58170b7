"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types are written out here and not taken from the models, which go on changing.
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)


def _exact(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _kept() -> list[sa.Column[object]]:
    return [
        sa.Column("id", _exact(36), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    ]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "people",
        *_kept(),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("label_key", _exact(400), nullable=False),
        sa.Column("birth_year", sa.SmallInteger()),
        sa.Column("sex", sa.String(20)),
        sa.Column("skin_type", sa.SmallInteger()),
        sa.CheckConstraint("skin_type BETWEEN 1 AND 6", name=op.f("ck_people_skin_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_deleted_at"), "people", ["deleted_at"])
    op.create_index(op.f("ix_people_label_key"), "people", ["label_key"])

    op.create_table(
        "photos",
        sa.Column("sha256", _exact(64), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("byte_size", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_photos")),
    )
    op.create_table(
        "photo_removals",
        sa.Column("sha256", _exact(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_photo_removals")),
    )

    op.create_table(
        "lesions",
        *_kept(),
        sa.Column("person_id", _exact(36), nullable=False),
        sa.Column("view", sa.String(20), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("site", sa.String(100), nullable=False),
        sa.Column("site_key", _exact(400), nullable=False),
        sa.Column("colour", sa.String(20)),
        sa.Column("reminder_months", sa.SmallInteger()),
        sa.CheckConstraint("x BETWEEN 0 AND 1", name=op.f("ck_lesions_x")),
        sa.CheckConstraint("y BETWEEN 0 AND 1", name=op.f("ck_lesions_y")),
        sa.CheckConstraint("reminder_months > 0", name=op.f("ck_lesions_reminder_months")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_lesions_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesions")),
    )
    op.create_index(op.f("ix_lesions_deleted_at"), "lesions", ["deleted_at"])
    op.create_index(op.f("ix_lesions_person_id_view"), "lesions", ["person_id", "view"])

    op.create_table(
        "visits",
        *_kept(),
        sa.Column("lesion_id", _exact(36), nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Column("taken_offset", sa.SmallInteger(), nullable=False),
        sa.Column("photo_sha256", _exact(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesion_id"], ["lesions.id"], name=op.f("fk_visits_lesion_id_lesions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_sha256"], ["photos.sha256"], name=op.f("fk_visits_photo_sha256_photos"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )
    op.create_index(op.f("ix_visits_deleted_at"), "visits", ["deleted_at"])
    op.create_index(op.f("ix_visits_lesion_id_taken_at"), "visits", ["lesion_id", "taken_at"])
    op.create_index(op.f("ix_visits_photo_sha256"), "visits", ["photo_sha256"])

    op.create_table(
        "analyses",
        sa.Column("id", _exact(36), nullable=False),
        sa.Column("visit_id", _exact(36), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("graph_sha256", _exact(64), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("prediction", sa.SmallInteger(), nullable=False),
        sa.Column("probabilities", _JSON, nullable=False),
        sa.Column("logits", _JSON, nullable=False),
        sa.Column("malignant_probability", sa.Double(), nullable=False),
        sa.Column("seen_box", _JSON),
        sa.Column("prediction_set", _JSON),
        sa.Column("suitability", _JSON),
        sa.Column("quality", _JSON),
        sa.Column("maps", sa.LargeBinary()),
        sa.Column("maps_height", sa.SmallInteger()),
        sa.Column("maps_width", sa.SmallInteger()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.CheckConstraint("prediction BETWEEN 0 AND 8", name=op.f("ck_analyses_prediction")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visits.id"], name=op.f("fk_analyses_visit_id_visits"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analyses")),
    )
    op.create_index(op.f("ix_analyses_graph_sha256"), "analyses", ["graph_sha256"])
    op.create_index(op.f("ix_analyses_visit_id"), "analyses", ["visit_id"])
