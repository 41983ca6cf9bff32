"""The command `achkych`, run as an operator runs it: a process of its own, a settings file, the exit code."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from idp.crypto import new_key

REDIRECT = "https://timetable.kstu.kg/callback"


class Installation:
    """A settings file and a database in a folder."""

    def __init__(self, folder: Path, environment: str = "development") -> None:
        self.database = folder / "achkych.db"
        self.file = folder / "achkych.toml"
        base_url = "https://id.kstu.kg" if environment == "production" else "http://localhost:8080"
        self.file.write_text(
            f'environment = "{environment}"\nbase_url = "{base_url}"\ndatabase_url = "sqlite:///{self.database}"\n'
            f'[secrets]\npages = "{new_key()}"\nlookup = "{new_key()}"\nactive = "k1"\n'
            f'sealing = {{ k1 = "{new_key()}" }}\n[mail]\nsender = "achkych@kstu.kg"\n'
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ACHKYCH_")}
        return subprocess.run(
            [sys.executable, "-m", "idp", *words],
            env=environment | {"ACHKYCH_CONFIG": str(self.file)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def said(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("cli"))
    assert "up to date" in made.said("migrate")
    assert "2 accounts" in made.said("dev", "populate", "--accounts", "2", "--password", "Sary-Chelek 9 kol")
    return made


def test_migrating_twice_is_harmless(installation: Installation) -> None:
    assert "up to date" in installation.said("migrate")


def test_only_the_first_administrator_is_made_at_the_command(installation: Installation) -> None:
    words = ("account", "bootstrap", "--family", "Садыкова", "--given", "Толкун", "--email", "tolkun@example.org")
    assert "http://localhost:8080/activation/" in installation.said(*words)
    again = installation.run(*words)
    assert again.returncode == 1
    assert "administrator already" in again.stderr


def test_a_client_lives_from_add_to_remove(installation: Installation) -> None:
    added = installation.said("client", "add", "Timetable", "--redirect-uri", REDIRECT)
    client_id, secret = (line.split(":")[1].strip() for line in added.splitlines())
    assert client_id in installation.said("client", "list")
    assert secret not in installation.said("client", "list")
    assert secret not in installation.said("client", "rotate-secret", client_id)
    installation.said("client", "remove", client_id)
    assert client_id not in installation.said("client", "list")
    assert installation.run("client", "rotate-secret", client_id).returncode == 1


def test_a_client_is_changed_where_something_is_said_and_nowhere_else(installation: Installation) -> None:
    file = installation.file.with_name("client.json")
    file.write_text('{"backchannel_logout_uri": "https://timetable.kstu.kg/out", "first_party": false}')
    words = ("--redirect-uri", REDIRECT, "--metadata", str(file), "--public")
    added = installation.said("client", "add", "Timetable", *words)
    assert "client_secret" not in added
    client_id = added.split(":")[1].strip()
    before = json.loads(installation.said("client", "show", client_id))
    assert (before["first_party"], before["token_endpoint_auth_method"], before["system"]) == (False, "none", None)
    file.write_text('{"backchannel_logout_uri": null}')
    words = ("--system", "moodle", "--auth-method", "client_secret_post", "--metadata", str(file))
    assert "client_secret: " in installation.said("client", "change", client_id, *words)
    after = json.loads(installation.said("client", "show", client_id))
    changed = {"token_endpoint_auth_method": "client_secret_post", "system": "moodle"}
    assert after == {name: value for name, value in before.items() if name != "backchannel_logout_uri"} | changed
    installation.said("client", "change", client_id, "--for-everybody", "--name", "Hours")
    last = json.loads(installation.said("client", "show", client_id))
    assert (last["system"], last["client_name"]) == (None, "Hours")
    for wrong in ('{"colour": "red"}', "[]", '{"redirect_uris": []}'):
        file.write_text(wrong)
        refused = installation.run("client", "change", client_id, "--metadata", str(file))
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
    assert installation.run("client", "change", client_id, "--system", "nowhere").returncode == 1
    assert installation.run("client", "show", "nobody").returncode == 1


def test_leave_to_register_is_given_and_taken_back(installation: Installation) -> None:
    added = installation.said("client", "initial-token", "add", "Library", "--uses", "3", "--scope", "openid")
    token_id, token = (line.split(":")[1].strip() for line in added.splitlines())
    listed = installation.said("client", "initial-token", "list")
    assert f"{token_id}  Library  3 left  until" in listed
    assert token not in listed
    installation.said("client", "initial-token", "revoke", token_id)
    assert "revoked" in installation.said("client", "initial-token", "list")
    assert installation.run("client", "initial-token", "revoke", token_id).returncode == 1
    assert installation.run("client", "initial-token", "add", "x", "--scope", "clients.manage").returncode == 1


@pytest.mark.parametrize("uri", ["http://timetable.kstu.kg/callback", "https://*.kstu.kg/", "https://a.kg/#x"])
def test_a_client_with_an_unsafe_address_is_not_registered(installation: Installation, uri: str) -> None:
    refused = installation.run("client", "add", "Bad", "--redirect-uri", uri)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_an_officer_is_appointed_only_for_what_exists(installation: Installation) -> None:
    basis = ("--basis", "12-П of 2026-09-01")
    assert "0407" in installation.said("officer", "appoint", "person1", "--department", "0407", *basis)
    nowhere = installation.run("officer", "appoint", "person1", "--department", "NOWHERE", *basis)
    nobody = installation.run("officer", "appoint", "nobody", *basis)
    assert (nowhere.returncode, nobody.returncode) == (1, 1)


def test_verifying_the_audit_trail_names_the_first_broken_record(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    made.said("migrate")
    made.said("client", "add", "Timetable", "--redirect-uri", REDIRECT)
    assert "hold together" in made.said("audit", "verify")
    with sqlite3.connect(made.database) as database:
        database.execute("UPDATE audit_record SET actor = 'nobody' WHERE number = 2")
    broken = made.run("audit", "verify")
    assert broken.returncode == 1
    assert "record 2" in broken.stderr


def test_populating_refuses_outside_development(tmp_path: Path) -> None:
    made = Installation(tmp_path, "production")
    made.said("migrate")
    refused = made.run("dev", "populate", "--accounts", "1", "--password", "Sary-Chelek 9 kol")
    assert refused.returncode == 1
    assert "not a development one" in refused.stderr


def test_a_database_behind_the_code_is_refused(tmp_path: Path) -> None:
    refused = Installation(tmp_path).run("client", "list")
    assert refused.returncode == 78
    assert "achkych migrate" in refused.stderr


def test_every_mistake_in_the_settings_is_told_at_once_without_its_value(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    made.file.write_text('base_url = "ftp://x"\nnonsense = "hush-hush"\n[secrets]\npages = "hush-hush"\n')
    refused = made.run("migrate")
    assert refused.returncode == 78
    assert all(
        name in refused.stderr for name in ("nonsense", "secrets.pages", "secrets.lookup", "database_url", "mail")
    )
    assert "hush-hush" not in refused.stderr


def test_the_page_of_settings_is_the_one_in_the_documentation() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "idp", "dev", "settings"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == Path("docs/settings.md").read_text()


def test_keys_are_replaced_and_listed(installation: Installation) -> None:
    new = installation.said("keys", "rotate", "--algorithm", "ES256").split()[1]
    told = installation.said("keys", "rotate", "--at-once").splitlines()
    assert [line.partition(";")[2] for line in told] == [
        f" {destroyed} keys destroyed, 0 days of the trail sealed again" for destroyed in (1, 1, 2, 1)
    ]
    listed = installation.said("keys", "list")
    assert [line.split()[1] for line in listed.splitlines() if "signing" in line] == [
        "ES256",
        "EdDSA",
        "PS256",
        "RS256",
    ]
    assert listed.count("destroyed") == 5
    assert f"{new}  ES256  destroyed" in listed


def test_factors_are_reset_at_the_machine_only_where_there_are_some(installation: Installation) -> None:
    words = ("account", "reset-factors", "nobody", "--reason", "lost")
    assert "nobody has this login" in installation.run(*words).stderr
    with sqlite3.connect(installation.database) as database:
        [login] = database.execute("SELECT login FROM account LIMIT 1").fetchone()
    refused = installation.run("account", "reset-factors", login, "--reason", "lost")
    assert refused.returncode == 1 and "it has no second factor" in refused.stderr
