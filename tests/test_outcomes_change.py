"""Scores before and after: by hand, by group, released, and by thresholds of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.outcomes import board_pathway
from dashboard.outcomes_change import PEOPLE, Changes, changes_by, distribution, scale, threshold
from dashboard.rules.disclosure import PROFILES, hidden_flag
from dashboard.settings import settings
from queries.pathway import Cohort
from queries.scope import EVERYTHING, Scope
from tests import outcome_board as o
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.outcome_board import ANXIOUS, GP, LIFE, SWEMWBS, UCLA3, OutcomeBoard, Scores
from tests.small_board import SOUTH

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]
HIDDEN = "*"
COUNTS = ("started", "ended", "pairs", "rose", "unchanged", "fell")
MEANS = ("mean_before", "mean_after", "mean_change", "sd_change", "lower", "upper")
SHARE = ("share_improved", "share_lower", "share_upper")
# Student's t of 39 and 49 degrees of freedom, from a printed table.
T_39, T_49 = 2.0227, 2.0096


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The board as it is told in `tests.outcome_board`: to read from only."""
    loaded = o.loaded(upgraded_file, tmp_path_factory.mktemp("outcomes"))
    yield loaded
    loaded.dispose()


def cohort_in(engine: Engine) -> Cohort:
    cohort = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "").cohort
    assert cohort is not None
    return cohort


def changes(engine: Engine, category: str = "all") -> Changes:
    return changes_by(engine, EVERYTHING, cohort_in(engine), category)


def rows_of(found: Changes, *columns: str) -> dict[Any, tuple[Any, ...]]:
    """By value, measure and item: `HIDDEN`, `None` where missing."""
    return {
        (row["value"], row["measure"], row["item"]): tuple(
            HIDDEN
            if row.get(hidden_flag(name), False)
            else None
            if pd.isna(row[name])
            else row[name]
            for name in columns
        )
        for row in found.rows.frame.to_dict("records")
    }


def of_everybody(found: Changes, *columns: str) -> dict[Any, tuple[Any, ...]]:
    return {key[1:]: row for key, row in rows_of(found, *columns).items()}


def use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DASHBOARD_{name.upper()}", value)
    settings.cache_clear()


def test_people_by_hand(engine: Engine) -> None:
    """52 began life satisfaction and 48 ended it, 40 are matched; 43 were asked of anxiety twice."""
    found = changes(engine)
    assert of_everybody(found, *COUNTS) == {
        LIFE: (50, 50, 40, 20, 10, 10),
        ANXIOUS: (45, 45, 45, 0, 25, 20),
        SWEMWBS: (50, 50, 50, 20, 20, 10),
        UCLA3: (40, 0, 0, 0, 0, 0),
        GP: (60, 50, 50, 20, 0, 30),
    }
    assert found.rows.people == PEOPLE == COUNTS
    assert found.unknown == ("GAD-7",)


def test_means_and_intervals_by_hand(engine: Engine) -> None:
    """To one decimal: 60 / 43 to six would say that it is 43 people."""
    found = of_everybody(changes(engine), *MEANS, "state")
    # The sample's standard deviation is sqrt(187.5 / 39) = 2.19, its mean's error 0.347.
    reach = T_39 * sqrt(187.5 / 39) / sqrt(40)
    assert found[LIFE] == (5.5, 6.2, 0.8, 2.2, round(0.75 - reach, 1), round(0.75 + reach, 1), "")
    # 20 fell by 3 and 23 stayed: squares 20 x (3 - 1.395)^2 + 23 x 1.395^2 = 96.28, over 42.
    assert found[ANXIOUS][:4] == (6.6, 5.2, -1.4, 1.5)
    # From (40 x 18.59 + 10 x 19.98)/50 = 18.868 by 0.542.
    assert found[SWEMWBS][:3] == (18.9, 19.4, 0.5)
    # From 5.2 to 4.4: 30 x (-2 + 0.8)^2 + 20 x (1 + 0.8)^2 = 108, over 49.
    reach = T_49 * sqrt(108 / 49) / sqrt(50)
    assert found[GP] == (5.2, 4.4, -0.8, 1.5, round(-0.8 - reach, 1), round(-0.8 + reach, 1), "")
    assert found[UCLA3] == (None,) * 6 + ("too few",)


