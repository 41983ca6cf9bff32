"""Suggesting a passphrase to somebody who is about to choose a password (Regulation 5.1).  It is kept nowhere."""

import secrets
from functools import cache
from uuid import UUID

from xkcdpass.xkcd_password import generate_wordlist

from idp.flows.choose_password import own_words
from idp.flows.here import Here
from policies.passphrases import LONGEST_WORD, passphrase, usable
from policies.passwords import broken_rules


def suggest_password(here: Here, account_id: UUID) -> str:
    """One that breaks no rule of this account's, save that it might have been used before."""
    own, rules = own_words(here, account_id), here.service.profile.rules.password
    while True:
        made = passphrase(_words(), secrets.randbelow, rules)
        if not broken_rules(made, rules, own, made in here.service.common_passwords, used_before=False):
            return made


@cache
def _words() -> tuple[str, ...]:
    return usable(generate_wordlist("eff-long", min_length=3, max_length=LONGEST_WORD))
