"""A stand-in of the mail system's directory: a slapd of its own on loopback, with the schema and rights of contracts/mail.

Runs as whoever starts it; needs Debian's package `slapd` and nothing of the machine's own configuration.
"""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.mail import MailSettings
from connectors.standins.ports import end, free_port, wait_for

SUFFIX = "dc=example,dc=edu"
PEOPLE = f"ou=people,{SUFFIX}"
LISTS = f"ou=lists,{SUFFIX}"
CONNECTOR = f"cn=idp,ou=services,{SUFFIX}"
READER = f"cn=mail,ou=services,{SUFFIX}"
ADMIN = f"cn=admin,{SUFFIX}"
READER_PASSWORD = "standin-reader"
ADMIN_PASSWORD = "standin-admin"

_SCHEMAS = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")

_TYPES = (  # number, name, equality rule, syntax, single
    (1, "kstuAccountId", "caseExactIA5Match", 26, True),
    (2, "kstuMailEnabled", "booleanMatch", 7, True),
    (3, "kstuMailInbound", "caseIgnoreIA5Match", 26, True),
    (4, "kstuMailQuota", "integerMatch", 27, True),
    (5, "kstuMailForward", "caseIgnoreIA5Match", 26, False),
    (6, "kstuListAddress", "caseIgnoreIA5Match", 26, False),
)
_ARC = "2.25.277416926853563306930541938406853204531"

_CLASS = f"""objectclass ( {_ARC}.2.1 NAME 'kstuMailAccount' SUP top AUXILIARY
  MUST ( mail $ mailLocalAddress $ kstuAccountId $ kstuMailEnabled $ kstuMailInbound )
  MAY ( kstuMailQuota $ kstuMailForward ) )
objectclass ( {_ARC}.2.2 NAME 'kstuMailList' SUP top STRUCTURAL
  MUST ( cn $ mail $ mailLocalAddress $ kstuAccountId )
  MAY ( member $ kstuListAddress $ description ) )
"""

_CONFIG = """{includes}
include {folder}/kstu.schema
modulepath {modules}
moduleload back_mdb
moduleload unique
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {admin_password}
directory {folder}/data
maxsize 268435456
dbnosync
index objectClass,uid,mail,mailLocalAddress,kstuAccountId,entryUUID,member eq
limits dn.exact="{connector}" size=unlimited
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{suffix}"
overlay unique
unique_uri ldap:///?mailLocalAddress?sub
unique_uri ldap:///?kstuAccountId?sub
access to attrs=userPassword by dn.exact="{connector}" write by anonymous auth by * none
access to dn.subtree="{people}" by dn.exact="{connector}" write by dn.exact="{reader}" read by * none
access to dn.subtree="{lists}" by dn.exact="{connector}" write by dn.exact="{reader}" read by * none
access to * by dn.exact="{connector}" read by dn.exact="{reader}" read by * none
"""

_ENTRIES = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example University
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit

dn: {LISTS}
objectClass: organizationalUnit

dn: ou=services,{SUFFIX}
objectClass: organizationalUnit

dn: ou=policies,{SUFFIX}
objectClass: organizationalUnit

dn: cn=default,ou=policies,{SUFFIX}
objectClass: device
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: {CONNECTOR}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {{password}}

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {READER_PASSWORD}
"""


def available() -> bool:
    """Whether Debian's package `slapd` is installed."""
    return shutil.which("slapd", path="/usr/sbin:/usr/bin") is not None and _SCHEMAS.is_dir()


class SlapdStandin:
    """Starts on entering, stops on leaving; entries survive in the folder."""

    def __init__(self, folder: Path, port: int = 0, password: str = "standin-connector") -> None:
        self.folder, self.port, self.password = folder, port or free_port(), password
        self.url = f"ldap://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> MailSettings:
        """How a connector reaches this stand-in."""
        return MailSettings(url=self.url, bind_dn=CONNECTOR, password=self.password, base=PEOPLE)

    @property
    def with_lists(self) -> MailSettings:
        """And with a list for each department."""
        return replace(self.settings, lists=LISTS, department_list="dept-{department}@example.edu")

    def __enter__(self) -> Self:
        if not (self.folder / "data").exists():
            self._prepare()
        with (self.folder / "slapd.log").open("ab") as log:
            # -d 0 keeps it in the foreground, so that it is our child and ends with us
            command = ["/usr/sbin/slapd", "-f", str(self.folder / "slapd.conf"), "-h", f"{self.url}/", "-d", "0"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.port, self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def _prepare(self) -> None:
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "kstu.schema").write_text(_schema())
        (self.folder / "slapd.conf").write_text(self._config())
        ldif = self.folder / "base.ldif"
        ldif.write_text(_ENTRIES.format(password=self.password))
        command = ["/usr/sbin/slapadd", "-f", str(self.folder / "slapd.conf"), "-l", str(ldif)]
        subprocess.run(command, check=True, capture_output=True)

    def _config(self) -> str:
        names = ("core", "cosine", "inetorgperson", "misc")
        includes = "\n".join(f"include {_SCHEMAS}/{name}.schema" for name in names)
        return _CONFIG.format(includes=includes, folder=self.folder, modules=_MODULES, suffix=SUFFIX, admin=ADMIN,
                              admin_password=ADMIN_PASSWORD, connector=CONNECTOR, people=PEOPLE, lists=LISTS,
                              reader=READER)  # fmt: skip


def _schema() -> str:
    """Attribute types and the two classes of contracts/mail; names and numbers are the contract's."""
    syntax = "1.3.6.1.4.1.1466.115.121.1"
    types = [f"attributetype ( {_ARC}.1.{number} NAME '{name}' EQUALITY {rule} SYNTAX {syntax}.{kind}"
             f"{' SINGLE-VALUE' if single else ''} )" for number, name, rule, kind, single in _TYPES]  # fmt: skip
    return "\n".join([*types, _CLASS])
