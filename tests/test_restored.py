"""What is said of a link that names what is not there, and of what came along."""

from __future__ import annotations

from dashboard.restored import TITLES, restored_words, told

NAMES = {"E07000901": "Northam", "U90001": "North PCN"}


def test_what_is_not_there_is_said_with_what_is_shown_instead() -> None:
    asked = {"icb": "QZ1", "pcn": "U99999", "ward": "E05999999", "months": "24"}
    assert told(asked, {"icb": "QZ1", "pcn": "", "ward": "", "months": "24"}) == [
        "The link names a network that is not there: all networks are shown.",
        "The link names a ward that is not there: no ward is picked.",
    ]
    assert told({"icb": "QZ9"}, {"icb": "QZ1"}) == [
        "The link names a board that is not there: another board is shown."
    ]
    assert told({"months": "13"}, {"months": "24"}) == [
        "The link names a number of months that is not there: the usual is shown."
    ]


def test_what_is_there_is_not_said() -> None:
    everything = dict.fromkeys(TITLES, "x")
    assert told(everything, everything) == []
    assert told({"pcn": ""}, {"pcn": "U90001"}) == []
    # What is no choice of ours is nobody's business.
    assert told({"evil": "x"}, {}) == []


def test_what_came_along_by_name() -> None:
    used = {"icb": "QZ1", "locality": "E07000901", "pcn": "U90001", "months": "24"}
    assert restored_words(used, NAMES) == "locality Northam, network North PCN"
    assert restored_words({"pcn": "U90002"}, NAMES) == ""
    assert restored_words({"icb": "QZ1", "pcn": ""}, NAMES) == ""
