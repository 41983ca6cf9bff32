"""Filters in the words of the database (RFC 7644, 3.4.2.2): a condition that everybody who fits fulfils.

What can't be said so leaves everybody a candidate; the library then looks at each, and there must not be too many.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from scim2_models.path import CompareOperator, FilterVisitor, LogicalOperator

from idp.models import Account, AffiliationRow, Order, OrderLine, Person, ScimExternalId

Condition = sa.ColumnElement[bool]


class Narrowed(FilterVisitor[Condition | None]):
    """None: every row stays a candidate."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id

    def visit_comparison(self, node: Any) -> Condition | None:
        """Equality of what is found by an index; and what is new since a moment."""
        path = ".".join(part for part in (node.attr_path.attr, node.attr_path.sub_attr) if part).lower()
        if path == "meta.lastmodified" and node.op in (CompareOperator.gt, CompareOperator.ge):
            return _changed_since(str(node.value))
        if node.op != CompareOperator.eq or not isinstance(node.value, str):
            return None
        return self._equals(path, node.value) if node.value.isprintable() else sa.false()

    def _equals(self, path: str, value: str) -> Condition | None:
        if path == "username":
            return Person.employee_no == value
        if path == "id":
            return Person.id == read_id(value)
        if path == "externalid":
            own = (ScimExternalId.client_id == self.client_id, ScimExternalId.external_id == value)
            return Person.id.in_(sa.select(ScimExternalId.person_id).where(*own))
        if path in ("emails", "emails.value"):
            return Person.id.in_(sa.select(Account.person_id).where(Account.email == value.lower()))
        if path in ("groups", "groups.value"):
            return Person.id.in_(sa.select(AffiliationRow.person_id).where(AffiliationRow.department == value))
        return None

    def visit_logical_expr(self, node: Any) -> Condition | None:
        """Of «and» what can be said is enough; of «or» all must be said."""
        parts = [self.visit(term) for term in node.terms]
        said = [part for part in parts if part is not None]
        if node.op == LogicalOperator.and_:
            return sa.and_(*said) if said else None
        return sa.or_(*said) if len(said) == len(parts) else None

    def visit_present(self, node: Any) -> Condition | None:
        return None

    def visit_not(self, node: Any) -> Condition | None:
        return None

    def visit_value_path(self, node: Any) -> Condition | None:
        return None


def _changed_since(text: str) -> Condition | None:
    """Whom an order is about that arrived then or later; nothing where the moment can't be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    later = sa.select(OrderLine.person_id).join(Order, Order.id == OrderLine.order_pk)
    return sa.or_(Person.created_at >= moment, Person.id.in_(later.where(Order.received_at >= moment)))


def read_id(text: str) -> UUID:
    """As it is written in resources; whatever else is nobody's."""
    try:
        found = UUID(text)
    except ValueError:
        return UUID(int=0)
    return found if str(found) == text else UUID(int=0)
