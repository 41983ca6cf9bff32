"""What people and departments look like over SCIM (RFC 7643).

An attribute that HR may not set is readOnly here, and one that does not exist here is refused by the library.  Personal
numbers, birth dates, home addresses and personal mail are no attributes at all.
"""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import EmailStr, Field, create_model
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

LARGEST_PAGE = 200
TEXT = Annotated[str | None, Mutability.read_only]


class Name(ComplexAttribute):
    """The parts as orders have them; the middle name is the patronymic."""

    family_name: Annotated[str | None, Required.true] = None
    given_name: Annotated[str | None, Required.true] = None
    middle_name: str | None = None


class Email(ComplexAttribute):
    """The university's address."""

    value: Annotated[EmailStr | None, Mutability.read_only] = None
    type: TEXT = None
    primary: Annotated[bool | None, Mutability.read_only] = None


class Membership(ComplexAttribute):
    """A department somebody works in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: TEXT = None


class User(Resource[AnyExtension]):
    """An employee.  `userName` is the number HR knows them by: logins are ours to give, and never change."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Mutability.immutable, Uniqueness.server, CaseExact.true] = None
    name: Annotated[Name | None, Required.true] = None
    display_name: TEXT = None
    title: Annotated[str | None, Required.true] = None
    active: Annotated[bool | None, Required.true] = None
    emails: Annotated[list[Email] | None, Mutability.read_only] = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """Somebody who works there."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.read_only] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: TEXT = None
    display: TEXT = None


class Group(Resource[Any]):
    """A department.  Which there are stands in the profile; who works there, orders say."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: TEXT = None
    members: Annotated[list[Member] | None, Mutability.read_only] = None


class Employment(Extension):
    """Of the enterprise extension what orders know and `userName` does not say."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    department: Annotated[str | None, Required.true, CaseExact.true] = None


def provider_for(departments: Iterable[str]) -> ScimProvider:
    """The service as discovery tells it; `departments` are suggested as values, others that exist are taken too."""
    suggested = Field(None, examples=sorted(departments))
    extension: Any = create_model(
        "EnterpriseUser", __base__=Employment,
        department=(Annotated[str | None, Required.true, CaseExact.true], suggested),
    )  # fmt: skip
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=LARGEST_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0 client credentials",
                description="Scopes scim.read and scim.write",
                primary=True,
            )
        ],
    )
    person: Any = Annotated[extension, Required.true]
    types = [ResourceType.from_resource(User[person]), ResourceType.from_resource(Group)]
    return ScimProvider(models=[User, extension, Group], resource_types=types, config=config)
