"""The pages of one's own details, and HR's page of requests (3.6)."""

import re

import pytest
import sqlalchemy as sa

from idp.db import db
from idp.models import Account, Person
from tests.builders import Make, Someone
from tests.idp.details import CONTACTS
from tests.idp.recovery import mails
from tests.idp.web.browser import Browser

FORM = "/account/profile/contacts"
KEPT = CONTACTS | {"personal_email": "aida@example.org"}


def signed_in(make: Make, someone: Someone, language: str = "en") -> Browser:
    browser = Browser(make, language)
    assert browser.sign_in(someone).status_code == 303
    return browser


def test_the_page_shows_what_is_known_and_a_change_of_phone(make: Make) -> None:
    browser = signed_in(make, make.account(**CONTACTS))
    answer = browser.submit(FORM, KEPT | {"mobile_phone": "+996 555 123456", "home_address.city": "Ош"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/profile")
    page = browser.get("/account/profile").text
    for shown in ("Changed; every system follows.", "+996555123456", "Ош", "aida@example.org"):
        assert shown in page
    assert "+996700000001" not in page


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Write the number with a plus"), ("ru", "Напишите номер с плюсом"), ("ky", "Номерди плюс")],
)
def test_what_is_wrong_is_told_at_each_field_and_what_was_typed_stays(make: Make, language: str, told: str) -> None:
    browser = signed_in(make, make.account(**CONTACTS), language)
    answer = browser.submit(FORM, KEPT | {"work_phone": '12"><script>', "mobile_phone": "x"})
    assert answer.status_code == 422
    assert answer.text.count(told) == 4, "in the list above, and at each of the two fields"
    assert answer.text.count('aria-invalid="true"') == 2
    assert 'value="12&#34;&gt;&lt;script&gt;"' in answer.text
    assert 'href="#work_phone"' in answer.text


def test_contacts_are_changed_only_by_who_proved_themselves_a_moment_ago(make: Make) -> None:
    browser = signed_in(make, make.account(**CONTACTS))
    token = browser.form(FORM)
    make.clock.advance(minutes=5)
    for answer in (browser.get(FORM), browser.post(FORM, data=KEPT | {"work_phone": "+996555123456"} | token)):
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in?again=")
    assert browser.get("/account/profile").status_code == 200, "looking is free"
    assert "+996555123456" not in browser.get("/account/profile").text


def test_who_proved_themselves_again_comes_back_to_the_form(make: Make) -> None:
    aida = make.account(**CONTACTS)
    browser = signed_in(make, aida)
    token = browser.form(FORM)
    make.clock.advance(minutes=5)
    browser.post(FORM, data=KEPT | token)
    browser.submit("/sign-in", {"login": aida.login, "password": aida.password}, page="/sign-in?again=")
    assert browser.get("/continue").headers["Location"] == FORM


def test_a_new_address_waits_visibly_for_its_link_and_counts_then(make: Make) -> None:
    aida = make.account(**CONTACTS)
    browser = signed_in(make, aida)
    browser.submit(FORM, KEPT | {"personal_email": "new@example.net"})
    page = browser.get("/account/profile").text
    assert "Waits for the link in the mail" in page
    link = next(one.link for one in mails(make) if one.template == "address-proof").removeprefix("http://localhost")
    stranger = signed_in(make, make.account("bermet"))
    assert stranger.get(link).status_code == 410
    assert Browser(make).get(link).status_code == 303, "signed in only"
    assert "new@example.net" in browser.get(link).text
    assert browser.submit(link, {}).status_code == 303
    page = browser.get("/account/profile").text
    assert "The new personal address counts from now on." in page
    assert "aida@example.org" not in page
    assert browser.get(link).status_code == 410
    assert browser.post(link, data=browser.form("/account/profile")).status_code == 410


def test_a_surname_waits_visibly_is_taken_back_asked_again_and_refused(make: Make) -> None:
    browser = signed_in(make, make.account(**CONTACTS))
    hr = signed_in(make, make.officer("jyldyz", role="hr", department=None))
    names = {"family": "Мисалова", "given": "Aida"}
    assert browser.submit("/account/profile/names", names | {"given": "Аidа"}).status_code == 422
    browser.submit("/account/profile/names", names)
    page = browser.get("/account/profile").text
    assert "Waits for HR" in page
    (withdraw,) = re.findall(r'action="(/account/profile/changes/[^"]+/withdraw)"', page)
    (confirm, refuse) = re.findall(r'action="(/hr/changes/[^"]+)"', hr.get("/hr/changes").text)
    browser.submit(withdraw, {}, page="/account/profile")
    assert "Taken back." in browser.get("/account/profile").text
    answer = hr.submit(confirm, {}, page="/hr/changes")
    assert answer.status_code == 422
    assert "Someone else has already dealt with this." in answer.text
    browser.submit("/account/profile/names", names)
    (confirm, refuse) = re.findall(r'action="(/hr/changes/[^"]+)"', hr.get("/hr/changes").text)
    assert hr.submit(refuse, {"reason": " "}, page="/hr/changes").status_code == 422
    assert hr.submit(refuse, {"reason": "No <b>certificate</b>"}, page="/hr/changes").status_code == 303
    page = browser.get("/account/profile").text
    assert "No &lt;b&gt;certificate&lt;/b&gt;" in page
    assert "Waits for HR" not in page


def test_the_language_counts_here_at_once_and_at_the_next_sign_in_elsewhere(make: Make) -> None:
    aida = make.account(**CONTACTS)
    browser = signed_in(make, aida)  # in English by the link in the header
    browser.submit("/account/profile/language", {"language": "ru"}, page="/account/profile")
    page = browser.get("/account/profile").text
    assert '<html lang="ru">' in page
    assert "Отныне ваши письма и страницы будут на этом языке." in page
    other = make.browser()
    headers = {"Accept-Language": "en"}
    found = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/sign-in", headers=headers).text)
    assert found is not None
    other.post(
        "/sign-in", data={"login": aida.login, "password": aida.password, "csrf_token": found[1]}, headers=headers
    )
    assert '<html lang="ru">' in other.get("/account", headers=headers).text
    browser.submit("/account/profile/language", {"language": "de"}, page="/account/profile")
    with make.app.app_context():
        assert db.session.get_one(Account, aida.id).language == "ru"
        db.session.remove()


def test_the_forms_begin_with_what_is_known(make: Make) -> None:
    browser = signed_in(make, make.account(patronymic="Үлгүевна", **CONTACTS))
    assert 'value="+996312000000"' in browser.get(FORM).text
    assert 'value="Үлгүевна"' in browser.get("/account/profile/names").text
    answer = browser.submit(FORM, KEPT)
    assert answer.status_code == 303
    assert "Nothing was changed" in browser.get("/account/profile").text
    with make.app.app_context():
        assert db.session.scalars(sa.select(Person.mobile_phone)).one() == "+996700000001"
        db.session.remove()
