"""Reading the [rules] of a profile.  Regulation 3.5, 3.7, 5.1, 5.4-5.7; defaults are the Regulation's.

Owns their bounds: a rule may be made stricter, not laxer than the Regulation or security.md.
"""

from datetime import timedelta

from policies.brakes import BrakeRules
from policies.factors import FactorRules
from policies.leaves import TYPES, LeaveRules
from policies.lockout import LockoutRules, Scope
from policies.passwords import PasswordRules
from policies.profile import InitialCredentials, Rules
from policies.reconciliation import MENDED_BY_A_TASK, ReconciliationRules
from policies.recovery import RecoveryRules
from policies.sessions import OFFICER, PERSON, SessionRules
from policies.throttle import ThrottleRules
from policies.tokens import TokenRules
from policies.toml_section import Section

INITIAL_CREDENTIALS = frozenset(way.value for way in InitialCredentials)
REPAIRS = {kind.value: kind for kind in MENDED_BY_A_TASK}
SCOPES = frozenset(scope.value for scope in Scope)


def read_rules(section: Section) -> Rules:
    """[rules]: all optional, the defaults are the Regulation's."""
    rules = Rules(
        password=_password(section.section("password", {})),
        lockout=_lockout(section.section("lockout", {})),
        throttle=_throttle(section.section("throttle", {})),
        factors=_factors(section.section("factors", {})),
        working_days=section.number("working_days", 1, 30, 3),
        initial_credentials=_initial_credentials(section),
        initial_credentials_days=section.number("initial_credentials_days", 1, 30, 3),
        session=_session(section.section("session", {}), PERSON),
        officer_session=_session(section.section("officer_session", {}), OFFICER),
        tokens=_tokens(section.section("tokens", {})),
        recovery=_recovery(section.section("recovery", {})),
        leaves=_leaves(section.section("leaves", {})),
        brakes=_brakes(section.section("brakes", {})),
        reconciliation=_reconciliation(section.section("reconciliation", {})),
    )
    section.nothing_left()
    return rules


def _initial_credentials(section: Section) -> InitialCredentials:
    """A link by default."""
    written = section.text("initial_credentials", InitialCredentials.LINK.value)
    section.known("initial_credentials", [written], INITIAL_CREDENTIALS)
    return InitialCredentials(written) if written in INITIAL_CREDENTIALS else InitialCredentials.LINK


def _password(section: Section) -> PasswordRules:
    """[rules.password]: Regulation 5.1 is the floor, stricter is allowed."""
    default = PasswordRules()
    rules = PasswordRules(
        shortest=section.number("shortest", 8, 64, default.shortest),
        longest=section.number("longest", 128, 4096, default.longest),
        longest_run=section.number("longest_run", 1, 10, default.longest_run),
    )
    section.nothing_left()
    return rules


