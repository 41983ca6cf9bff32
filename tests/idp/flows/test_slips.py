"""The printed slip (4.4, 5.1): its code opens nothing before the hand-over is noted, works once, and a reprint voids it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from idp.app import create_app
from idp.clock import SetClock
from idp.crypto import digest
from idp.db import db, unit_of_work
from idp.errors import Busy, Forbidden
from idp.flows.activate import activate, find_invitation, issue_activation
from idp.flows.desk import desk
from idp.flows.here import Here
from idp.flows.refusal import Refusal
from idp.flows.slips import Slip, awaits_hand_over, find_slip, hand_over_slip, print_slip
from idp.models import Account, Activation, AuditRecord, Credential, Message
from idp.settings import Settings
from policies.permissions import Appointment, Who
from policies.slips import shown
from tests.builders import Make
from tests.idp.hr import Hr

GOOD = "Kumbez, 9 Tash-Rabat"


@pytest.fixture
def newcomer(hr: Hr) -> UUID:
    """Anara's account, hired on Wednesday 9 September and mailed a link."""
    hr.deliver("hire")
    return hr.account().id


def officer(make: Make, department: str | None = "0407", account: UUID | str = "somebody") -> Here:
    here = make.here()
    appointed = Appointment("officer", department, None, here.now, None)
    return Here(here.service, here.now, "account/bakyt", "r-1", who=Who(str(account), (appointed,)))


def printed(make: Make, account: UUID) -> Slip:
    with make.app.app_context(), unit_of_work():
        slip = print_slip(officer(make), db.session.get_one(Account, account))
        assert isinstance(slip, Slip)
        return slip


def newest(hr: Hr) -> UUID:
    return UUID(str(hr.rows(sa.select(Activation.id).order_by(Activation.id.desc()).limit(1))[0][0]))


def hand_over(make: Make, account: UUID, slip_id: UUID) -> Refusal | None:
    with make.app.app_context(), unit_of_work():
        return hand_over_slip(officer(make), db.session.get_one(Account, account), slip_id)


def use(make: Make, code: str, password: str = GOOD) -> Refusal | None:
    with make.app.app_context(), unit_of_work():
        return activate(make.here(), code, password, password)


def handed_over(make: Make, hr: Hr, account: UUID) -> Slip:
    slip = printed(make, account)
    assert hand_over(make, account, newest(hr)) is None
    return slip


def works(make: Make, token: str) -> bool:
    with make.app.app_context():
        return find_invitation(token, make.clock.now()) is not None


def test_the_code_works_once_it_was_handed_over_and_then_once(make: Make, hr: Hr, newcomer: UUID) -> None:
    slip = printed(make, newcomer)
    assert (slip.login, slip.display_name) == ("a.ulgubaeva", "Үлгүбаева Анара Үлгүевна")
    assert use(make, slip.code) == Refusal("spent")
    assert hand_over(make, newcomer, newest(hr)) is None
    assert use(make, slip.code) is None
    assert use(make, slip.code, "Another-1 password") == Refusal("spent")
    assert hr.account().activated_at == hr.clock.now()


def test_the_person_is_told_by_mail_that_a_slip_was_handed_over(make: Make, hr: Hr, newcomer: UUID) -> None:
    """Else an officer could note a hand-over that never was, and use the code himself."""
    printed(make, newcomer)
    told = sa.select(Message.account_id).where(Message.template == "slip-handed-over")
    assert hr.rows(told) == []
    hand_over(make, newcomer, newest(hr))
    hand_over(make, newcomer, newest(hr))
    assert hr.rows(told) == [(newcomer,)]


def test_only_who_has_the_slip_is_told_that_it_waits(make: Make, hr: Hr, newcomer: UUID) -> None:
    slip = printed(make, newcomer)
    with make.app.app_context():
        now = make.clock.now()
        assert awaits_hand_over(slip.code, now)
        assert not any(awaits_hand_over(code, now) for code in ("", "x", slip.code[:-1], slip.code.lower()))
    hand_over(make, newcomer, newest(hr))
    with make.app.app_context():
        assert not awaits_hand_over(slip.code, now)


def test_the_working_days_run_from_the_day_of_receipt(make: Make, hr: Hr, newcomer: UUID, clock: SetClock) -> None:
    """Printed on Wednesday the 9th, received on Friday the 11th: until Wednesday the 16th ends in Bishkek."""
    slip = printed(make, newcomer)
    clock.advance(days=2)
    assert hand_over(make, newcomer, newest(hr)) is None
    end = datetime(2026, 9, 16, 18, tzinfo=UTC)
    clock.moment = end - timedelta(seconds=1)
    assert works(make, slip.code)
    clock.moment = end
    assert not works(make, slip.code)
    assert use(make, slip.code) == Refusal("spent")
    assert works(make, handed_over(make, hr, newcomer).code), "the officer prints a new one"


def test_a_slip_left_lying_is_not_handed_over_any_more(make: Make, hr: Hr, newcomer: UUID, clock: SetClock) -> None:
    slip = printed(make, newcomer)
    clock.moment = datetime(2026, 9, 14, 18, tzinfo=UTC)
    assert hand_over(make, newcomer, newest(hr)) == Refusal("slip-gone")
    assert not works(make, slip.code)


def test_a_reprint_voids_the_slip_and_the_link_before(make: Make, hr: Hr, newcomer: UUID) -> None:
    with make.app.app_context(), unit_of_work():
        link = issue_activation(make.here(), db.session.get_one(Account, newcomer)).rpartition("/")[2]
    first = handed_over(make, hr, newcomer)
    second = printed(make, newcomer)
    assert not works(make, link)
    assert not works(make, first.code)
    assert hand_over(make, newcomer, newest(hr)) is None
    assert works(make, second.code)
    with make.app.app_context(), unit_of_work():
        again = issue_activation(make.here(), db.session.get_one(Account, newcomer)).rpartition("/")[2]
    assert works(make, again)
    assert not works(make, second.code), "a new link voids a slip as well"


