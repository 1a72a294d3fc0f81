"""What the Outcomes page says of numbers that are shown, hidden, not recorded and not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from dashboard import outcomes_told as told
from dashboard import outcomes_words as words
from dashboard.filters import Choices
from dashboard.outcomes import BOARD, NETWORK, Groups, Pathway
from dashboard.outcomes_change import GP_ATTENDANCES, Changes
from dashboard.outcomes_compared import Equity, NetworkFunnel
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.rules.funnel import Funnel, Kind
from dashboard.rules.inequality import SlopeIndex
from dashboard.rules.pathway import OVER_A_YEAR, REFERRED, STEPS, DayQuantiles
from queries.pathway import Cohort

NHS = PROFILES["nhs"]
AREA = Cohort("QZ1", date(2026, 6, 30), date(2025, 7, 1), date(2026, 6, 1))
CHOICES = Choices("QZ1", "Small board", "", "", "", "", date(2026, 6, 30), 24)
HIDDEN, NOT_RECORDED = "hidden", "not recorded"
# Of 100 referred 80 were accepted (10 open), 60 contacted, 50 completed the rest.
PEOPLE = {REFERRED: 100, "accepted": 80, "contacted": 60, "planned": 50, "connected": 50,
    "attended": 50, "completed": 50}  # fmt: skip


def steps_of(**but: str) -> pd.DataFrame:
    """The steps of one group as they are judged; those named are hidden or not recorded."""
    rows: list[dict[str, Any]] = []
    before: int | None = None
    for step in (REFERRED, *STEPS):
        state = but.get(step, "recorded")
        people = PEOPLE[step] if state == "recorded" else None
        still = 10 if step == "accepted" else 0
        is_known = people is not None and before is not None
        rows.append(
            {
                "group": "QZ1", "step": step, "people": people, "people_hidden": state == HIDDEN,
                "of": before if is_known else None, "open": still if is_known else None,
                "open_hidden": False,
                "lost": before - people - still if is_known else None,  # type: ignore[operator]
                "share": people / (before - still) if is_known else None,  # type: ignore[operator]
                "lower": 0.5 if is_known else None, "upper": 0.9 if is_known else None,
                "state": state,
            }
        )  # fmt: skip
        before = people if state != NOT_RECORDED else before
    whole = dict.fromkeys(("people", "of", "open", "lost"), "Int64")
    return pd.DataFrame(rows).astype(whole | dict.fromkeys(("share", "lower", "upper"), "Float64"))


def said(sentences: Sequence[str]) -> str:
    return " ".join(sentences).replace("**", "")


class TestFinding:
    def test_how_far_and_where_most_are_lost(self):
        found = said(words.finding(steps_of(), AREA, "", NHS.hide_to))
        for each in ("100 referrals", "Jul 2025 to Jun 2026", "60 (60%)", "50 (50%)"):
            assert each in found
        # 100 - 80 - 10 open, 80 - 60, 60 - 50: twenty before contact.
        assert "“contacted”: 20 of 80" in found
        assert NOT_RECORDED not in found.casefold()

    def test_those_who_may_still(self):
        steps = steps_of()
        steps.loc[steps["step"] == "contacted", ["open", "lost"]] = [5, 15]
        steps.loc[steps["step"] == "accepted", ["open", "lost"]] = [0, 20]
        found = said(words.finding(steps, AREA, "", NHS.hide_to))
        assert "“accepted”: 20 of 100" in found
        steps.loc[steps["step"] == "accepted", ["open", "lost"]] = [10, 40]
        assert "10 may still" in said(words.finding(steps, AREA, "", NHS.hide_to))

    def test_nobody_lost_is_not_named(self):
        steps = steps_of().assign(lost=pd.array([pd.NA, *[0] * 6], dtype="Int64"))
        assert "lost" not in said(words.finding(steps, AREA, "", NHS.hide_to))

    def test_a_hidden_number_is_a_mark(self):
        found = said(words.finding(steps_of(referred=HIDDEN), AREA, "", NHS.hide_to))
        assert "* referrals" in found
        assert "%" not in found.split(".")[0]

    def test_what_is_not_recorded_is_said_and_no_nought(self):
        found = said(words.finding(steps_of(planned=NOT_RECORDED), AREA, "", NHS.hide_to))
        assert "not recorded here: plan agreed" in found.casefold()
        assert " 0 " not in found

    def test_who_sent_nothing_comes_last(self):
        assert words.finding(steps_of(), AREA, "Nobody else.", NHS.hide_to)[-1] == "Nobody else."


def networks(*silent: str) -> Pathway:
    rows = [("QZ1", BOARD, "", "", "")]
    rows += [
        (code, NETWORK, f"{code} PCN", "L1" if code < "C" else "L2", "x" if code in silent else "")
        for code in "ABCDEF"
    ]
    frame = pd.DataFrame(rows, columns=["code", "kind", "name", "lad_code", "reason"])
    return Pathway(AREA, "", Released(frame, (), NHS), pd.DataFrame())


class TestSilent:
    def test_nobody(self):
        assert words.silent_networks(networks(), CHOICES) == ""

    def test_three_are_named_and_the_others_counted(self):
        found = words.silent_networks(networks(*"ABCDE"), CHOICES).replace("**", "")
        assert "5 of 6 networks" in found
        assert "A PCN, B PCN, C PCN and 2 more" in found
        assert "D PCN" not in found
        assert " more" not in words.silent_networks(networks(*"ABC"), CHOICES)

    def test_those_of_the_area(self):
        of_locality = words.silent_networks(networks(*"ABC"), replace(CHOICES, lad_code="L2"))
        assert "1 of 4 networks" in of_locality.replace("**", "")
        assert "C PCN" in of_locality
        assert "A PCN" not in of_locality
        of_one = words.silent_networks(networks(*"ABC"), replace(CHOICES, pcn_code="B"))
        assert "B PCN" in of_one
        assert "A PCN" not in of_one
        assert words.silent_networks(networks("A"), replace(CHOICES, pcn_code="B")) == ""

    def test_why_there_is_no_pathway(self):
        none = replace(networks(), cohort=None, no_window="no referral return")
        assert "no referral return" in said(words.nothing_told(none, CHOICES, "A PCN sent none."))
        assert words.nothing_told(networks(), CHOICES, "A PCN sent none.") == ["A PCN sent none."]
        assert "Small board" in said(words.nothing_told(networks(), CHOICES, ""))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((pd.NA,), "–"),
        ((0.845,), "84%"),
        ((0.845, 0.82, 0.86), "84% (82% to 86%)"),
        ((0.5, pd.NA, 0.6), "50%"),
        ((0.0, 0.0, 0.1), "0% (0% to 10%)"),
    ],
)
def test_percent(found: tuple[Any, ...], expected: str):
    assert words.percent(*found) == expected


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        ((None, None), ()),
        ((1, 2), ("1 day,", "2")),
        ((23, 37), ("23 days", "37")),
        ((23, OVER_A_YEAR), ("23 days", "over a year")),
        ((OVER_A_YEAR, OVER_A_YEAR), ("over a year",)),
    ],
)
def test_days(found: tuple[int | None, int | None], parts: tuple[str, ...]):
    told_days = words.days(DayQuantiles(*found))
    assert bool(told_days) == bool(parts)
    assert str(OVER_A_YEAR) not in told_days
    for part in parts:
        assert part in told_days


def test_a_period_of_one_month():
    assert words.period(replace(AREA, first=AREA.last)) == "Jun 2026"


class TestSteps:
    def test_the_picture_has_no_bar_where_nothing_may_be_seen(self):
        rows = words.step_rows(steps_of(planned=NOT_RECORDED, attended=HIDDEN)).set_index("step")
        assert rows["state"].to_dict() == {
            "Referred": "recorded", "Accepted": "recorded", "Contacted": "recorded",
            "Plan agreed": NOT_RECORDED, "Connected to a service": "recorded",
            "Attended": HIDDEN, "Completed": "recorded",
        }  # fmt: skip
        assert rows["people"].isna().to_dict()["Plan agreed"]
        assert rows.loc["Accepted", "open"] == 10
        # Before the referral nobody is, and nobody open.
        assert rows.loc["Referred", ["open", "share_words"]].tolist() == [0, ""]

    def test_the_table_says_the_same(self):
        days = {("", "accepted"): DayQuantiles(4, 8)}
        headings, body = words.step_table(steps_of(planned=NOT_RECORDED, attended=HIDDEN), days)
        assert headings[:4] == ["Step", "People", "Of", "Still open"]
        rows = {row[0]: row[1:] for row in body}
        assert rows["Accepted"][:3] == ["80", "100", "10"]
        assert "4" in rows["Accepted"][4]
        assert "8" in rows["Accepted"][4]
        assert rows["Plan agreed"] == [NOT_RECORDED, *["–"] * 4]
        assert rows["Attended"][0] == "*"
        assert rows["Contacted"][4] == "–"

    @pytest.mark.parametrize(
        ("state", "cell"), [("recorded", "80"), (HIDDEN, "*"), (NOT_RECORDED, NOT_RECORDED)]
    )
    def test_the_list(self, state: str, cell: str):
        steps = steps_of(accepted=state)
        counts = pd.DataFrame({"code": ["QZ1"], "declined": [12], "declined_hidden": [False]})
        groups = Groups("sex", Released(counts, (), NHS), steps, {})
        (row,) = words.group_rows(groups, ["QZ1"]).frame.assign(name="x").itertuples(index=False)
        columns = {column.title: column for column in words.group_columns("sex")}
        found = columns["Accepted"].cell(row)
        assert found.text == cell
        # What is hidden or not recorded has no value to sort by and no note.
        assert (found.sort, bool(found.note)) == (
            (80.0, True) if state == "recorded" else (None, False)
        )
        declined = columns["Declined"].cell(row)
        assert (declined.text, declined.sort, declined.note) == ("12", 12.0, "12%")

    def test_a_hidden_number_of_declined_has_no_share(self):
        counts = pd.DataFrame({"code": ["QZ1"], "declined": [pd.NA], "declined_hidden": [True]})
        groups = Groups("sex", Released(counts, (), NHS), steps_of(), {})
        (row,) = words.group_rows(groups, ["QZ1"]).frame.assign(name="x").itertuples(index=False)
        columns = {column.title: column for column in words.group_columns("sex")}
        assert columns["Declined"].cell(row).text == "*"
        assert columns["Declined"].cell(row).note == ""


def change(**but: Any) -> dict[str, Any]:
    return {
        "value": "", "measure": "ONS4", "item": "life satisfaction", "state": "",
        "started": 50, "ended": 45, "pairs": 40, "rose": 20, "unchanged": 10, "fell": 10,
        **dict.fromkeys([f"{n}_hidden" for n in ("started", "ended", "pairs", "rose", "unchanged",
            "fell")], False),
        "mean_before": 5.5, "mean_after": 6.25, "mean_change": 0.75, "sd_change": 2.0,
        "lower": 0.05, "upper": 1.45, "share_improved": 0.5, "share_lower": 0.35,
        "share_upper": 0.65,
    } | but  # fmt: skip


NO_MEAN = dict.fromkeys(
    ("mean_before", "mean_after", "mean_change", "lower", "upper", "share_improved", "share_lower",
     "share_upper"), pd.NA,
)  # fmt: skip


class TestChange:
    def test_in_words_of_change(self):
        found = said(told.change_finding(change(), ("ONS4", "life satisfaction")))
        for each in ("40 people", "5.5", "change of", "50% (35% to 65%)"):
            assert each in found
        assert "effect" not in found

    @pytest.mark.parametrize(
        ("state", "pairs", "shown"), [("hidden", pd.NA, "*"), ("too few", 0, "0")]
    )
    def test_without_a_mean(self, state: str, pairs: Any, shown: str):
        row = change(state=state, pairs=pairs, pairs_hidden=state == "hidden", **NO_MEAN)
        found = said(told.change_finding(row, ("ONS4", "life satisfaction")))
        assert found.startswith(f"{shown} people")
        assert "%" not in found
        assert "nan" not in found.casefold()
        assert "<NA>" not in found

    def test_better_is_the_end_that_is_good(self):
        rows = pd.DataFrame(
            [change(), change(item="anxious", rose=5, unchanged=10, fell=25)]
        ).astype({"pairs": "Int64"})
        headings, body = told.change_table(Changes(Released(rows, (), NHS), ()))
        by_title = {row[0]: dict(zip(headings, row, strict=True)) for row in body}
        life, anxious = by_title["Life satisfaction"], by_title["Anxiety yesterday"]
        assert [life[n] for n in ("Better", "Unchanged", "Worse")] == ["20", "10", "10"]
        # Of anxiety less is better.
        assert [anxious[n] for n in ("Better", "Unchanged", "Worse")] == ["25", "10", "5"]

    def test_contact_with_the_gp_stands_apart(self):
        gp = change(measure=GP_ATTENDANCES[0], item=GP_ATTENDANCES[1])
        changes = Changes(Released(pd.DataFrame([change(), gp]), (), NHS), ())
        assert list(told.question_titles(changes)) == ["ONS4|life satisfaction"]
        assert [row[0] for row in told.change_table(changes)[1]] == ["Life satisfaction"]
        assert told.change_row(changes, GP_ATTENDANCES) is not None
        assert told.change_row(changes, ("PAM", "total")) is None
        assert "40 people" in said(told.gp_finding(gp))
        assert not any(each.isdigit() for each in said(told.gp_finding(None)))


class TestEquity:
    def rows(self, *states: str) -> Released:
        frame = pd.DataFrame(
            {
                "name": [str(n) for n in range(1, len(states) + 1)],
                "state": list(states),
                "of": [100] * len(states),
                "value": [0.5 if not state else None for state in states],
                "lower": [0.4 if not state else None for state in states],
                "upper": [0.6 if not state else None for state in states],
            }
        )
        return Released(frame, (), NHS)

    @pytest.mark.parametrize(
        ("limits", "way"),
        [
            ((0.1, 0.3), "higher"),
            ((-0.3, -0.1), "lower"),
            ((-0.1, 0.1), "no clear"),
            ((None, None), ""),
        ],
    )
    def test_the_way_of_the_slope(self, limits: tuple[Any, Any], way: str):
        slope = SlopeIndex(
            slope=0.1, lower=limits[0], upper=limits[1], relative_index=None, intercept=0.4
        )
        found = said(
            told.equity_finding(
                Equity(self.rows(*[""] * 5), slope, "", 0.5),
                "contacted",
                "Share contacted",
                "fifth",
            )
        )
        assert "+10.0 percentage points" in found
        assert [each for each in ("higher", "lower", "no clear") if each in found] == [way] * bool(
            way
        )

    def test_why_there_is_no_slope(self):
        found = Equity(
            self.rows("", "hidden", "too few", "", ""), None, "no slope: fifth 2, 3", 0.5
        )
        sentences = said(told.equity_finding(found, "contacted", "Share contacted", "fifth"))
        assert "No slope: fifth 2, 3" in sentences
        assert "2, 3" in sentences.split("No slope: fifth 2, 3")[1]

    @pytest.mark.parametrize(
        ("state", "cell"), [("hidden", "*"), ("too few", "too few"), (NOT_RECORDED, NOT_RECORDED)]
    )
    def test_a_group_that_is_not_shown(self, state: str, cell: str):
        found = Equity(self.rows("", state), None, "", 0.5)
        _, body = told.equity_table(found, "contacted", {})
        assert body == [["1", "50% (40% to 60%)", "100"], ["2", cell, "–"]]


def test_a_funnel_has_no_order_of_merit():
    rows = pd.DataFrame(
        {
            "pcn_code": ["U2", "U1", "U3"], "pcn_name": ["Zed", "Alf", "Mid"],
            "people": [100, 200, 300], "rate": [90.0, 50.0, 10.0],
            "place": ["inside the 95% limits", "outside the 95% limits", "outside the 99.8% limits"],
        }
    )  # fmt: skip
    funnel = Funnel(Kind.PROPORTION, 0.5, 3, 1.0, 0.0)
    found = NetworkFunnel(Released(rows, (), NHS), pd.DataFrame(), funnel, {"no return": 2})
    assert [row[0] for row in told.funnel_table(found)[1]] == ["Alf", "Mid", "Zed"]
    sentences = said(told.funnel_finding(found, "contacted"))
    for each in ("50%", "3 networks", "2 lie outside the 95%", "1 of them", "no return: 2"):
        assert each in sentences
    assert not {"Zed", "Alf", "Mid"} & set(sentences.split())


def test_appointments_as_recorded():
    assert not any(each.isdigit() for each in told.appointments_words(pd.DataFrame())[0])
    rows = pd.DataFrame(
        {
            "month": [date(2026, 5, 1), date(2026, 6, 1)], "practices": [1, 20],
            "recording": [1, 3], "appointments": pd.array([40, pd.NA], dtype="Int64"),
        }
    )  # fmt: skip
    assert "3 of 20" in said(told.appointments_words(rows))
    # None recorded is no 0.
    assert told.appointments_table(rows)[1] == [
        ["May 2026", "1", "1", "40"], ["Jun 2026", "20", "3", "–"],
    ]  # fmt: skip
