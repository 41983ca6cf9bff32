"""The story, step by step.  Each step does one thing as its user would and says what it saw.

A step that does not hold raises `Failed`.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import httpx2

from idp.demo.cast import (
    LOGIN,
    PASSWORD,
    PEOPLE,
    WEAK,
    Cast,
    Failed,
    automatic,
    automatic_tasks_done,
    confirm_all,
    expect,
    fresh_tokens,
    look,
    officer_at_desk,
    orders,
    post_as,
    refreshed,
    sheet,
    userinfo,
    wait_for,
)
from idp.demo.hr import changed, sample
from idp.demo.outbox import text_of
from idp.demo.stage import Stage

ADDRESS = "anara@example.org"
LINK = re.compile(r"https?://\S+/activation/\S+")
LAST_DAY = date(2026, 11, 30)


def play(stage: Stage, say: Callable[[str], None]) -> bool:
    """Play all steps; False as soon as one does not hold."""
    cast = Cast(stage)
    for number, (title, step) in enumerate(STEPS, 1):
        started = time.monotonic()
        try:
            seen = step(cast)
        except (Failed, AssertionError, IndexError, RuntimeError, httpx2.HTTPError) as error:
            say(f"{number:2}. FAILED  {title}\n      {type(error).__name__}: {error}")
            return False
        say(f"{number:2}. {title}\n      {seen}  ({time.monotonic() - started:.1f} s)")
    say("every step held")
    return True


def welcome(stage: Stage, say: Callable[[str], None]) -> None:
    """Make ready what one needs to play by hand, and tell where to look."""
    cast = Cast(stage)
    for step in (appoint, hire, provisioned):
        step(cast)
    say(f"""
Achkych is running.

  the service            {stage.base_url}
  outbox (all mail)      {stage.outbox.url}
  a system to enter      {stage.system.url}/login   (UNET, through OpenID Connect)

  Anara Ulgubaeva was hired by order 1/101-К: her activation link is in the outbox, her login is {LOGIN}
  administrator          t.sadykova   password: {PASSWORD}   (orders, desk)
                         recovery codes, each once for the second factor: {"  ".join(cast.recovery_codes["t.sadykova"][:4])}
  officer of dept. 0407  person2      password: {PEOPLE}   (desk)
  officer of dept. 0112  person3      password: {PEOPLE}   (desk; both enrol a second factor when they sign in)

  next orders            achkych demo --send transfer
                         achkych demo --send dismissal_v1
  {"" if stage.mail else "mail: Debian's package slapd is not installed, so the tasks of the mail system wait"}