def test_the_hand_over_is_of_this_very_slip_and_is_noted_once(make: Make, hr: Hr, newcomer: UUID) -> None:
    printed(make, newcomer)
    old = newest(hr)
    second = printed(make, newcomer)
    assert hand_over(make, newcomer, old) == Refusal("slip-gone"), "the sheet in that officer's hand is void"
    assert hand_over(make, newcomer, uuid4()) == Refusal("slip-gone")
    assert not works(make, second.code)
    other = make.account("bermet").id
    assert hand_over(make, other, newest(hr)) == Refusal("slip-gone"), "of somebody else"
    assert hand_over(make, newcomer, newest(hr)) is None
    assert hand_over(make, newcomer, newest(hr)) == Refusal("slip-gone")
    assert len(hr.acts("slip-handed-over")) == 1


def test_of_fifty_that_use_the_code_at_once_one_sets_the_password(make: Make, hr: Hr, newcomer: UUID) -> None:
    slip = handed_over(make, hr, newcomer)
    start = Barrier(50)

    def hand(number: int) -> Refusal | None:
        start.wait()
        while True:
            with suppress(Busy):  # more than may wait for a hash: they knock again
                return use(make, slip.code, f"{GOOD} {chr(1072 + number)}")

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(hand, range(50)))
    assert outcomes.count(None) == 1
    assert outcomes.count(Refusal("spent")) == 49
    assert len(hr.rows(sa.select(Credential.id))) == 1


def test_of_two_officers_who_print_and_note_at_once_no_void_sheet_works(make: Make, hr: Hr, newcomer: UUID) -> None:
    first = printed(make, newcomer)
    slip_id, start = newest(hr), Barrier(2)

    def note() -> Refusal | None:
        start.wait()
        return hand_over(make, newcomer, slip_id)

    def reprint() -> Slip:
        start.wait()
        return printed(make, newcomer)

    with ThreadPoolExecutor(2) as pool:
        noted, second = pool.submit(note), pool.submit(reprint).result()
    assert noted.result() in (None, Refusal("slip-gone"))
    assert not works(make, first.code)
    assert not works(make, second.code)


def test_only_officers_of_the_department_and_never_for_oneself(make: Make, hr: Hr, newcomer: UUID) -> None:
    printed(make, newcomer)
    slip_id = newest(hr)
    for stranger in (officer(make, "0112"), officer(make, account=newcomer), make.here()):
        with make.app.app_context(), unit_of_work():
            account = db.session.get_one(Account, newcomer)
            with pytest.raises(Forbidden):
                print_slip(stranger, account)
            with pytest.raises(Forbidden):
                hand_over_slip(stranger, account, slip_id)


def test_where_slips_are_the_rule_nothing_is_mailed_and_the_desk_says_what_is_missing(
    settings: Settings, clock: SetClock, tmp_path: Path
) -> None:
    profile = tmp_path / "slips.toml"
    kstu = (resources.files("policies") / "profiles" / "kstu.toml").read_text("utf8")
    profile.write_text(kstu.replace('initial_credentials = "link"', 'initial_credentials = "slip"'), "utf8")
    app = create_app(settings.model_copy(update={"profile": str(profile)}), clock)
    hr, make = Hr(app, clock), Make(app)
    hr.deliver("hire")
    assert hr.rows(sa.select(Message.id)) == hr.rows(sa.select(Activation.id)) == []
    with app.app_context():
        assert [one["reason"] for one in desk(officer(make), "en")["waiting"]] == ["not-issued"]
        db.session.remove()
    slip = handed_over(make, hr, hr.account().id)
    assert works(make, slip.code)
    with app.app_context():
        db.engine.dispose()


def test_who_has_a_password_needs_no_slip(make: Make) -> None:
    aida = make.account()
    with make.app.app_context(), unit_of_work():
        assert print_slip(officer(make), db.session.get_one(Account, aida.id)) == Refusal("gone")


def test_a_typed_code_is_read_kindly_and_wrong_ones_are_counted(make: Make, hr: Hr, newcomer: UUID) -> None:
    slip = handed_over(make, hr, newcomer)
    here = make.here()
    here = Here(here.service, here.now, "anonymous", "r-1", address="192.0.2.7")
    allowed = here.service.profile.rules.throttle.wrong
    with make.app.app_context():
        assert find_slip(here, f" {shown(slip.code).lower()} ") == slip.code
        for number in range(allowed):
            assert find_slip(here, f"wrong {number}") == Refusal("code")
        assert find_slip(here, slip.code) == Refusal("throttled"), "even the right one has to wait"


def test_the_code_is_stored_as_a_digest_and_the_trail_tells_who_when_and_to_whom(
    make: Make, hr: Hr, newcomer: UUID
) -> None:
    slip = handed_over(make, hr, newcomer)
    assert hr.rows(sa.select(Activation.token_digest).where(Activation.slip)) == [(digest(slip.code),)]
    told = {one.act: (one.actor, one.login, one.at, one.after) for one in hr.acts() if one.act.startswith("slip-")}
    now = hr.clock.now()
    assert told == {
        "slip-printed": ("account/bakyt", "a.ulgubaeva", now, {"handed_over_until": "2026-09-14"}),
        "slip-handed-over": ("account/bakyt", "a.ulgubaeva", now, {"valid_until": "2026-09-14"}),
    }
    with hr.looking():
        for record in db.session.scalars(sa.select(AuditRecord)):
            assert slip.code not in repr(vars(record))