def test_the_share_improved_by_hand(engine: Engine) -> None:
    """One point of life satisfaction is the threshold and counts; 0.66 of SWEMWBS do not. Less
    anxiety is better; of attendances neither end is. Wilson's limits of 20 of 40, from a table."""
    found = of_everybody(changes(engine), *SHARE)
    assert found[LIFE] == pytest.approx((0.5, 0.352, 0.648), abs=5e-4)
    assert found[ANXIOUS] == pytest.approx((20 / 45, 0.309, 0.588), abs=5e-4)
    assert found[SWEMWBS] == pytest.approx((0.4, 0.276, 0.538), abs=5e-4)
    assert found[GP] == found[UCLA3] == (None, None, None)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        (
            "sex",
            {
                ("female", *GP): (60, 50, ""), ("female", *ANXIOUS): (HIDDEN, HIDDEN, "hidden"),
                ("female", *LIFE): (50, 40, ""), ("female", *SWEMWBS): (50, 50, ""),
                ("male", *ANXIOUS): (40, 40, ""), ("male", *UCLA3): (40, 0, "too few"),
            },
        ),
        (
            "age band",
            {
                ("40-64", *GP): (60, 50, ""), ("18-39", *ANXIOUS): (HIDDEN, HIDDEN, "hidden"),
                ("40-64", *LIFE): (50, 40, ""), ("65-79", *SWEMWBS): (50, 50, ""),
                ("65-79", *ANXIOUS): (40, 40, ""), ("65-79", *UCLA3): (40, 0, "too few"),
            },
        ),
        (
            "ethnicity",
            {
                ("White", *GP): (60, 50, ""), ("Asian", *ANXIOUS): (HIDDEN, HIDDEN, "hidden"),
                ("White", *LIFE): (50, 40, ""), ("White", *SWEMWBS): (50, 50, ""),
                ("White", *ANXIOUS): (40, 40, ""), ("White", *UCLA3): (40, 0, "too few"),
            },
        ),
        (
            "fifth",
            {
                ("1", *GP): (60, 50, ""), ("2", *ANXIOUS): (HIDDEN, HIDDEN, "hidden"),
                ("1", *LIFE): (50, 40, ""), ("3", *SWEMWBS): (50, 50, ""),
                ("1", *ANXIOUS): (40, 40, ""), ("1", *UCLA3): (40, 0, "too few"),
            },
        ),
    ],
)  # fmt: skip
def test_each_category_by_hand(
    engine: Engine, category: str, expected: dict[Any, tuple[Any, ...]]
) -> None:
    """No row for everybody is left among the groups."""
    found = changes(engine, category)
    assert rows_of(found, "started", "pairs", "state") == expected
    hidden = [key for key, row in expected.items() if row[2] == "hidden"]
    means = rows_of(found, *MEANS, *SHARE)
    assert {means[key] for key in hidden} == {(None,) * 9}


def test_a_group_that_was_not_said_has_its_name(sqlite_engine: Engine) -> None:
    board = OutcomeBoard().with_people(fast={"sex": ""})
    board.but(scores=o.SCORES[:6], attendances=()).save(sqlite_engine)
    found = rows_of(changes(sqlite_engine, "sex"), "pairs", "mean_change")
    assert found == {("not said", *LIFE): (40, 0.8)}


