"""The pages about what is wrong in the systems: who sees them, what is decided there."""

from datetime import timedelta

import sqlalchemy as sa

from idp.db import db, unit_of_work
from idp.models import Account, Circuit, Finding, Scan, Task
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser


def administrator(make: Make) -> Browser:
    browser = Browser(make)
    browser.sign_in(make.officer("asel", role="admin", department=None))
    return browser


def found(make: Make, kind: str, whom: Someone | None, **details: object) -> str:
    """A finding of a whole scan of UNET; its address."""
    with make.app.app_context(), unit_of_work():
        scan = Scan(
            system="unet", asked_by="worker", started_at=make.clock.now(), state="done", accounts=7, attempt=0,
            finished_at=make.clock.now(), failures=0,
        )  # fmt: skip
        db.session.add(scan)
        db.session.flush()
        finding = Finding(
            scan_id=scan.id, system="unet", kind=kind, account_id=whom.id if whom else None, remote_id="r-1",
            details=details,
        )  # fmt: skip
        db.session.add(finding)
        db.session.flush()
        return f"/admin/systems/findings/{finding.id}"


def rows(make: Make, statement: sa.Select[tuple[str]]) -> list[str]:
    with make.app.app_context():
        found = list(db.session.scalars(statement))
        db.session.remove()
    return found


def test_what_differs_is_named_and_mended_by_a_worker(make: Make) -> None:
    aida, browser = make.account(), administrator(make)
    address = found(make, "differing", aida, attributes=["email", "title"])
    overview = browser.get("/admin/systems").text
    assert "Looks otherwise: <b>1</b>" in overview and "7 accounts there" in overview
    page = browser.get("/admin/systems/unet").text
    assert "E-mail" in page and "Position" in page and f"/people/{aida.id}" in page
    answer = browser.submit(f"{address}/mend", {}, page="/admin/systems/unet")
    assert answer.headers["Location"] == "/admin/systems/unet"
    told = browser.get("/admin/systems/unet").text
    assert "A worker brings it into line" in told and "Nothing is wrong" in told
    assert rows(make, sa.select(Task.status).where(Task.system == "unet")) == ["waiting"]
    browser.submit(f"{address}/mend", {}, page="/admin/systems")
    assert "already dealt with" in browser.get("/admin/systems/unet").text


def test_what_is_nobodys_is_left_with_a_reason(make: Make) -> None:
    browser = administrator(make)
    address = found(make, "extra", None, login="<b>root</b>", email="root@localhost")
    page = browser.get("/admin/systems/unet").text
    assert "&lt;b&gt;root" in page and "Bring into line" not in page
    refused = browser.submit(f"{address}/leave", {"reason": " "}, page="/admin/systems/unet")
    assert (refused.status_code, "Write why it may stay" in refused.text) == (422, True)
    browser.submit(f"{address}/leave", {"reason": "the site's own"}, page="/admin/systems/unet")
    assert rows(make, sa.select(Finding.reason)) == ["the site's own"]


def test_a_scan_is_asked_for_and_runs_once(make: Make) -> None:
    browser = administrator(make)
    for said in ("A worker looks through it", "It is being looked through already"):
        browser.submit("/admin/systems/unet/scan", {}, page="/admin/systems")
        assert said in browser.get("/admin/systems").text
    assert rows(make, sa.select(Scan.asked_by)) == ["account/asel"]
    assert browser.submit("/admin/systems/nothing/scan", {}, page="/admin/systems").status_code == 404


def test_a_system_that_is_left_alone_says_why_and_is_tried_at_once(make: Make) -> None:
    browser = administrator(make)
    with make.app.app_context(), unit_of_work():
        now = make.clock.now()
        later = now + timedelta(hours=1)
        db.session.add(Circuit(system="unet", failures=10, reason="retryable: down", opened_at=now, retry_at=later))
    page = browser.get("/admin/systems").text
    assert "Nothing works there since" in page and "retryable: down" in page
    for said in ("It is being tried now", "It is being tried now"):
        browser.submit("/admin/systems/unet/try", {}, page="/admin/systems")
        assert said in browser.get("/admin/systems").text
    browser.submit("/admin/systems/moodle/try", {}, page="/admin/systems")
    assert "already dealt with" in browser.get("/admin/systems").text


def test_others_see_none_of_it(make: Make) -> None:
    address = found(make, "extra", None, login="root")
    for role in ("officer", "hr", "security"):
        browser = Browser(make)
        browser.sign_in(make.officer(f"somebody-{role}", role=role, department=None))
        assert browser.get("/admin/systems").status_code == 404
        assert browser.submit(f"{address}/leave", {"reason": "x"}, page="/account").status_code == 404
    assert rows(make, sa.select(Account.login).join(Finding, Finding.settled_by == Account.login)) == []