def _lockout(section: Section) -> LockoutRules:
    """[rules.lockout]"""
    default, minute = LockoutRules(), timedelta(minutes=1)
    scope = section.text("scope", default.scope.value)
    section.known("scope", [scope], SCOPES)
    rules = LockoutRules(
        scope=Scope(scope) if scope in SCOPES else default.scope,
        allowed_failures=section.number("allowed_failures", 1, 100, default.allowed_failures),
        same_wrong_once=section.flag("same_wrong_once", default.same_wrong_once),
        alarm=section.number("alarm", 2, 10_000, default.alarm),
        alarm_window=minute * section.number("alarm_minutes", 1, 1440, default.alarm_window // minute),
    )
    section.nothing_left()
    return rules


def _throttle(section: Section) -> ThrottleRules:
    """[rules.throttle]: wrong sign-ins, and requests of nobody, of one client within so many minutes."""
    default, minute = ThrottleRules(), timedelta(minutes=1)
    rules = ThrottleRules(
        wrong=section.number("wrong", 4, 10_000, default.wrong),
        wrong_inside=section.number("wrong_inside", 4, 100_000, default.wrong_inside),
        requests=section.number("requests", 10, 1_000_000, default.requests),
        requests_inside=section.number("requests_inside", 10, 1_000_000, default.requests_inside),
        window=minute * section.number("minutes", 1, 1440, default.window // minute),
    )
    section.nothing_left()
    return rules


def _factors(section: Section) -> FactorRules:
    """[rules.factors]"""
    default, hour = FactorRules(), timedelta(hours=1)
    rules = FactorRules(
        required_for_officers=section.flag("required_for_officers", default.required_for_officers),
        consent_within=hour * section.number("consent_hours", 1, 168, default.consent_within // hour),
    )
    section.nothing_left()
    return rules


def _session(section: Section, default: SessionRules) -> SessionRules:
    """[rules.session] and [rules.officer_session], in minutes."""
    minute = timedelta(minutes=1)
    rules = SessionRules(
        idle=minute * section.number("idle_minutes", 1, 1440, default.idle // minute),
        absolute=minute * section.number("absolute_minutes", 1, 1440, default.absolute // minute),
    )
    section.nothing_left()
    return rules


def _tokens(section: Section) -> TokenRules:
    """[rules.tokens], in seconds; the bounds are the security requirements'."""
    default, second = TokenRules(), timedelta(seconds=1)
    rules = TokenRules(
        code=second * section.number("code_seconds", 10, 60, default.code // second),
        access=second * section.number("access_seconds", 300, 900, default.access // second),
        id_token=second * section.number("id_token_seconds", 60, 900, default.id_token // second),
        refresh_idle=second * section.number("refresh_idle_seconds", 60, 2592000, default.refresh_idle // second),
        refresh_absolute=second
        * section.number("refresh_absolute_seconds", 60, 31536000, default.refresh_absolute // second),
        refresh_grace=second * section.number("refresh_grace_seconds", 0, 10, default.refresh_grace // second),
    )
    section.nothing_left()
    return rules


def _recovery(section: Section) -> RecoveryRules:
    """[rules.recovery]: an hour is the longest that security allows."""
    default, minute = RecoveryRules(), timedelta(minutes=1)
    rules = RecoveryRules(
        lifetime=minute * section.number("lifetime_minutes", 5, 60, default.lifetime // minute),
        mails=section.number("mails_per_hour", 1, 10, default.mails),
        corporate_for=frozenset(section.items("corporate_for", str, tuple(sorted(default.corporate_for)))),
    )
    section.nothing_left()
    return rules


def _leaves(section: Section) -> LeaveRules:
    """[rules.leaves]: the systems that stay, by the type of leave, and `least` for other types."""
    kept = {name: section.items(name, str, ()) for name in sorted(TYPES) if name in section}
    rules = LeaveRules(
        {name: frozenset(codes) for name, codes in kept.items()}, frozenset(section.items("least", str, ()))
    )
    section.nothing_left()
    return rules


def _brakes(section: Section) -> BrakeRules:
    """[rules.brakes]"""
    default = BrakeRules()
    rules = BrakeRules(
        per_order=section.number("per_order", 1, 10_000, default.per_order),
        per_day=section.number("per_day", 1, 100_000, default.per_day),
        percent=section.number("percent", 1, 100, default.percent),
        least=section.number("least", 0, 1_000, default.least),
        departments=frozenset(section.items("departments", str, ())),
    )
    section.nothing_left()
    return rules


def _reconciliation(section: Section) -> ReconciliationRules:
    """[rules.reconciliation]: what is found to be wrong in systems, and mended unasked."""
    default = ReconciliationRules()
    repair = section.items("repair", str, ())
    section.known("repair", repair, frozenset(REPAIRS))
    rules = ReconciliationRules(
        hour=section.number("hour", 0, 23, default.hour),
        repair=frozenset(REPAIRS[kind] for kind in repair if kind in REPAIRS),
        at_once=section.number("at_once", 1, 1_000, default.at_once),
        shrink=section.number("shrink", 1, 50, default.shrink),
    )
    section.nothing_left()
    return rules