# Scores of one question, each (people, before, after); and what is told of them.
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # Eight are shown as ten.
        ([(8, 4, 6)], (10, 2.0, 10, "")),
        ([(7, 4, 6)], (HIDDEN, None, HIDDEN, "hidden")),
        ([(60, 4, None)], (0, None, 0, "too few")),
        # How many fell is hidden; who rose is not, of all who are matched.
        ([(50, 4, 6), (7, 6, 4), (3, 6, 6)], (60, 1.4, 50, "")),
        # 20 of 22 would be 20 of 20 as they are shown: no more than all.
        ([(18, 4, 6), (4, 6, 6)], (20, 1.6, 20, "")),
        # 5 rose, and nobody says what share that is.
        ([(5, 4, 6), (20, 6, 6)], (25, 0.4, HIDDEN, "")),
    ],
)
def test_too_few_and_hidden(
    sqlite_engine: Engine, scores: list[tuple[int, float, float | None]], expected: tuple[Any, ...]
) -> None:
    told = tuple(Scores("fast", n, *LIFE, before, after) for n, before, after in scores)
    OutcomeBoard().but(scores=told, attendances=()).save(sqlite_engine)
    found = changes(sqlite_engine)
    assert of_everybody(found, "pairs", "mean_change", "rose", "state") == {LIFE: expected}
    share = of_everybody(found, "share_improved")[LIFE][0]
    is_told = expected[3] == "" and expected[2] != HIDDEN
    assert share == (expected[2] / expected[0] if is_told else None)


def test_nobody_asked(sqlite_engine: Engine) -> None:
    OutcomeBoard().but(scores=(), attendances=()).save(sqlite_engine)
    for category in ("all", "sex", "fifth"):
        found = changes(sqlite_engine, category)
        assert (len(found.rows.frame), found.unknown) == (0, ())
        assert {*PEOPLE, *MEANS, *SHARE, "state"} <= set(found.rows.frame)


def test_only_scores_that_no_scale_is_known_of(sqlite_engine: Engine) -> None:
    told = (Scores("fast", 20, "GAD-7", "total", 11, 4), Scores("fast", 20, "PHQ-9", "total", 9, 4))
    OutcomeBoard().but(scores=told, attendances=()).save(sqlite_engine)
    found = changes(sqlite_engine, "sex")
    assert (len(found.rows.frame), found.unknown) == (0, ("GAD-7", "PHQ-9"))


def test_a_network_and_another_board_have_only_their_own(engine: Engine) -> None:
    cohort = cohort_in(engine)
    south = Cohort(cohort.icb_code, o.AS_AT, cohort.first, cohort.last, (SOUTH,), False)
    assert set(of_everybody(changes_by(engine, EVERYTHING, south, "all"))) == {SWEMWBS}
    fifths = changes_by(engine, EVERYTHING, south, "fifth")
    assert set(rows_of(fifths)) == {("3", *SWEMWBS)}
    nobody = Scope(frozenset({b.NEIGHBOUR}))
    assert changes_by(engine, nobody, cohort, "all").rows.frame.empty
    assert distribution(engine, nobody, cohort, LIFE).frame[["before", "after"]].sum().sum() == 0


def test_the_distribution_adds_up(engine: Engine) -> None:
    """The 40 of life satisfaction, before and after: none of those asked once."""
    found = distribution(engine, EVERYTHING, cohort_in(engine), LIFE)
    frame = found.frame.set_index("label")[["before", "after"]]
    assert frame["before"][lambda people: people > 0].to_dict() == dict.fromkeys("4567", 10)
    assert frame["after"][lambda people: people > 0].to_dict() == {"5": 10, "6": 20, "8": 10}
    assert frame.index.tolist() == [str(score) for score in range(11)]
    assert frame.sum().to_dict() == {"before": 40, "after": 40}


def test_bands_of_a_distribution(engine: Engine) -> None:
    """Metric scores in bands of 4: 18.59 before, 19.98 and 19.25 after, and the other way round."""
    scores = distribution(engine, EVERYTHING, cohort_in(engine), SWEMWBS).frame.set_index("label")
    assert scores.index.tolist() == [f"{low} to under {low + 4}" for low in range(7, 35, 4)]
    assert scores["before"][lambda people: people > 0].to_dict() == {
        "15 to under 19": 40, "19 to under 23": 10,
    }  # fmt: skip
    assert scores["after"][lambda people: people > 0].to_dict() == {
        "15 to under 19": 10, "19 to under 23": 40,
    }  # fmt: skip


