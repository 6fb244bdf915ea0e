"""The table of permissions: what every role may do, and that a later plugin needs no edit."""

import pytest

from terrafusion_lib.access.grants import Grants
from terrafusion_lib.access.roles import ROLES, granted_to, groups_with, roles_with
from terrafusion_lib.core.registry import PLUGINS

VIEWS = {
    "valuation:view", "reporting:view", "market_analysis:view", "gis_export:view",
    "dashboard:view", "audit:view", "pipeline:view", "users:view",
}  # fmt: skip
RUNS = {
    "valuation:run", "reporting:run", "market_analysis:run", "gis_export:run", "pipeline:run",
}  # fmt: skip
OTHERS = {"valuation:approve", "reporting:view_sensitive", "config:edit", "users:edit"}
MATRIX = {
    "clerk": {"reporting:view"},
    "auditor": VIEWS | {"reporting:view_sensitive"},
    "supervisor": VIEWS | {"reporting:run", "reporting:view_sensitive"},
    "analyst": VIEWS | RUNS,
    "assessor": VIEWS | RUNS | {"valuation:approve", "reporting:view_sensitive"},
    "it_admin": VIEWS | RUNS | OTHERS,
}
"""Every permission there is, by role."""


@pytest.mark.parametrize("role", ROLES)
def test_what_each_role_may(role: str) -> None:
    assert {name for name in VIEWS | RUNS | OTHERS if name in ROLES[role]} == MATRIX[role]


def test_roles_grant_together_and_an_unknown_one_grants_nothing() -> None:
    both = granted_to(["clerk", "supervisor"])
    assert both == ROLES["clerk"] | ROLES["supervisor"]
    assert not granted_to(["owner", ""])


def test_a_plugin_that_comes_later_is_permitted_without_an_edit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="sketches"):
        "sketches:run" in ROLES["analyst"]  # noqa: B015
    monkeypatch.setattr(type(PLUGINS), "names", lambda _: ["sketches"])
    assert roles_with("sketches:run") == ["analyst", "assessor", "it_admin"]
    assert "clerk" not in roles_with("sketches:view")
    assert roles_with("sketches:redraw") == ["it_admin"]


@pytest.mark.parametrize(
    ("permission", "nearest"),
    [
        ("valuatoin:run", "valuation:run"),
        ("dashbord:view", "dashboard:view"),
        ("zzz:run", ""),
        ("valuation", ""),
        ("valuation:", ""),
        (":run", ""),
        ("", ""),
        ("valuation:*", ""),
        ("*:run", ""),
    ],
)
@pytest.mark.parametrize("grants", [Grants(), ROLES["it_admin"]])
def test_a_misspelled_permission_is_a_mistake_and_not_a_refusal(
    grants: Grants, permission: str, nearest: str
) -> None:
    with pytest.raises(
        ValueError, match=f"did you mean {nearest}" if nearest else "not a permission"
    ):
        permission in grants  # noqa: B015


def test_a_view_is_not_a_sensitive_view() -> None:
    assert "reporting:view_sensitive" not in Grants.of("*:view")
    assert "gis_export:run" not in Grants.of("valuation:*")
    assert Grants.of("valuation:*").lacking(["gis_export:run", "valuation:run", "users:edit"]) == [
        "gis_export:run",
        "users:edit",
    ]


def test_grants_list_their_patterns() -> None:
    assert list(ROLES["analyst"]) == ["*:run", "*:view"]
    assert len(ROLES["analyst"]) == 2
    assert not Grants()


def test_groups_that_may_open_the_dashboard() -> None:
    groups = groups_with("dashboard:view", ["king_wa", "benton_wa"])
    assert groups == sorted(groups)
    assert "king_wa:supervisor" in groups
    assert not any(group.endswith(":clerk") for group in groups)
