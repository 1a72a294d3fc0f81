"""Every setting, typed, in one place: from the environment and `.streamlit/secrets.toml`."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / "local"
STRAIGHT_LINE = "straight line"


class Settings(BaseSettings):
    """Settings by name; in the environment each has the prefix `DASHBOARD_`.

    In `.streamlit/secrets.toml` they stand under their plain names in lower case.
    """

    model_config = SettingsConfigDict(
        env_prefix="DASHBOARD_",
        toml_file=ROOT / ".streamlit" / "secrets.toml",
        extra="ignore",
        frozen=True,
    )

    database_url: str = Field(
        default=f"sqlite:///{(LOCAL / 'dashboard.db').as_posix()}",
        description="Where the data is kept: an SQLite file or a PostgreSQL database.",
    )
    hash_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Secret that turns local references into hashes; made once if not given.",
    )
    disclosure_profile: Literal["nhs", "opensafely", "lt6", "internal"] = Field(
        default="nhs",
        description="Which small numbers are hidden before anything is shown; 'internal' hides none, "
        "and nothing can then be downloaded.",
    )
    allow_internal: bool = Field(
        default=False,
        description="Whether the profile 'internal' may be used: only where everybody who can open "
        "the pages may see every number.",
    )
    served_share: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="A PCN serves a ward when at least this share of the ward's registered "
        "people is on its lists.",
    )
    stale_months: int = Field(
        default=12, ge=1, description="A service confirmed so many months ago, or longer, is stale."
    )
    late_months: int = Field(
        default=3,
        ge=1,
        description="Referral returns that end more than this before the chosen date are late: "
        "take-up is unknown.",
    )

    reach_metres: float = Field(
        default=5_000, gt=0, description="How far a service is within reach, in a straight line."
    )
    reach_minutes: float = Field(
        default=30, gt=0, description="The same where travel times between wards are loaded."
    )
    travel_mode: str = Field(
        default="",
        description="Which of the loaded ways of travelling counts; blank is the first of them, "
        "'straight line' none.",
    )
    therapy_days: int = Field(
        default=28,
        ge=1,
        description="Target in days for each step to occupational therapy: a local choice, as no "
        "national one is published.",
    )
    supervision_weeks: int = Field(
        default=6,
        ge=1,
        description="Supervision of a link worker is due so long after the last: a local choice.",
    )
    meaningful_change_file: Path = Field(
        default=ROOT / "dashboard" / "meaningful_change.csv",
        description="The smallest change of each score that counts as one, with its source: a CSV "
        "file like the one that is shipped.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _refuse_internal(self) -> Settings:
        if self.disclosure_profile == "internal" and not self.allow_internal:
            raise ValueError(
                "disclosure_profile 'internal' hides no number: set allow_internal as well, or use "
                "'nhs', 'opensafely' or 'lt6'"
            )
        return self

    @property
    def is_sqlite(self) -> bool:
        """Whether the data is in a file of this machine."""
        return self.database_url.startswith("sqlite")

    def hash_key_bytes(self) -> bytes:
        """The secret for local references; made and kept beside the database if not given."""
        if self.hash_key is not None:
            return self.hash_key.get_secret_value().encode()
        path = LOCAL / "hash.key"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text().encode()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings in force; read once."""
    return Settings()
