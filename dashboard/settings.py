"""Every setting, typed, in one place: from the environment and `.streamlit/secrets.toml`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / "local"
STRAIGHT_LINE = "straight line"
# The hosts to which nothing leaves this machine.
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
# Nothing that could end a header or a command of SMTP.
_MAIL_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]+\.)+[a-z0-9-]+")
_HOST = re.compile(r"[A-Za-z0-9.:-]+")
MOST_MAIL_ADDRESSES = 100


class Settings(BaseSettings):
    """Settings by name; in the environment each has the prefix `DASHBOARD_`.

    In `.streamlit/secrets.toml` they stand under their plain names in lower case.
    """

    model_config = SettingsConfigDict(
        env_prefix="DASHBOARD_",
        toml_file=ROOT / ".streamlit" / "secrets.toml",
        extra="ignore",
        frozen=True,
        # What is refused may stand beside a password.
        hide_input_in_errors=True,
    )

    database_url: str = Field(
        default=f"sqlite:///{(LOCAL / 'dashboard.db').as_posix()}",
        description="Where the data is kept: an SQLite file or a PostgreSQL database.",
    )
    worker_database_url: str = Field(
        default="",
        description="PostgreSQL: the same database for what loads, as a role that may (README, "
        "Deploy for a team); blank is database_url.",
    )
    migration_database_url: str = Field(
        default="",
        description="PostgreSQL: the same database for upgrades, as the role that owns its tables; "
        "blank is database_url.",
    )
    replica_database_url: str = Field(
        default="",
        description="PostgreSQL: a streaming replica of it, from which figures are read while it has "
        "the newest data; blank is none.",
    )
    pool_size: int = Field(
        default=5,
        ge=1,
        le=100,
        description="PostgreSQL: how many connections each process keeps to each role; as many pages "
        "ask at a time on two cores.",
    )
    pool_overflow: int = Field(
        default=5,
        ge=0,
        le=100,
        description="PostgreSQL: how many more it opens for a moment; 2 processes stay well below the "
        "server's usual 100.",
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

    public_address: str = Field(
        default="",
        max_length=200,
        description="The https address under which colleagues open the dashboard, for links in "
        "e-mails; http only for this machine.",
    )
    mail_host: str = Field(
        default="", description="The mail server (SMTP) for the weekly e-mail; blank sends none."
    )
    mail_port: int = Field(default=587, ge=1, le=65_535, description="The port of the mail server.")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the way to the mail server is kept safe; 'none' only on this machine.",
    )
    mail_user: str = Field(
        default="", description="Name to sign in at the mail server; blank for none."
    )
    mail_password: SecretStr | None = Field(
        default=None, description="The password that goes with it."
    )
    mail_from: str = Field(default="", description="The address from which the e-mail comes.")
    mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The addresses to which it goes, one e-mail each: separated by commas, or a list.",
    )
    mail_icb: str = Field(default="", description="Code of the board that it tells of.")
    mail_day: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = Field(default="monday", description="The day of the week on which it goes.")
    mail_hour: int = Field(
        default=7,
        ge=0,
        le=23,
        description="The hour from which it goes, by the server's clock; tried until midnight.",
    )

    sign_in: Literal["none", "oidc"] = Field(
        default="none",
        description="'oidc' for a team: everybody signs in with their organisation's account; "
        "'none' on one machine, for whoever sits at it.",
    )
    oidc_metadata_url: str = Field(
        default="",
        description="Where the organisation's sign-in service describes itself, ending in "
        "/.well-known/openid-configuration.",
    )
    oidc_client_id: str = Field(
        default="", description="The number under which that service knows the dashboard."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret that goes with it."
    )
    oidc_scopes: str = Field(
        default="openid profile", description="What is asked of that service about a person."
    )
    oidc_groups_claim: str = Field(
        default="groups",
        description="The name under which that service lists the groups (or roles) of a person.",
    )
    cookie_secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Secret that signs a sign-in under way; the same in every process.",
    )
    session_hours: float = Field(
        default=8, gt=0, le=8, description="A sign-in ends after so many hours, whatever is done."
    )
    idle_minutes: float = Field(
        default=30,
        gt=0,
        le=30,
        description="It ends after so many minutes in which nothing is done.",
    )

    drain_seconds: float = Field(
        default=20,
        ge=0,
        le=600,
        description="How long an app process that was told to end (SIGTERM) waits for its open "
        "sessions.",
    )

    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="The port on which numbers for Prometheus are told; 0 is off. Each process on a "
        "machine needs one of its own.",
    )
    metrics_address: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address of this machine at which they can be asked for.",
    )

    @field_validator("mail_to", mode="before")
    @classmethod
    def _addresses(cls, given: Any) -> Any:
        each = given.split(",") if isinstance(given, str) else given
        if not isinstance(each, list | tuple) or not all(isinstance(one, str) for one in each):
            return given
        return tuple(dict.fromkeys(filter(None, (one.strip().lower() for one in each))))

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, given: str) -> str:
        return given.strip().lower()

    @field_validator("public_address")
    @classmethod
    def _whole_address(cls, given: str) -> str:
        if not given:
            return ""
        found = urlsplit(given)
        is_plain = re.fullmatch(r"[!-~]+", given) and not re.search(r"[<>\"?#@]", given)
        if not is_plain or not found.hostname:
            raise ValueError("expected an address such as https://board.example.nhs.uk")
        is_local = found.scheme == "http" and found.hostname in LOCAL_HOSTS
        if found.scheme != "https" and not is_local:
            raise ValueError("expected https; http is for this machine only")
        return given.rstrip("/")

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

    @model_validator(mode="after")
    def _refuse_roles_of_a_file(self) -> Settings:
        for name in ("worker_database_url", "migration_database_url", "replica_database_url"):
            address = getattr(self, name)
            if address and (self.is_sqlite or not address.startswith("postgresql+psycopg://")):
                raise ValueError(
                    f"{name} is for PostgreSQL, as database_url must be then: expected "
                    "postgresql+psycopg://user:password@host/name in both"
                )
        return self

    @model_validator(mode="after")
    def _refuse_mail_that_cannot_go(self) -> Settings:
        if self.mail_host and (reasons := "; ".join(self._why_no_mail())):
            raise ValueError(f"mail_host is given, but no e-mail can be sent: {reasons}")
        return self

    @model_validator(mode="after")
    def _refuse_sign_in_that_cannot_work(self) -> Settings:
        if self.sign_in == "oidc" and (reasons := "; ".join(self._why_no_sign_in())):
            raise ValueError(f"sign_in is 'oidc', but nobody could sign in safely: {reasons}")
        return self

    def _why_no_sign_in(self) -> Iterator[str]:
        for name in (
            "oidc_metadata_url", "oidc_client_id", "oidc_client_secret", "cookie_secret",
            "public_address", "hash_key",
        ):  # fmt: skip
            if not getattr(self, name):
                yield f"{name} is missing"
        found = urlsplit(self.oidc_metadata_url)
        is_local = found.scheme == "http" and found.hostname in LOCAL_HOSTS
        if self.oidc_metadata_url and found.scheme != "https" and not is_local:
            yield "oidc_metadata_url does not begin with https"
        if self.disclosure_profile == "internal":
            yield "disclosure_profile 'internal' hides no number, and is for one machine"

    def _why_no_mail(self) -> Iterator[str]:
        if not _HOST.fullmatch(self.mail_host):
            yield "mail_host is no name of a host"
        for name in ("mail_from", "mail_to", "mail_icb", "public_address"):
            if not getattr(self, name):
                yield f"{name} is missing"
        if self.mail_from and not _MAIL_ADDRESS.fullmatch(self.mail_from):
            yield "mail_from is no e-mail address"
        for number, address in enumerate(self.mail_to, 1):
            if not _MAIL_ADDRESS.fullmatch(address):
                yield f"number {number} of mail_to is no e-mail address"
        if len(self.mail_to) > MOST_MAIL_ADDRESSES:
            yield f"mail_to has {len(self.mail_to)} addresses, more than {MOST_MAIL_ADDRESSES}"
        if bool(self.mail_user) != bool(self.mail_password):
            yield "mail_user and mail_password go together"
        if self.mail_security == "none" and self.mail_host not in LOCAL_HOSTS:
            yield "mail_security 'none' is for a mail server on this machine only"

    def why_not_serve(self, address: str | None) -> str:
        """Why pages must not be served at this address of the machine; "" where they may."""
        if self.sign_in == "none" and address not in LOCAL_HOSTS:
            return (
                f"Not started: the server would listen on {address or 'every address'}, and nobody "
                "has to sign in. Leave server.address at 127.0.0.1, or set up sign-in (README, Deploy "
                "for a team)."
            )
        return ""

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