def test_bands_of_whole_numbers(sqlite_engine: Engine) -> None:
    """Attendances one by one up to 10, in bands of 4 with more."""
    told = (Scores("fast", 20, *GP, 7, 8), Scores("fast", 10, *GP, 0, 11))
    OutcomeBoard().but(scores=(), attendances=told).save(sqlite_engine)
    visits = distribution(sqlite_engine, EVERYTHING, cohort_in(sqlite_engine), GP).frame
    assert visits[["label", "before", "after"]].apply(tuple, axis=1).tolist() == [
        ("0 to 3", 10, 0), ("4 to 7", 20, 0), ("8 to 11", 0, 30),
    ]  # fmt: skip


def test_few_in_a_distribution_are_hidden_with_another(sqlite_engine: Engine) -> None:
    """6 and 12 of 18, shown as 20: 12 would leave 6 or 7 of the 6."""
    told = (Scores("fast", 6, *LIFE, 4, 5), Scores("fast", 12, *LIFE, 6, 5))
    OutcomeBoard().but(scores=told, attendances=()).save(sqlite_engine)
    found = distribution(sqlite_engine, EVERYTHING, cohort_in(sqlite_engine), LIFE).frame
    before = found[found["before_hidden"]]
    assert before["label"].tolist() == ["4", "6"]
    assert found.set_index("label").loc["5", "after"] == 20


def test_groups_do_not_give_each_other_away(sqlite_engine: Engine) -> None:
    """The same of women and men: all 18, shown as 20, are on the page beside them."""
    told = (Scores("fast", 6, *LIFE, 4, 6), Scores("slow", 12, *LIFE, 4, 6))
    OutcomeBoard().but(scores=told, attendances=()).save(sqlite_engine)
    assert of_everybody(changes(sqlite_engine), "pairs", "rose") == {LIFE: (20, 20)}
    found = rows_of(changes(sqlite_engine, "sex"), "pairs", "rose", "mean_change")
    assert found == {(sex, *LIFE): (HIDDEN, HIDDEN, None) for sex in ("female", "male")}


