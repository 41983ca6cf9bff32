"""Between the library's resources and the flows: reading employees and departments, and having orders given."""

import hashlib
import json
from typing import Any, NoReturn, Union, cast

import sqlalchemy as sa
from flask import g
from scim2_models import (
    ConflictException,
    InvalidValueException,
    Meta,
    MutabilityException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimFilter,
    ScimProvider,
    SearchRequest,
    TooManyException,
    UniquenessException,
)
from scim2_server.errors import MethodNotAllowedException
from scim2_server.storage import ScimStorage, SearchPage
from scim2_server.utils import parametrize

from idp.api.scim.conditions import Narrowed, read_id
from idp.api.scim.schema import Employment, Group, User
from idp.db import db
from idp.flows.employees import Seen, Unit, count_employees, employee, employees, units
from idp.flows.person_by_orders import (
    Refused,
    Taken,
    Waits,
    add_employee,
    change_employee,
    hold_employee,
    remove_employee,
)
from policies.person_orders import NOT_BEGUN, SEVERAL, Employee, Unfit

MOST_LOOKED_AT = 2000  # employees that a filter or a sort the database can't carry out may be tried on
ANYBODY = sa.true()


class PeopleStorage(ScimStorage):
    """Employees and departments, seen by the client that asks (`g.scim_client`)."""

    def __init__(self, provider: ScimProvider) -> None:
        self.provider = provider

    def get(
        self, resource_type: ResourceType, resource_id: str, *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:  # fmt: skip
        """Raises `NotFoundException`, for who was deleted too."""
        if resource_type.name == "Group":
            found = units(g.here, resource_id) if resource_id.isprintable() else []
            return self._group(found[0]) if found else _missing(resource_id)
        seen = employee(g.here, g.scim_client, read_id(resource_id))
        return self._user(seen) if seen else _missing(resource_id)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """One page; pages beyond the end are empty.  Raises `TooManyException`."""
        start, most = search_request.start_index_0 or 0, search_request.count
        if [one.name for one in resource_types] == ["User"] and not (search_request.filter or search_request.sort_by):
            page = employees(g.here, g.scim_client, ANYBODY, start, most)
            return SearchPage(count_employees(ANYBODY), [self._user(seen) for seen in page])
        found = self._candidates(resource_types, search_request)
        if search_request.filter is not None:
            told = self._of_all_kinds(search_request.filter)
            found = [one for one in found if told.match(one)]
        if search_request.sort_by is not None:
            _sort(found, search_request)
        return SearchPage(len(found), found[start : None if most is None else start + most])

    def _of_all_kinds(self, told: Any) -> Any:
        """A filter at the root comes without the kinds it is about (RFC 7644, 3.4.2.1)."""
        models = tuple(cast(Any, self.provider.model_for(one)) for one in self.provider.resource_types)
        return told if told.models else parametrize(ScimFilter, Union[models])(str(told))  # noqa: UP007  # at run time

    def _candidates(self, types: list[ResourceType], asked: SearchRequest[Any]) -> list[Resource[Any]]:
        found: list[Resource[Any]] = []
        for one in types:
            if one.name == "Group":
                found += [self._group(unit) for unit in units(g.here)]
                continue
            said = Narrowed(g.scim_client).visit(asked.filter.ast) if asked.filter is not None else None
            condition = ANYBODY if said is None else said
            if count_employees(condition) > MOST_LOOKED_AT:
                raise TooManyException(detail="filter by userName, id, externalId, emails.value or groups.value first")
            found += [self._user(seen) for seen in employees(g.here, g.scim_client, condition)]
        return found

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """A hire.  Raises what `_error` says."""
        _of_people(resource_type)
        made = add_employee(g.here, g.scim_client, _told(resource), resource.external_id)
        return self._user(made) if isinstance(made, Seen) else _refuse(made)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Orders for what differs.  Raises what `_error` says."""
        _of_people(resource_type)
        before = self._held(str(resource.id), expected_version)
        made = change_employee(g.here, g.scim_client, before, _told(resource), resource.external_id)
        return self._user(made) if isinstance(made, Seen) else _refuse(made)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """A dismissal; the resource is gone after it (RFC 7644, 3.6)."""
        _of_people(resource_type)
        refused = remove_employee(g.here, g.scim_client, self._held(resource_id, expected_version))
        if refused:
            _refuse(refused)

    def _held(self, resource_id: str, expected_version: str | None) -> Seen:
        """As the person is now that nobody else changes them."""
        before = hold_employee(g.here, g.scim_client, read_id(resource_id))
        if before is None:
            _missing(resource_id)
        meta = self._user(before).meta
        if expected_version is not None and meta is not None and meta.version != expected_version:
            raise PreconditionFailedException(detail="the resource was changed meanwhile")
        return before

    def _user(self, seen: Seen) -> Resource[Any]:
        told = seen.employee
        name = {"familyName": told.family, "givenName": told.given, "middleName": told.patronymic}
        places = sorted({post.department for post in seen.posts if post.department})
        groups = [{"value": code, "$ref": f"Groups/{code}"} for code in places]
        emails = [{"value": seen.email, "type": "work", "primary": True}] if seen.email else None
        body = {
            "schemas": [str(User.__schema__), str(Employment.__schema__)],
            "id": str(seen.id), "externalId": seen.external_id, "userName": told.number, "name": name,
            "displayName": " ".join(part for part in (told.family, told.given, told.patronymic) if part),
            "title": told.title or None, "active": told.active, "emails": emails, "groups": groups or None,
            str(Employment.__schema__): {"department": told.department or None},
        }  # fmt: skip
        return self._resource("User", body, seen)

    def _group(self, unit: Unit) -> Resource[Any]:
        members = [{"value": str(one), "$ref": f"Users/{one}", "type": "User", "display": name}
                   for one, name in unit.members]  # fmt: skip
        body = {"schemas": [str(Group.__schema__)], "id": unit.code, "displayName": unit.name,
                "members": members or None}  # fmt: skip
        return self._resource("Group", body, None)

    def _resource(self, kind: str, body: dict[str, Any], seen: Seen | None) -> Resource[Any]:
        """The version is a digest of what the client sees: it changes with whatever changed it, order or not."""
        resource_type = next(one for one in self.provider.resource_types if one.name == kind)
        model = cast(type[Resource[Any]], self.provider.model_for(resource_type))
        made = model.model_validate(body)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]
        made.meta = Meta(
            resource_type=kind, version=f'W/"{digest}"',
            created=seen.created_at if seen else None, last_modified=seen.changed_at if seen else None,
        )  # fmt: skip
        return made


def _told(resource: Any) -> Employee:
    """What the client says; the library has checked that what is needed is there."""
    name, work = resource.name, _work(resource)
    return Employee(
        resource.user_name, name.family_name, name.given_name, name.middle_name or None, work, resource.title,
        resource.active,
    )  # fmt: skip


def _work(resource: Any) -> str:
    for model in type(resource).get_extension_models().values():
        found = resource[model]
        if found is not None and found.department is not None:
            return str(found.department)
    raise InvalidValueException(detail="department is required")


def _of_people(resource_type: ResourceType) -> None:
    """Departments stand in the profile (decision 0013)."""
    if resource_type.name != "User":
        raise MethodNotAllowedException(allowed=["GET"], detail="groups are the departments of the profile: read only")


def _missing(resource_id: str) -> NoReturn:
    raise NotFoundException(detail=f"Resource {resource_id[:64]} not found")


def _refuse(refused: Refused) -> NoReturn:
    """An order that waits is kept; all else leaves nothing behind."""
    if not isinstance(refused, Waits):
        db.session.rollback()
    raise _error(refused)


def _error(refused: Refused) -> SCIMException:
    """409 for a number that is taken and for what waits for a person; 400 for what no order can say."""
    if isinstance(refused, Taken):
        return UniquenessException(detail="userName: somebody has this number")
    if isinstance(refused, Waits):
        detail = f"{refused.attribute}: the order was kept and waits for a person ({refused.reason})"
        return ConflictException(detail=detail)
    assert isinstance(refused, Unfit)  # noqa: S101  # the only kind left
    kind = MutabilityException if refused.reason in (NOT_BEGUN, SEVERAL) else InvalidValueException
    return kind(detail=f"{refused.attribute}: {refused.reason}")


def _sort(found: list[Resource[Any]], asked: SearchRequest[Any]) -> None:
    """Who has no such value comes last, or first where the order is turned round (RFC 7644, 3.4.2.3)."""

    def key(one: Resource[Any]) -> tuple[bool, Any, str]:
        value = asked.sort_value(one)
        return value is None, "" if value is None else value, str(one.id)

    found.sort(key=key, reverse=asked.sort_order == SearchRequest.SortOrder.descending)
