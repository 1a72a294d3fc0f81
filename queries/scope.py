"""Which areas a reader may see: every query takes one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true
from sqlalchemy.sql.elements import KeyedColumnElement


@dataclass(frozen=True)
class Scope:
    """The integrated care boards a reader may see; `None` means every one.

    There is no default: a caller that forgets to say for whom it reads does not run.
    """

    icb_codes: frozenset[str] | None

    def admits(self, icb_code: str) -> bool:
        """Whether rows of this board may be read at all."""
        return self.icb_codes is None or icb_code in self.icb_codes

    def within(self, icb_code_column: KeyedColumnElement[str]) -> ColumnElement[bool]:
        """The WHERE clause that keeps a query inside this scope."""
        if self.icb_codes is None:
            return true()
        return icb_code_column.in_(sorted(self.icb_codes))


EVERYTHING = Scope(icb_codes=None)
