import re
from collections import Counter

import pytest

from fankeep.errors import ConfigurationError
from fankeep.fanvue import (
    COMPONENTS,
    OPERATIONS,
    SCOPES,
    Personal,
    SideEffect,
    answer_schema,
    body_schema,
    component_schema,
    leaf_paths,
    operation,
    query_schema,
)

each_operation = pytest.mark.parametrize("op", OPERATIONS.values(), ids=lambda op: op.id)


def test_the_whole_contract_is_there():
    assert len(OPERATIONS) == 143
    assert len(COMPONENTS) == 25
    assert len({(op.method, op.path) for op in OPERATIONS.values()}) == 143


@each_operation
def test_scopes_are_in_the_catalogue(op):
    assert op.scopes
    assert set(op.scopes) <= SCOPES.keys()


@each_operation
def test_every_leaf_of_the_answer_has_a_class(op):
    answer = answer_schema(op)
    assert op.personal.keys() == set([] if answer is None else leaf_paths(answer))
    assert all(isinstance(found, Personal) for found in op.personal.values())


@each_operation
def test_schemas_of_query_and_body_are_readable(op):
    assert set(query_schema(op).fields) == {name.rstrip("?~") for name in op.query}
    assert (body_schema(op) is None) == (op.body is None)
    assert not (op.body is None and op.body_required)


@each_operation
def test_path_parameters_are_declared_in_the_order_of_the_template(op):
    assert list(op.params) == re.findall(r"\{(\w+)\}", op.path)


@each_operation
def test_an_answer_without_a_body_is_a_204(op):
    assert (op.answer is None) == (op.status == 204)


def test_side_effects_are_counted():
    assert Counter(op.side_effect for op in OPERATIONS.values()) == {
        SideEffect.NONE: 82,
        SideEffect.MARKS_READ: 2,
        SideEffect.IDEMPOTENT_WRITE: 21,
        SideEffect.CREATES: 10,
        SideEffect.SENDS: 12,
        SideEffect.DELETES: 16,
    }


@each_operation
def test_what_changes_nothing_needs_no_write_scope_but_for_upload_addresses(op):
    reads = op.side_effect in {SideEffect.NONE, SideEffect.MARKS_READ}
    writes = any(scope.startswith("write:") for scope in op.scopes)
    if "UploadPartUrl" in op.id:
        assert reads
    else:
        assert reads != writes


@each_operation
def test_a_delete_never_counts_as_a_read(op):
    if op.method != "GET":
        assert op.side_effect is not SideEffect.MARKS_READ
    if op.method == "DELETE":
        assert op.side_effect in {SideEffect.DELETES, SideEffect.IDEMPOTENT_WRITE}


@pytest.mark.parametrize(
    ("name", "effect", "repeatable"),
    [
        ("sendMessage", "sends", False),
        ("sendCreatorMassMessage", "sends", False),
        ("createPost", "sends", False),
        ("repostPost", "sends", False),
        ("createAgencyInvite", "sends", False),
        ("createTrackingLink", "creates", False),
        ("grantMedia", "idempotent_write", True),
        ("updateChat", "idempotent_write", True),
        ("listMessages", "marks_read", True),
        ("messagesBatch", "none", True),
        ("getCurrentUser", "none", True),
        ("deletePost", "deletes", True),
    ],
)
def test_repeating_is_safe_unless_it_reaches_or_makes_something_twice(name, effect, repeatable):
    op = operation(name)
    assert (op.side_effect, op.repeatable) == (effect, repeatable)


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        ("getCurrentUser", "email", Personal.CONTACT),
        ("getCurrentUser", "handle", Personal.PROFILE),
        ("getCurrentUser", "uuid", Personal.ID),
        ("listTeamMembers", "[].email", Personal.CONTACT),
        ("listMessages", "data[].text", Personal.CONTENT),
        ("listMessages", "data[].sender.handle", Personal.PROFILE),
        ("listMessages", "data[].pricing.USD.price", Personal.MONEY),
        ("listChats", "data[].lastMessage.text", Personal.CONTENT),
        ("listChats", "data[].user.nickname", Personal.PROFILE),
        ("messagesBatch", "byChat{}.messages[].text", Personal.CONTENT),
        ("getBatchStatuses", "{}.lastSeenAt", Personal.TIME),
        ("getBulkMedia", "results{}.variants[].url", Personal.CONTENT),
        ("getBulkMedia", "results{}.tags.people[]", Personal.CONTENT),
        ("getUploadPartUrl", "", Personal.CONTENT),
        ("getUserTrackingMetadata", "metadata{}", Personal.CONTENT),
        ("listNotifications", "data[].data{}", Personal.CONTENT),
        ("getSubscribers", "data[].total", Personal.STATE),
        ("getFanInsights", "spending.total.total", Personal.MONEY),
        ("listFollowers", "pagination.page", Personal.NONE),
    ],
)
def test_fields_are_classed_by_what_they_say_about_a_person(name, path, found):
    assert operation(name).personal[path] is found


def test_names_have_one_class_wherever_they_stand():
    always = {
        "email": Personal.CONTACT,
        "text": Personal.CONTENT,
        "url": Personal.CONTENT,
        "caption": Personal.CONTENT,
        "handle": Personal.PROFILE,
        "displayName": Personal.PROFILE,
        "nickname": Personal.PROFILE,
        "avatarUrl": Personal.PROFILE,
        "price": Personal.MONEY,
        "userUuid": Personal.ID,
        "createdAt": Personal.TIME,
    }
    for op in OPERATIONS.values():
        for path, found in op.personal.items():
            name = path.rstrip("[]{}").rpartition(".")[2]
            assert found is always.get(name, found), (op.id, path)


def test_components_are_readable_or_refused():
    assert component_schema("schemas/PostAudience").values == ("subscribers", "followers-and-subscribers")
    assert component_schema("responses/RateLimitResponse").fields.keys() == {"error"}
    with pytest.raises(ConfigurationError):
        component_schema("info")
    with pytest.raises(ConfigurationError):
        component_schema("schemas/Nothing")


def test_an_operation_that_does_not_exist_is_a_configuration_error():
    with pytest.raises(ConfigurationError):
        operation("getEverything")