Ctrl-C stops it.""")


# --- the steps


def appoint(cast: Cast) -> str:
    """The first administrator, and officers of two departments."""
    printed = cast.stage.command(
        "account", "bootstrap", "--family", "Садыкова", "--given", "Толкун", "--email", "tolkun@example.org"
    )
    link = LINK.findall(printed)[0]
    cast.admin.activate(link, PASSWORD)
    expect(cast.admin.sign_in("t.sadykova", PASSWORD).status_code == 200, "the administrator can't sign in")
    cast.stage.command("dev", "populate", "--accounts", "2", "--password", PEOPLE)
    cast.stage.command("officer", "appoint", "person2", "--department", "0407", "--basis", "demo 1 of 2026-09-01")
    cast.stage.command("officer", "appoint", "person3", "--department", "0112", "--basis", "demo 2 of 2026-09-01")
    return "t.sadykova administers; person2 answers for department 0407, person3 for 0112"


def doors(cast: Cast) -> str:
    """Wrong input at the door for orders; the answers of the contract, nothing stored."""
    hr, body = cast.stage.hr, sample("hire")
    stale = str(int(cast.stage.clock.now().timestamp()) - 3600)
    nobody = json.loads(body)
    del nobody["persons"][0]["employment"]
    nowhere = json.loads(body)
    nowhere["persons"][0]["employment"]["departmentCode"] = "NOWHERE"
    answers = {
        "bad signature": (hr.send(body, webhook_signature="v1a,AAAA"), 401),
        "old time stamp": (hr.send(body, webhook_timestamp=stale), 401),
        "not JSON": (hr.send(b"order"), 400),
        "missing field": (hr.send(json.dumps(nobody).encode()), 422),
        "unknown department": (hr.send(json.dumps(nowhere).encode()), 422),
        "oversized body": (hr.send(body + b" " * 300_000), 413),
    }
    wrong = {name: answer.status_code for name, (answer, status) in answers.items() if answer.status_code != status}
    expect(not wrong, f"answered otherwise: {wrong}")
    expect("99999999990001" not in "".join(answer.text for answer, _ in answers.values()), "an answer shows the PIN")
    expect(cast.admin.open("/orders").status_code == 200 and not orders(cast), "an order was stored all the same")
    return ", ".join(f"{name} {status}" for name, (_, status) in answers.items())


def hire(cast: Cast) -> str:
    """The hire order arrives."""
    answer = cast.stage.hr.send(sample("hire"))
    expect(answer.status_code == 202, f"answered {answer.status_code}: {answer.text}")
    return f"202, receipt {answer.json()['receipt']}"


def again(cast: Cast) -> str:
    """The same order again, and other content under its version."""
    same, other = cast.stage.hr.send(sample("hire")), cast.stage.hr.send(changed("hire", number="1/999-К"))
    expect((same.status_code, other.status_code) == (200, 409), f"answered {same.status_code} and {other.status_code}")
    return f"the same again: 200 and the same receipt; changed content: 409 {other.json()['code']}"


def provisioned(cast: Cast) -> str:
    """UNET, Moodle and mail were brought in line and read back; the rest waits for officers."""
    tasks = wait_for(lambda: automatic_tasks_done(cast, "1/101-К"), "the systems were not brought in line")
    for system in automatic(cast):
        remote = look(cast, system)
        expect(remote is not None and remote.active, f"{system} does not have the account")
    waiting = [task["code"] for task in tasks if task["status"] == "manual"]
    due = {task["due_on"] for task in tasks}
    mail = "" if cast.stage.mail else "; mail waits: slapd is not installed"
    return f"{', '.join(automatic(cast))} read back{mail}; by hand: {', '.join(waiting)}; due {', '.join(sorted(due))}"


def activate(cast: Cast) -> str:
    """Anara finds the link in her mail, is told all rules a weak password breaks, chooses a good one."""
    mails = wait_for(lambda: cast.stage.outbox.to(ADDRESS), "no mail came")
    link = LINK.findall(text_of(mails[-1]))[0]
    cast.anara.open(link)
    refused = cast.anara.submit(password=WEAK, again=WEAK)
    expect(refused.status_code == 422, f"a weak password was answered {refused.status_code}")
    done = cast.anara.submit(password=PASSWORD, again=PASSWORD)
    expect(done.status_code == 200, f"a good password was answered {done.status_code}")
    expect(cast.anara.open(link).status_code == 410, "the link works twice")
    return "weak password refused with every broken rule, good one taken, the link is spent"


def enter_system(cast: Cast) -> str:
    """Anara enters UNET: sign-in, agreement, code, tokens, userinfo."""
    cast.anara.open(f"{cast.stage.system.url}/login")
    answer = cast.anara.sign_in(LOGIN, PASSWORD)
    claims = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    expect(claims.get("email") == f"{LOGIN}@kstu.kg", f"ended at {answer.url} with {answer.status_code}")
    cast.tokens = cast.stage.system.tokens[claims["sub"]]
    return f"signed in as {claims['name']}, {claims['email']}; tokens: {', '.join(sorted(cast.tokens))}"


def lock(cast: Cast) -> str:
    """Four wrong passwords lock; another department's officer can't lift it, her own can."""
    guesser = cast.person()
    seen = [guesser.sign_in(LOGIN, "Not-hers 1").status_code for _ in range(4)]
    expect(guesser.sees("locked"), f"not locked after {seen}")
    expect(cast.person().sign_in(LOGIN, PASSWORD).status_code == 401, "the right password opens a locked login")
    stranger, officer = officer_at_desk(cast, "person3"), officer_at_desk(cast, "person2")
    expect(not stranger.sees(LOGIN), "the officer of another department sees the lockout")
    form = officer.forms("/lockouts/")[0]
    expect(post_as(stranger, form, reason="let me").status_code == 404, "another department's officer can lift it")
    lifted = officer.submit(form, reason="she called, I know her voice")
    expect(lifted.status_code == 200, "her officer can't lift it")
    expect(cast.person().sign_in(LOGIN, PASSWORD).status_code == 200, "still locked")
    return "locked at the fourth; person3 of 0112 gets 404, person2 of 0407 lifts it"


def transfer(cast: Cast) -> str:
    """The transfer order takes away what the new position does not carry."""
    before = look(cast, "unet")
    expect(cast.stage.hr.send(sample("transfer")).status_code == 202, "not accepted")
    tasks = wait_for(lambda: automatic_tasks_done(cast, "1/118-К"), "the systems were not brought in line")
    after = look(cast, "unet")
    if before is None or after is None:
        raise Failed("UNET lost the account")
    now = after.attributes
    expect(now["department"] == "0112" and not now.get("programs"), f"UNET shows {now}")
    closing = [task["code"] for task in tasks if task["action"] == "close"]
    expect("zoom" in closing, f"to be closed: {closing}")
    programs = before.attributes.get("programs")
    return f"UNET: department 0407 -> 0112, programs {programs} -> none; to be closed: {', '.join(closing)}"


def by_hand(cast: Cast) -> str:
    """The officer confirms what was done by hand."""
    confirmed = confirm_all(cast)
    wait_for(lambda: sheet(cast, "1/118-К")["order"]["state"] == "applied", "the order is not carried out")
    return f"{confirmed} tasks confirmed on the desk; order 1/118-К is applied"


def dismissal(cast: Cast) -> str:
    """The dismissal order arrives; until its moment everything works."""
    moment = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), UTC) - timedelta(hours=6)
    if cast.stage.clock.now() < moment - timedelta(seconds=60):
        expect(cast.stage.hr.send(sample("dismissal_v1")).status_code == 202, "not accepted")
        cast.stage.clock.move_to(moment - timedelta(seconds=25))
    fresh_tokens(cast)
    expect(refreshed(cast).status_code == 200, "a refresh token of the last day is refused")
    if cast.stage.clock.now() >= moment:  # played after the last day: it acts at once
        expect(cast.stage.hr.send(sample("dismissal_v1")).status_code == 202, "not accepted")
    else:
        cast.stage.clock.move_to(moment + timedelta(seconds=1))
    return f"accepted; last day {LAST_DAY}; the clock now stands at {cast.stage.clock.now():%Y-%m-%d %H:%M:%S} UTC"


def shut_out(cast: Cast) -> str:
    """Sign-in, session and refresh token are dead within five seconds."""
    started = time.monotonic()
    wait_for(lambda: "/sign-in" in str(cast.anara.open("/account").url), "the session lives on", seconds=5)
    session_after = time.monotonic() - started
    wait_for(lambda: refreshed(cast).status_code == 400, "the refresh token lives on", seconds=5)
    expect(userinfo(cast).status_code == 401, "the access token still opens userinfo")
    refused = cast.person()
    expect(refused.sign_in(LOGIN, PASSWORD).status_code == 401 and refused.sees("closed"), "she can still sign in")
    return f"session dead after {session_after:.1f} s, refresh token refused, userinfo refused, sign-in refused"


def closed(cast: Cast) -> str:
    """Every system is closed and read back; officers confirm theirs; the sheet shows it."""
    cast.admin.sign_in("t.sadykova", PASSWORD)
    wait_for(lambda: automatic_tasks_done(cast, "1/140-К"), "the systems were not closed")
    for system in automatic(cast):
        remote = look(cast, system)
        expect(remote is not None and not remote.active, f"{system} still has her active")
    confirm_all(cast)
    lines = sheet(cast, "1/140-К")["lines"]
    tasks = lines[0]["tasks"]
    left = [task["code"] for task in tasks if task["status"] != "done" and (task["code"] != "mail" or cast.stage.mail)]
    expect(not left, f"not closed: {left}")
    kept = sum(task["standing"] == "kept" for task in tasks)
    in_time = f"{kept} within their deadline {tasks[0]['due_on']}"
    return f"{len(tasks)} systems closed, {in_time}; line 2 (T-0077): {lines[1]['state']}"


def audited(cast: Cast) -> str:
    """The audit trail holds together."""
    return cast.stage.command("audit", "verify").strip()


STEPS: tuple[tuple[str, Callable[[Cast], str]], ...] = (
    ("An administrator and two officers are appointed", appoint),
    ("Wrong input is turned away at the door", doors),
    ("HR sends the hire order of Anara Ulgubaeva", hire),
    ("HR sends it again, and changed", again),
    ("The worker brings the systems in line and reads back", provisioned),
    ("Anara activates her account", activate),
    ("Anara enters a system through OpenID Connect", enter_system),
    ("Four wrong passwords lock the login, her officer lifts it", lock),
    ("HR sends the transfer order", transfer),
    ("The officer confirms the work by hand", by_hand),
    ("HR sends the dismissal order, its moment comes", dismissal),
    ("She is out", shut_out),
    ("Every system is closed and read back", closed),
    ("The audit trail is verified", audited),
)
