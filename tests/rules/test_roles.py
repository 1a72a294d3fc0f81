"""Who may do what."""

from __future__ import annotations

import pytest

from dashboard.rules import roles
from dashboard.rules.roles import GIVE_ACCESS, LOAD, MEET, READ, SET_TARGETS, WRITE

NOBODY_SAID = "juggle"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("icb_lead", {READ, WRITE, MEET, SET_TARGETS}),
        ("pcn_lead", {READ, WRITE}),
        ("commissioner", {READ, WRITE, MEET, SET_TARGETS}),
        ("ot_lead", {READ, WRITE, MEET}),
        ("analyst", {READ, WRITE, MEET, LOAD}),
        ("administrator", {GIVE_ACCESS}),
        ("visitor", set()),
    ],
)
def test_what_a_role_allows(role: str, allowed: set[str]):
    assert {what for what in roles.MAY if roles.may([role], what)} == allowed


def test_roles_add_up():
    both = ["administrator", "ot_lead"]
    assert roles.may(both, GIVE_ACCESS)
    assert roles.may(both, MEET)
    assert not roles.may(both, LOAD)
    assert not roles.may([], READ)


def test_what_nobody_knows_is_no_permission():
    with pytest.raises(KeyError):
        roles.may(["icb_lead"], NOBODY_SAID)


def test_every_role_is_given_for_something():
    assert set(roles.AREAS) == set(roles.ROLES)
    assert roles.AREAS["pcn_lead"] == ("pcn",)
    assert roles.AREAS["administrator"] == ("all",)
