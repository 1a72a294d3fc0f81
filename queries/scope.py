"""Which areas a reader may see: every query takes one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, true
from sqlalchemy.sql.elements import KeyedColumnElement


@dataclass(frozen=True)
class Scope:
    """The integrated care boards a reader may see; `None` means every one.

    There is no default: a caller that forgets to say for whom it reads does not run. `networks` has a
    pair of board and PCN for each network of whose board the reader is shown in detail only that
    network, and others in totals; a board without a pair is shown whole.
    """

    icb_codes: frozenset[str] | None
    networks: frozenset[tuple[str, str]] = frozenset()

    def admits(self, icb_code: str) -> bool:
        """Whether rows of this board may be read at all."""
        return self.icb_codes is None or icb_code in self.icb_codes

    def networks_of(self, icb_code: str) -> frozenset[str] | None:
        """The networks of this board that are shown in detail; `None` for all of them."""
        mine = frozenset(pcn for icb, pcn in self.networks if icb == icb_code)
        return mine or None

    def admits_network(self, icb_code: str, pcn_code: str) -> bool:
        """Whether a network of a board may be shown in detail; "" asks for all of the board."""
        mine = self.networks_of(icb_code)
        return self.admits(icb_code) and (mine is None or pcn_code in mine)

    def shows_pin(
        self,
        icb_code_column: KeyedColumnElement[str],
        kind_column: KeyedColumnElement[str],
        code_column: KeyedColumnElement[str],
    ) -> ColumnElement[bool]:
        """The WHERE clause that leaves out what is pinned to a network not shown in detail."""
        foreign = [
            (icb_code_column == icb_code)
            & (kind_column == "pcn")
            & code_column.not_in(sorted(self.networks_of(icb_code) or ()))
            for icb_code in sorted({icb_code for icb_code, _ in self.networks})
        ]
        # Of what is pinned to nothing, no comparison says anything.
        return and_(true(), *(func.coalesce(~each, true()) for each in foreign))

    def as_text(self) -> str:
        """The boards as PostgreSQL's row-level security reads them: "*", or codes by commas."""
        return "*" if self.icb_codes is None else ",".join(sorted(self.icb_codes))

    def within(self, icb_code_column: KeyedColumnElement[str]) -> ColumnElement[bool]:
        """The WHERE clause that keeps a query inside this scope."""
        if self.icb_codes is None:
            return true()
        return icb_code_column.in_(sorted(self.icb_codes))


EVERYTHING = Scope(icb_codes=None)
