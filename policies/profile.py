"""The institution as data: its rules, departments, programmes, systems and agreements.  Regulation 3.1, 6.2, annex.

Owns the shape of a profile.  Leaves alone how one is written and checked (`profile_text`), and which days are holidays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address
from zoneinfo import ZoneInfo

from policies.access import SystemRule
from policies.agreement import Agreement
from policies.brakes import BrakeRules
from policies.deadlines import Calendar
from policies.factors import FactorRules
from policies.leaves import LeaveRules
from policies.lockout import LockoutRules
from policies.passwords import PasswordRules
from policies.reconciliation import ReconciliationRules
from policies.recovery import RecoveryRules
from policies.sessions import SessionRules
from policies.throttle import ThrottleRules
from policies.tokens import TokenRules


@dataclass(frozen=True, slots=True)
class Names:
    """A name in the three languages of the house."""

    ky: str
    ru: str
    en: str

    def to(self, language: str) -> str:
        """The name for readers of a language; in one we do not speak, the Kyrgyz one."""
        return {"ky": self.ky, "ru": self.ru, "en": self.en}.get(language, self.ky)


@dataclass(frozen=True, slots=True)
class Institution:
    """Who runs the service."""

    code: str
    names: Names
    domain: str  # of the corporate addresses
    country: str  # ISO 3166-1 alpha-2; whose public holidays count
    timezone: str  # IANA name; deadlines are days there
    languages: tuple[str, ...]  # of pages and mails, the default first
    networks: tuple[IPv4Network | IPv6Network, ...] = ()  # its own, so that people are told what is inside

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of all local days."""
        return ZoneInfo(self.timezone)

    def is_inside(self, address: str | None) -> bool:
        """Whether an IP address belongs to its networks; what is no address, as proxies may tell it, does not."""
        try:
            return any(ip_address(address or "") in network for network in self.networks)
        except ValueError:
            return False


class InitialCredentials(Enum):
    """How people come to their first password, 4.4.  It is never mailed itself."""

    LINK = "link"  # mailed as soon as there is an account
    SLIP = "slip"  # nothing is, an officer prints one


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the Regulation, as this institution sets them."""

    password: PasswordRules
    lockout: LockoutRules
    throttle: ThrottleRules
    factors: FactorRules
    working_days: int  # to give or close access, 3.5 and 3.7
    initial_credentials: InitialCredentials
    initial_credentials_days: int  # working days to change the initial password, 5.1
    session: SessionRules
    officer_session: SessionRules
    tokens: TokenRules
    recovery: RecoveryRules
    leaves: LeaveRules
    brakes: BrakeRules
    reconciliation: ReconciliationRules


@dataclass(frozen=True, slots=True)
class Department:
    """A unit of the institution; `parent` is the code of the unit above."""

    code: str
    names: Names
    parent: str | None


@dataclass(frozen=True, slots=True)
class Programme:
    """A study programme and the department (faculty) it belongs to."""

    code: str
    names: Names
    department: str


@dataclass(frozen=True, slots=True)
class System:
    """An information system of the annex: how it is reached, who has it, which department answers for it."""

    code: str
    names: Names
    kind: str  # which connector: unet, moodle, mail, manual
    audience: frozenset[str]
    departments: frozenset[str]
    programs: frozenset[str]
    on_request: bool
    report_sections: bool
    responsible: str
    e_signature: bool
    claims: frozenset[str]  # of a person's, those its clients may learn at most (policies/claims.py)
    url: str = ""  # where people open it, https
    positions: frozenset[str] = frozenset()  # codes or titles
    programmes: frozenset[str] = frozenset()  # codes of studies and courses
    needs_agreement: str = ""  # code of the agreement without which nobody has it

    @property
    def rule(self) -> SystemRule:
        """The part of it that decides who has access."""
        return SystemRule(
            self.code, self.audience, self.departments, self.programs, self.on_request, self.report_sections,
            self.positions, self.programmes, self.needs_agreement,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AgreementTexts:
    """An agreement in force, its name and text by language."""

    current: Agreement
    names: Names
    texts: Mapping[str, str]

    @property
    def code(self) -> str:
        """What it is called in the profile, through all its versions."""
        return self.current.code


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything about an institution that is data and not code."""

    institution: Institution
    rules: Rules
    moved_working_days: frozenset[date]
    extra_holidays: frozenset[date]
    departments: tuple[Department, ...]
    programmes: tuple[Programme, ...]
    systems: tuple[System, ...]
    agreements: tuple[AgreementTexts, ...]

    @property
    def in_force(self) -> tuple[Agreement, ...]:
        """What the agreements ask of whom."""
        return tuple(one.current for one in self.agreements)

    def calendar(self, holidays: frozenset[date]) -> Calendar:
        """The working days, given the public holidays of the country."""
        return Calendar(holidays | self.extra_holidays, self.moved_working_days)
