"""Telling somebody outside what a row says, until it is heard: claim, call, settle.

Owns the rounds of the notices: of logouts to clients (`tell_client.py`), of events to receivers (`tell_receiver.py`).  At
least once; no transaction is open while somebody is called.  What is said, and to whom, is theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from idp.db import unit_of_work
from idp.flows.here import Here, at_work
from idp.log import log
from idp.models import EventNotice, LogoutNotice
from idp.oauth.outbound import Unreachable
from idp.provisioning.lease import claim, get_back
from idp.provisioning.workshop import Workshop
from policies.retry import RetryRules, next_attempt


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it has not been heard; `outcome` as `policies/retry.py` knows them, `retry_after` in seconds."""

    reason: str
    outcome: str = "retryable"
    retry_after: float | None = None

    @classmethod
    def of(cls, error: Unreachable) -> "Failure":
        """What the call ran into."""
        return cls(error.reason, error.outcome, error.retry_after)


@dataclass(frozen=True, slots=True)
class Round:
    """What one kind of notices is about: its rows, the call (outside any transaction), what is recorded of its end (None:
    it was heard; else why it never will be), and how long it is tried."""

    table: type[LogoutNotice] | type[EventNotice]
    call: Callable[[Here, UUID], Failure | None]
    ended: Callable[[Here, Any, str | None], None]
    patience: RetryRules


def hand_over(workshop: Workshop, notices: Round, notice_id: UUID) -> None:
    """Claim the notice, call, settle.  Does nothing when it is not due or somebody else has it."""
    held = claim(notices.table, notice_id, workshop.owner(), workshop.service.clock.now(), workshop.lease)
    if held is None:
        return
    failure = _call(workshop, notices, notice_id)
    here = at_work(workshop.service, "worker")
    with unit_of_work():
        notice = get_back(held, here.now)
        if notice is not None and failure is None:
            notice.status, notice.told_at = "told", here.now
            notice.run_at = notice.last_error = None
            notices.ended(here, notice, None)
        elif notice is not None and failure is not None:
            _put_off(workshop, notices, here, notice, failure)


def _call(workshop: Workshop, notices: Round, notice_id: UUID) -> Failure | None:
    try:
        return notices.call(at_work(workshop.service, "worker"), notice_id)
    except Exception as error:
        log.error("notice-crash", notice=str(notice_id), exc_info=error)
        return Failure(type(error).__name__)


def _put_off(workshop: Workshop, notices: Round, here: Here, notice: Any, failure: Failure) -> None:
    """Later, unless it was refused for good, or it would be too late to be of use; throttled ones are not tried for ever
    either."""
    notice.failures, notice.last_error = notice.failures + 1, failure.reason
    notice.run_at = next_attempt(
        failure.outcome, notice.failures, notice.created_at, here.now, workshop.chance(), failure.retry_after,
        notices.patience,
    )  # fmt: skip
    if notice.run_at is not None and notice.run_at > notice.created_at + notices.patience.give_up_after:
        notice.run_at = None
    log.warning("not-told", notice=str(notice.id), reason=failure.reason, again_at=notice.run_at)
    if notice.run_at is None:
        notice.status = "failed"
        notices.ended(here, notice, failure.reason)
