"""What earlier loads tell the reader of a file, taken along to where it is read."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from dashboard.intake.mapping import Mapping as ColumnMapping


@dataclass(frozen=True)
class Known:
    """The lookups in force, the secret that turns a local reference into a hash, and the saved
    mappings by the fingerprint of the headings they fit."""

    hash_key: bytes
    wards: pd.Series[str]
    pcns: pd.Series[str]
    mappings: Mapping[str, ColumnMapping] = field(default_factory=dict)

    def ward_of_lsoa(self) -> pd.Series[str]:
        """The ward code of each LSOA, indexed by LSOA code."""
        return self.wards

    def pcn_of_practice(self) -> pd.Series[str]:
        """The PCN code of each practice, indexed by practice code."""
        return self.pcns

    def hashed(self, references: pd.Series[str]) -> pd.Series[str]:
        """Keyed hashes: the same person's reference can be matched, never read back."""
        key, digest = self.hash_key, hmac.digest
        hashes = [digest(key, text.encode(), "sha256").hex() for text in references.tolist()]
        return pd.Series(hashes, references.index, dtype="str")
