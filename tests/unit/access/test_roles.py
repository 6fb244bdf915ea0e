"""One table decides who may do what."""

import pytest

from terrafusion_lib.access.roles import (
    LAB_ROLES,
    PERMISSIONS,
    ROLES,
    counties_of,
    groups_with,
    may,
)


def test_roles_grant_known_permissions_only() -> None:
    for role, granted in ROLES.items():
        assert granted <= PERMISSIONS, role


@pytest.mark.parametrize(
    ("role", "permission", "granted"),
    [
        ("clerk", "reporting:view", True),
        ("clerk", "dashboard:view", False),
        ("supervisor", "dashboard:view", True),
        ("supervisor", "valuation:run", False),
        ("auditor", "audit:view", True),
        ("auditor", "reporting:run", False),
        ("analyst", "valuation:run", True),
        ("analyst", "valuation:approve", False),
        ("analyst", "reporting:view_sensitive", False),
        ("assessor", "valuation:approve", True),
        ("assessor", "users:edit", False),
        ("it_admin", "users:edit", True),
    ],
)
def test_what_each_role_may(role: str, permission: str, granted: bool) -> None:
    assert may([f"benton_wa:{role}"], "benton_wa", permission) is granted


def test_a_role_counts_in_its_own_county_only() -> None:
    groups = ["benton_wa:assessor", "king_wa:clerk"]
    assert not may(groups, "king_wa", "valuation:run")
    assert not may(groups, "benton", "valuation:run")
    assert counties_of(groups, "dashboard:view") == ["benton_wa"]
    assert counties_of(groups, "reporting:view") == ["benton_wa", "king_wa"]


@pytest.mark.parametrize("group", ["", "benton_wa", "benton_wa:", ":assessor", "benton_wa:owner"])
def test_a_group_that_is_no_role_grants_nothing(group: str) -> None:
    assert not may([group], "benton_wa", "dashboard:view")
    assert "benton_wa" not in counties_of([group], "dashboard:view")


def test_a_misspelled_permission_is_an_error_and_not_a_refusal() -> None:
    with pytest.raises(ValueError, match="valuation:aprove"):
        may([], "benton_wa", "valuation:aprove")


def test_groups_that_may_open_the_dashboard() -> None:
    groups = groups_with("dashboard:view", ["king_wa", "benton_wa"])
    assert groups == sorted(groups)
    assert "king_wa:supervisor" in groups
    assert not any(group.endswith(":clerk") for group in groups)


def test_only_roles_that_run_something_have_a_jupyterlab() -> None:
    for role in LAB_ROLES:
        assert "pipeline:run" in ROLES[role]
