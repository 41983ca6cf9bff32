"""The language of an account: of its mails, of its pages wherever its person signs in, and told to the systems (3.6)."""

from idp.db import db
from idp.flows.here import Here
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.want_access import want_everywhere
from idp.flows.write_person import hold_person
from idp.models import Account


def choose_language(here: Here, account: Account, language: str) -> Refusal | None:
    """Keep it with the account.  Refusal: ``unknown-language``."""
    if language not in here.service.profile.institution.languages:
        return Refusal("unknown-language")
    person = hold_person(account.person_id)
    db.session.refresh(account)
    if account.language != language:
        before, account.language = account.language, language
        record(here, "language-chosen", account, before={"language": before}, after={"language": language})
        want_everywhere(here, person, account)
    return None