def everything(engine: Engine) -> dict[str, pd.DataFrame]:
    categories = ("sex", "ethnicity", "fifth")
    found = {category: changes(engine, category).rows.frame for category in categories}
    return found | {"scores": distribution(engine, EVERYTHING, cohort_in(engine), ANXIOUS).frame}


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_a_hidden_number_may_be_another_one(
    engine: Engine, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """4 for the 3 of the unanswered, and with other scores within the same band of the whole: no
    group's frame changes, nor the distribution of all, 23 and 24 being shown as 25."""
    use(monkeypatch, disclosure_profile=profile)
    changed = tuple(
        Scores("unanswered", 4, *ANXIOUS, 8, 8) if each.group == "unanswered" else each
        for each in o.SCORES
    )
    OutcomeBoard().but(scores=changed).save(sqlite_engine)
    here, there = everything(engine), everything(sqlite_engine)
    assert here["sex"]["pairs_hidden"].any()
    for name, frame in here.items():
        pd.testing.assert_frame_equal(frame, there[name], check_exact=True, obj=name)


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_no_small_number_of_people_is_released(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    use(monkeypatch, disclosure_profile=profile)
    for category in ("all", "sex", "fifth"):
        released = changes(engine, category).rows
        numbers: pd.Series[int] = pd.concat([released.frame[name].dropna() for name in PEOPLE])
        assert not numbers.between(1, 7).any()
        assert (numbers % 5 == 0).all()
        assert released.profile == PROFILES["opensafely" if profile == "opensafely" else "nhs"]


def test_a_mean_says_of_no_exact_number_of_people(engine: Engine) -> None:
    """With so many decimals as are released, each of the 8 to 62 people around is a candidate: a
    sum of whole scores over that many is shown the same."""
    found = of_everybody(changes(engine), "pairs", "mean_before", "mean_after")
    for question in (LIFE, ANXIOUS, GP):
        pairs, *means = found[question]
        for mean in means:
            fitting = [
                n
                for n in range(pairs - 2, pairs + 3)
                if any(round(total / n, 1) == mean for total in range(11 * n))
            ]
            assert fitting == list(range(pairs - 2, pairs + 3))


HEADINGS = "measure,item,least_change,source,status,note"


def shipped() -> list[str]:
    path = Path(__file__).resolve().parent.parent / "dashboard" / "meaningful_change.csv"
    return path.read_text(encoding="utf-8").splitlines()


def with_line(start: str, line: str | None) -> str:
    """The shipped thresholds with one line otherwise, or without it."""
    lines = [line if each.startswith(start) else each for each in shipped()]
    return "\n".join(each for each in lines if each is not None)


def thresholds(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(text, encoding="utf-8")
    use(monkeypatch, meaningful_change_file=str(path))


def test_the_thresholds_that_are_shipped() -> None:
    assert (threshold(LIFE).least_change, threshold(LIFE).status) == (1, "convention")
    assert (threshold(SWEMWBS).least_change, threshold(SWEMWBS).status) == (1, "published")
    assert (scale(LIFE).title, scale(GP).highest) == ("Life satisfaction", None)


def test_thresholds_of_ones_own(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above one point only the 10 who rose by 4 count, and the 10 who fell by 2 still do."""
    line = "ONS4,life satisfaction,1.01,Ours,convention,"
    thresholds(tmp_path / "ours.csv", with_line("ONS4,life", line), monkeypatch)
    assert threshold(LIFE).source == "Ours"
    found = of_everybody(changes(engine), *COUNTS, "share_improved")
    assert found[LIFE] == (50, 50, 40, 10, 20, 10, 0.25)
    assert found[ANXIOUS][3:6] == (0, 25, 20)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (None, "two.csv: no threshold for ONS4 life satisfaction"),
        ("ONS4,life satisfaction,0,Ours,convention,", "expected a least_change above 0, found '0'"),
        ("ONS4,life satisfaction,some,Ours,convention,", "above 0, found 'some'"),
        ("ONS4,life satisfaction,1,Ours,guess,", "published or convention, found 'guess'"),
        ("ONS4,life satisfaction,1,,convention,", "line 2: expected a source"),
        ("ONS4,satisfaction,1,Ours,convention,", "no measure and item 'ONS4 satisfaction'"),
        ("ONS4,happy,1,Ours,convention,", "ONS4 happy is there twice"),
        ("ONS4,life satisfaction,1", "expected 6 columns"),
    ],
)
def test_thresholds_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str | None, message: str
) -> None:
    thresholds(tmp_path / "two.csv", with_line("ONS4,life", line), monkeypatch)
    with pytest.raises(ValueError, match=message):
        threshold(LIFE)


def test_thresholds_with_other_columns_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = with_line("measure", HEADINGS.replace("least_change", "change"))
    thresholds(tmp_path / "three.csv", text, monkeypatch)
    with pytest.raises(ValueError, match="expected the columns measure, item, least_change"):
        threshold(LIFE)


@pytest.mark.slow
def test_both_databases_tell_the_same(engine: Engine, postgres_engine: Engine) -> None:
    OutcomeBoard().save(postgres_engine)
    for name, frame in everything(engine).items():
        there = everything(postgres_engine)[name]
        pd.testing.assert_frame_equal(frame, there, check_exact=True, obj=name)


def test_released_rows_are_of_groups_only(engine: Engine) -> None:
    assert set(changes(engine, "sex").rows.frame["value"]) == {"female", "male"}
    assert set(changes(engine).rows.frame["value"]) == {""}
