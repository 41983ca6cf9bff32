"""What the clients of the university's systems learn of a person: what their system needs, and nothing of the others."""

import json
from typing import Any

import sqlalchemy as sa

from idp.db import db
from idp.models import AffiliationRow, Link, Person
from tests.builders import Make, Someone
from tests.idp.oauth.driver import Party, Registered, answer_of, claims_in

EVERYTHING = "openid profile email phone affiliation programs report_sections eduperson"
UNET = {"programs": ["unet.employee"], "report_sections": ["kpi.department"]}
ZOOM = {"programs": ["zoom.licensed"], "report_sections": []}


def told(party: Party, someone: Someone, client: Registered, scope: str = EVERYTHING, **asked: Any) -> dict[str, Any]:
    """What the client finds at the userinfo endpoint after a sign-in."""
    access = party.tokens(someone, client, scope=scope, **asked)["access_token"]
    return dict(party.userinfo(access).get_json())


def give_rights(party: Party, someone: Someone, active: bool = True, **rights: dict[str, Any]) -> None:
    """What the account may do in its systems, as `want_access` keeps it."""
    with party.app.app_context():
        for system, attributes in rights.items():
            mine = sa.update(Link).where(Link.account_id == someone.id, Link.system == system)
            db.session.execute(mine.values(attributes=attributes, active=active))
        db.session.commit()
        db.session.remove()


def test_a_system_learns_the_programs_and_report_sections_of_its_own_and_of_no_other(party: Party, make: Make) -> None:
    someone = make.account(systems=("unet", "zoom"))
    give_rights(party, someone, unet=UNET, zoom=ZOOM)
    unet = told(party, someone, party.client(system="unet", scope=EVERYTHING))
    zoom = told(party, someone, party.client(system="zoom", scope=EVERYTHING))
    assert (unet["programs"], unet["report_sections"]) == (["unet.employee"], ["kpi.department"])
    assert zoom["programs"] == ["zoom.licensed"]
    assert "report_sections" not in zoom


def test_a_client_of_no_system_learns_of_no_programs(party: Party, make: Make) -> None:
    someone = make.account()
    give_rights(party, someone, unet=UNET)
    assert not {"programs", "report_sections"} & told(party, someone, party.client(scope=EVERYTHING)).keys()


def test_programs_need_their_scope(party: Party, make: Make) -> None:
    someone = make.account()
    give_rights(party, someone, unet=UNET)
    client = party.client(system="unet", scope="openid programs profile")
    assert "report_sections" not in told(party, someone, client)
    assert "programs" not in told(party, someone, client, scope="openid profile")


