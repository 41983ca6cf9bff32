"""The tables, one family per file.  A row knows of itself and nothing else; what happens stands in `idp/flows/`."""

from idp.models.access_decision import AccessDecision
from idp.models.account import Account
from idp.models.agreement import Acceptance, AgreementText
from idp.models.audit import AuditDay, AuditRecord
from idp.models.circuit import Circuit
from idp.models.client import Client, InitialAccessToken, SpentJti
from idp.models.consent import Consent
from idp.models.credential import Activation, AddressProof, Credential, Recovery, RecoveryRequest
from idp.models.department import Department
from idp.models.device_guesses import DeviceGuesses
from idp.models.event_notice import EventNotice
from idp.models.factor import Factor, FactorReset, RecoveryCode
from idp.models.grant import AuthorizationCode, AuthorizationRequest, DeviceCode, Grant, RefreshToken
from idp.models.link import Link
from idp.models.lockout import KnownDevice, LockNotice, Lockout
from idp.models.logout_notice import LogoutNotice
from idp.models.misuse import MisuseReport
from idp.models.officer import Officer
from idp.models.order import Delivery, Order, OrderImport, OrderLine
from idp.models.person import AffiliationRow, Person
from idp.models.scan import Finding, Scan
from idp.models.scim import ScimExternalId, ScimPerson
from idp.models.session import Session
from idp.models.signing_key import SigningKey
from idp.models.statement import Statement
from idp.models.system import System
from idp.models.task import Attachment, Message, Task

__all__ = [
    "Acceptance",
    "AccessDecision",
    "Account",
    "Activation",
    "AddressProof",
    "AffiliationRow",
    "AgreementText",
    "Attachment",
    "AuditDay",
    "AuditRecord",
    "AuthorizationCode",
    "AuthorizationRequest",
    "Circuit",
    "Client",
    "Consent",
    "Credential",
    "Delivery",
    "Department",
    "DeviceCode",
    "DeviceGuesses",
    "EventNotice",
    "Factor",
    "FactorReset",
    "Finding",
    "Grant",
    "InitialAccessToken",
    "KnownDevice",
    "Link",
    "LockNotice",
    "Lockout",
    "LogoutNotice",
    "Message",
    "MisuseReport",
    "Officer",
    "Order",
    "OrderImport",
    "OrderLine",
    "Person",
    "Recovery",
    "RecoveryCode",
    "RecoveryRequest",
    "RefreshToken",
    "Scan",
    "ScimExternalId",
    "ScimPerson",
    "Session",
    "SigningKey",
    "SpentJti",
    "Statement",
    "System",
    "Task",
]
