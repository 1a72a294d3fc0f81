"""What earlier loads tell the reader of a file, taken along to where it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from dashboard.intake.mapping import Mapping as ColumnMapping

# No two of a thousand million references have the same hash of 16 bytes.
HASH_BYTES = 16


@dataclass(frozen=True)
class Known:
    """The lookups in force, the secret that turns a local reference into a hash, and the saved
    mappings by the fingerprint of the headings they fit."""

    hash_key: bytes
    wards: pd.Series[str]
    pcns: pd.Series[str]
    mappings: Mapping[str, ColumnMapping] = field(default_factory=dict)
    directory: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"load_id": [], "service_id": []}).astype(
            {"load_id": "int64", "service_id": "str"}
        )
    )

    def ward_of_lsoa(self) -> pd.Series[str]:
        """The ward code of each LSOA, indexed by LSOA code."""
        return self.wards

    def pcn_of_practice(self) -> pd.Series[str]:
        """The PCN code of each practice, indexed by practice code."""
        return self.pcns

    def directory_services(self) -> pd.DataFrame:
        """One row per service of a directory in force and not closed: load_id, service_id."""
        return self.directory

    def hashed(self, references: pd.Series[str]) -> pd.Series[str]:
        """Keyed hashes (BLAKE2, RFC 7693): the same reference can be matched, never read back."""
        # A key has at most 64 bytes there.
        key = hashlib.blake2b(self.hash_key).digest()
        hashes = [
            hashlib.blake2b(text.encode(), key=key, digest_size=HASH_BYTES).hexdigest()
            for text in references.tolist()
        ]
        return pd.Series(hashes, references.index, dtype="str")
