"""The end of an authorization request: the client gets what the person granted, or learns why not (RFC 6749, 4.1.2;
OIDC Core, 3.1.2.5, 3.2.2.5, 3.3.2.5)."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from idp import models
from idp.crypto import digest, new_token
from idp.db import db
from idp.flows.here import Here
from idp.flows.record import Note, chain, note
from idp.flows.sessions import LiveSession
from idp.log import log
from idp.oauth.answer import Answer, refusal
from idp.oauth.check_session import browser_state, session_state
from idp.oauth.consent import consent_is_needed
from idp.oauth.encryption import TOLD, NoEncryptionKey
from idp.oauth.errors import OAuthError
from idp.oauth.id_token import SignIn, issue_id_token
from idp.oauth.interaction import PendingRequest
from idp.oauth.new_grant import store_grant
from idp.oauth.people import claims_of_account, sub_of
from idp.oauth.subject import subject_for
from idp.prepared import Prepared
from policies.interaction import Step

REFUSALS = {
    Step.LOGIN_REQUIRED: OAuthError("login_required", "the person has to sign in"),
    Step.INTERACTION_REQUIRED: OAuthError("interaction_required", "the person has to see a page first"),
    Step.CONSENT_REQUIRED: OAuthError("consent_required", "the person has to agree first"),
    Step.ACCOUNT_SELECTION_REQUIRED: OAuthError("account_selection_required", "the person has to choose an account"),
    Step.OTHER_PERSON: OAuthError("login_required", "another person signed in than the one that was named"),
    Step.UNMET_AUTHENTICATION: OAuthError(
        "unmet_authentication_requirements", "the person can't prove themselves as it is needed"
    ),
}
TAKE = Prepared(
    sa.delete(models.AuthorizationRequest)
    .where(
        sa.or_(
            models.AuthorizationRequest.id == sa.bindparam("waiting"),
            models.AuthorizationRequest.id == sa.bindparam("decisive"),
        )
    )
    .returning(models.AuthorizationRequest.id)
)
NO_KEY = OAuthError("invalid_request", TOLD)
NO_ACCESS = OAuthError("access_denied", "the person has no access to this system")
NO_CONSENT = OAuthError("access_denied", "the person did not agree")


def finish(here: Here, pending: PendingRequest, session: LiveSession) -> Answer | None:
    """Grant the client its sign-in, in a transaction of its own; None when the waiting request was answered already,
    or the session has ended or the consent was withdrawn meanwhile.

    A client that has no key for the ID token it wants encrypted is refused.  Nothing may be under way in `db.session`
    (SQLite has one writer).
    """
    request, grant_id = pending.request, uuid7()
    wanted = request.response_type.split()
    code = new_token() if "code" in wanted else None
    try:
        id_token = _front_id_token(here, pending, session, code) if "id_token" in wanted else None
    except NoEncryptionKey as error:
        log.warning("nothing to encrypt with", client=str(error))
        return deny(pending, NO_KEY)
    with db.engine.begin() as connection:
        grant, by_consent = _grant(here, pending, session, grant_id), consent_is_needed(pending.client, request)
        its_code = _code(here, pending, session, grant_id, code) if code else None
        if not (_take(connection, pending) and store_grant(connection, grant, its_code, by_consent)):
            connection.rollback()
            return None
        chain(connection, [_noted(here, pending, session)])
    return _answer(pending, code, id_token)


def deny(pending: PendingRequest, error: OAuthError) -> Answer | None:
    """Refuse the client; None when its request was answered already."""
    if pending.decisive is not None and not _take(db.session.connection(), pending):
        return None
    request = pending.request
    return refusal(pending.client, request.redirect_uri, request.response_mode, request.state, error)


def _take(connection: sa.Connection, pending: PendingRequest) -> bool:
    """Whether it is still to be answered; from now on it is not any more, in no other tab either."""
    decisive = pending.decisive
    if decisive is None:
        return True
    taken = TAKE.all(connection, waiting=pending.id or decisive, decisive=decisive)
    return any(row.id == decisive for row in taken)


def _grant(here: Here, pending: PendingRequest, session: LiveSession, grant_id: UUID) -> dict[str, Any]:
    request = pending.request
    return {
        "id": grant_id,
        "account_id": session.account_id,
        "client_id": pending.client.id,
        "session_id": session.id,
        "scope": " ".join(request.scope),
        "claims": request.claims or None,
        "resources": list(request.resources) or None,
        "authorization_details": list(request.authorization_details) or None,
        "granted_at": here.now,
    }


def _code(here: Here, pending: PendingRequest, session: LiveSession, grant_id: UUID, code: str) -> dict[str, Any]:
    request = pending.request
    return {
        "id": uuid7(),
        "grant_id": grant_id,
        "code_digest": digest(code),
        "redirect_uri": request.redirect_uri,
        "redirect_uri_given": request.redirect_uri_given,
        "nonce": request.nonce,
        "code_challenge": request.code_challenge,
        "jkt": request.dpop_jkt,
        "authenticated_at": session.authenticated_at,
        "issued_at": here.now,
        "expires_at": here.now + here.service.profile.rules.tokens.code,
    }


def _noted(here: Here, pending: PendingRequest, session: LiveSession) -> Note:
    client_id = pending.client.client_id
    after = {"client": client_id, "scope": list(pending.request.scope)}
    return note(here, "signed-in-to-client", session.account, subject=f"client/{client_id}", before={}, after=after)


def _answer(pending: PendingRequest, code: str | None, id_token: str | None) -> Answer:
    request = pending.request
    said = {"code": code, "id_token": id_token, "state": request.state, "session_state": _session_state(pending)}
    values = {name: value for name, value in said.items() if value is not None}
    return Answer(pending.client, request.redirect_uri, request.response_mode, values)


def _session_state(pending: PendingRequest) -> str | None:
    """For clients that watch the session (Session Management, 2)."""
    state = browser_state() if "openid" in pending.request.scope else None
    return session_state(pending.client.client_id, pending.request.redirect_uri, state) if state else None


def _front_id_token(here: Here, pending: PendingRequest, session: LiveSession, code: str | None) -> str:
    """An ID token that goes through the browser; without a code it carries the claims of the scopes, since nothing
    else will (OIDC Core, 5.4)."""
    request, client = pending.request, pending.client
    sub = subject_for(here.service, client, sub_of(session.account_id))
    signed_in = SignIn(sub, session.id, session.authenticated_at, request.nonce, session.amr)
    asked = frozenset(request.claims.get("id_token") or ())
    scope = frozenset(request.scope) if code is None else frozenset[str]()
    claims = claims_of_account(here, client, session.account_id, asked, scope)
    return issue_id_token(here, client, signed_in, code=code, claims=claims)