def test_rights_that_were_withdrawn_are_not_told_again(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client(system="unet", scope=EVERYTHING)
    give_rights(party, someone, unet=UNET)
    access = party.tokens(someone, client, scope=EVERYTHING)["access_token"]
    give_rights(party, someone, unet=UNET | {"programs": []})
    assert "programs" not in party.userinfo(access).get_json()
    give_rights(party, someone, active=False, unet=UNET)
    assert party.userinfo(access).status_code == 401


def test_the_groups_of_a_student_are_told(party: Party, make: Make) -> None:
    someone = make.account()
    with party.app.app_context():
        mine = sa.update(AffiliationRow).where(AffiliationRow.kind == "employee")
        db.session.execute(mine.values(kind="student", department="FIT", student_group="ИВТ-1-24"))
        db.session.commit()
        db.session.remove()
    claims = told(party, someone, party.client(scope=EVERYTHING), scope="openid affiliation")
    assert (claims["affiliation"], claims["department"], claims["student_group"]) == (
        ["student"],
        ["FIT"],
        ["ИВТ-1-24"],
    )


def test_eduperson_names_are_told_to_those_who_ask_for_them(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client(scope=EVERYTHING)
    assert told(party, someone, client, scope="openid eduperson") == {
        "sub": someone.sub,
        "eduperson_affiliation": ["employee", "member"],
        "eduperson_scoped_affiliation": ["employee@kstu.kg", "member@kstu.kg"],
        "eduperson_principal_name": "aida@kstu.kg",
        "schac_home_organization": "kstu.kg",
    }


def test_the_phone_is_the_one_at_work_and_the_persons_own_stays_theirs(party: Party, make: Make) -> None:
    client = party.client(scope=EVERYTHING)
    both = make.account("aida", work_phone="+996312000000", mobile_phone="+996700000001")
    own = make.account("kanat", mobile_phone="+996700000002")
    assert told(party, both, client)["phone_number"] == "+996312000000"
    assert "phone_number" not in told(party, own, client)
    assert "phone_number_verified" not in told(party, both, client)


def test_the_home_address_is_told_where_it_is_named(party: Party, make: Make) -> None:
    """Kept sealed; a system whose profile says nothing of it learns nothing, Moodle, which names others, neither."""
    someone = make.account(systems=("e-kyzmat", "unet", "moodle"))
    with party.app.app_context():
        person = db.session.scalars(sa.select(Person)).one()
        sealed = make.service.vault.seal('{"city": "Бишкек", "country": "KG"}', f"person/{person.id}/home_address")
        person.home_address = sealed
        db.session.commit()
        db.session.remove()
    wide = f"{EVERYTHING} address"
    asked = json.dumps({"userinfo": {"address": {"essential": True}}})
    home = {"formatted": "Бишкек\nKG", "locality": "Бишкек", "country": "KG"}
    for system, expected in (("e-kyzmat", home), (None, home), ("unet", None), ("moodle", None)):
        client = party.client(system=system, scope=wide)
        assert told(party, someone, client, scope=wide, claims=asked).get("address") == expected, system
    narrow = party.client(system="e-kyzmat", scope=EVERYTHING)
    assert "address" not in told(party, someone, narrow, scope=wide, claims=asked)
    assert "address" not in told(party, make.account("kanat"), party.client(scope=wide), scope=wide)


# --- lists: of the system, of the client


def test_moodle_gets_by_its_contract_plain_json_and_no_more_than_its_profile_takes(party: Party, make: Make) -> None:
    someone = make.account(patronymic="Асановна", work_phone="+996312000000", systems=("moodle",))
    callback = "https://online.example/admin/oauth2callback.php"
    moodle = party.client(
        system="moodle", scope=EVERYTHING, redirect_uris=[callback], require_pkce=False, require_nonce=False,
        token_endpoint_auth_method="client_secret_post",
    )  # fmt: skip
    deep_link = "https://online.example/mod/quiz/view.php?id=7&page=2" + "&filter%5B%5D=x" * 40
    state = f"/auth/oauth2/login.php?wantsurl={deep_link}&sesskey=abcdefghij&id=2"
    parameters = {"redirect_uri": callback, "scope": "openid profile email", "state": state, "nonce": None}
    parameters |= {"code_challenge": None, "code_challenge_method": None}
    answer = answer_of(party.authorize(party.browser(someone), moodle, **parameters), callback)
    assert answer["state"] == state
    by_secret = {"client_id": moodle.client_id, "client_secret": moodle.secret}
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": callback}
    tokens = party.token(None, **form, **by_secret)
    assert tokens.status_code == 200
    response = party.userinfo(tokens.get_json()["access_token"])
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.get_json() == {
        "sub": someone.sub,
        "name": "Үлгүбаева Aida Асановна",
        "given_name": "Aida",
        "family_name": "Үлгүбаева",
        "middle_name": "Асановна",
        "locale": "ky",
        "email": "aida@kstu.kg",
        "email_verified": True,
    }


def test_the_list_of_a_system_holds_whatever_is_asked(party: Party, make: Make) -> None:
    someone = make.account(systems=("moodle",))
    moodle = party.client(system="moodle", scope=EVERYTHING)
    asked = json.dumps({"userinfo": {"preferred_username": {"essential": True}}, "id_token": {"department": None}})
    tokens = party.tokens(someone, moodle, scope=EVERYTHING, claims=asked)
    assert not {"preferred_username", "affiliation"} & party.userinfo(tokens["access_token"]).get_json().keys()
    assert "department" not in claims_in(tokens["id_token"])


def test_the_clients_own_list_narrows_it_further_and_never_widens(party: Party, make: Make) -> None:
    someone = make.account(systems=("moodle",))
    client = party.client(system="moodle", scope=EVERYTHING, claims=["email", "preferred_username"])
    assert told(party, someone, client) == {"sub": someone.sub, "email": "aida@kstu.kg"}
    nothing = party.client(scope=EVERYTHING, claims=[])
    assert told(party, someone, nothing) == {"sub": someone.sub}


# --- the claims parameter


def test_single_claims_are_told_where_they_were_asked_for(party: Party, make: Make) -> None:
    client = party.client(scope=EVERYTHING)
    asked = {"userinfo": {"email": {"essential": True}}, "id_token": {"given_name": None, "acr": {"essential": True}}}
    tokens = party.tokens(make.account(), client, scope="openid", claims=json.dumps(asked))
    assert set(party.userinfo(tokens["access_token"]).get_json()) == {"sub", "email"}
    assert claims_in(tokens["id_token"])["given_name"] == "Aida"
    assert "email" not in claims_in(tokens["id_token"])


def test_asking_for_single_claims_does_not_reach_beyond_the_registered_scopes(party: Party, make: Make) -> None:
    someone = make.account(work_phone="+996312000000")
    asked = json.dumps({"userinfo": {"phone_number": None, "email": None}, "id_token": {"affiliation": None}})
    tokens = party.tokens(someone, party.client(scope="openid email"), scope="openid", claims=asked)
    assert party.userinfo(tokens["access_token"]).get_json() == {"sub": someone.sub, "email": "aida@kstu.kg"}
    assert "affiliation" not in claims_in(tokens["id_token"])


def test_asked_for_claims_do_not_replace_those_of_the_protocol(party: Party, make: Make) -> None:
    someone, client = make.account(), party.client(scope=EVERYTHING)
    asked = json.dumps({"id_token": {"iss": {"value": "https://evil.example"}, "aud": None, "exp": {"value": 1}}})
    claims = claims_in(party.tokens(someone, client, claims=asked)["id_token"])
    assert (claims["iss"], claims["aud"], claims["sub"]) == (party.base, client.client_id, someone.sub)


def test_what_hr_alone_knows_is_in_no_answer(party: Party, make: Make) -> None:
    someone = make.account(employee_no="T-0101", mobile_phone="+996700000001", student_no=77)
    with party.app.app_context():
        row = db.session.scalars(sa.select(Person)).one()
        secrets = {row.personal_email, row.mobile_phone, row.employee_no, "T-0101"}
        db.session.remove()
    said = json.dumps(told(party, someone, party.client(scope=EVERYTHING)))
    assert not [secret for secret in secrets if secret and secret in said]
