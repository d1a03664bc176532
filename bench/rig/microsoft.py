"""Simulated Microsoft 365 tenants with very many people, to whom the program under test is connected as to real ones."""

import http.client
import json
import os
import re
import urllib.parse
from dataclasses import dataclass

from . import api, systems
from .process import BenchError, Child, cores

APP = "11111111-2222-4333-8444-555555555555"
SECRET = "secret~of-the-bench"
SUBSCRIPTION_PEOPLE = 650  # whom one account watches at most
PUBLIC = f"http://{systems.SUT}:{systems.HTTP_PORT}"
START_SECONDS_MAX = 60


@dataclass(frozen=True)
class Customer:
    """An Entra tenant. All ids follow from its number."""

    number: int
    people: int

    @property
    def id(self):
        return f"4dcafc31-d434-426b-a0bb-c376fb{self.number:06x}"

    def user(self, number):
        """What the sandbox calls one of its people."""
        return f"c{self.number:04d}-u{number:05d}"

    def object_id(self, number):
        return f"fa273707-89ea-4085-{self.number:04x}-ddf4ab{number:06x}"

    @property
    def watchers(self):
        """The accounts that are needed to watch everybody by subscriptions."""
        return [f"c{self.number:04d}-w{number:02d}" for number in range(-(-self.people // SUBSCRIPTION_PEOPLE))]

    def config(self):
        """What stands in the sandbox's configuration."""
        text = f"""
[[tenants]]
name = "Customer {self.number}"
id = "{self.id}"
domains = ["c{self.number:04d}.bench.example"]
"""
        for number, name in enumerate(self.watchers, 0xF00000):
            text += f"""[[tenants.accounts]]
id = "{name}"
name = "Watcher"
object_id = "{self.object_id(number)}"
"""
        for number in range(self.people):
            text += f"""[[tenants.accounts]]
id = "{self.user(number)}"
name = "{GIVEN[number % len(GIVEN)]} {FAMILY[number // len(GIVEN) % len(FAMILY)]} {number}"
department = "{DEPARTMENTS[number % len(DEPARTMENTS)]}"
job_title = "Expert of {DEPARTMENTS[number % len(DEPARTMENTS)]}"
office = "{number % 7}/{number % 40:03d}"
object_id = "{self.object_id(number)}"
photo = false
"""
        return text

    def person(self, number, agent):
        """What stands in the configuration of the program under test about one of its people."""
        return f"""
[[people]]
name = "Agent {number}"
entra = {{ tenant = "{self.id}", user = "{self.object_id(number)}" }}
roles = ["agent"]
agent = "{agent}"
"""


class Microsoft:
    """The running sandbox with these customers."""

    def __init__(self, program, directory, customers):
        self.folder = f"{directory}/microsoft"
        os.makedirs(self.folder, exist_ok=True)
        with open(f"{self.folder}/sandbox.toml", "w") as f:
            f.write(_sandbox_config(customers))
        with open(f"{self.folder}/secret", "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(SECRET)
        command = [program, "sandbox", "--data", self.folder, "--config", f"{self.folder}/sandbox.toml"]
        self._log = f"{self.folder}/sandbox.log"
        self.child = Child("sandbox", command, self._log, cores()[1])

    def __enter__(self):
        try:
            self.child.need(lambda: self._addresses() is not None, "its addresses", START_SECONDS_MAX)
        except BaseException:
            self.child.stop()
            raise
        self.addresses = self._addresses()
        self.http = _address(self.addresses["http"])
        api.once(self.http, "PUT", "/sandbox/graph/switches", body={"notifications": {"delay_ms": 0}})
        return self

    def __exit__(self, *_):
        self.child.stop()

    def server_config(self):
        """What stands in the main configuration of the program under test, but for whose tenants these are."""
        https = _address(self.addresses["https"])[1]
        return f"""
[microsoft]
login = "https://localhost:{https}"
graph = "https://localhost:{https}"
trust = "{self.addresses["root"]}"
client_id = "{APP}"
secret_file = "{self.folder}/secret"
"""

    def watch(self, server, customer):
        """Signs the accounts in by which presence is told, as an administrator does in a browser."""
        for name in customer.watchers:
            link = api.once(server, "POST", f"/api/v1/microsoft/{customer.id}/presence-account", systems.ROOT_KEY)["url"]
            away, cookies = _browse(server, "GET", _path(link))
            back, _ = _browse(self.http, "POST", _path(away), body=f"user={name}&consent=accept")
            _browse(server, "GET", _path(back), cookies=cookies)

    def _addresses(self):
        with open(self._log, errors="replace") as f:
            found = re.search(r"^\{.*?^\}", f.read(), re.DOTALL | re.MULTILINE)
        return json.loads(found.group()) if found else None


def _sandbox_config(customers):
    text = f"""
dns = "{systems.MICROSOFT}:0"
control = "127.0.0.1:0"
keys = "ecdsa"
trunks = []
[web]
http = "127.0.0.1:0"
https = "127.0.0.1:0"
[proxies]
port = 0
[carrier]
address = "{systems.MICROSOFT}:5060"
[[apps]]
id = "{APP}"
name = "Tandem"
home_tenant = "{customers[0].id}"
audience = "AzureADMultipleOrgs"
secrets = [{{ value = "{SECRET}" }}]
redirect_uris = ["{PUBLIC}/auth/entra/callback"]
permissions = ["Presence.Read.All", "User.Read.All"]
delegated = ["openid", "profile", "offline_access", "User.Read", "Presence.Read.All"]
consented = {json.dumps([customer.id for customer in customers])}
"""
    return text + "".join(customer.config() for customer in customers)


GIVEN = ["Adele", "Björn", "Chloé", "Dmitri", "Elif", "François", "Gráinne", "Hiroshi", "Inês", "José", "Kōji", "Łukasz"]
FAMILY = ["Vance", "Müller", "Lefèvre", "Novák", "Øster", "Peña", "Quist", "Rossi", "Şahin", "Tremblay", "Ünal"]
DEPARTMENTS = ["Sales", "Billing", "Networks", "Claims", "Legal", "Care", "Logistics", "Research", "Field", "Support"]


def _browse(address, method, path, body=None, cookies=()):
    """What a browser does, up to the address to which it is sent on. Returns that, and the cookies that were set."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    headers = {"Cookie": "; ".join(cookies)} if cookies else {}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{method} {path}: {error}")
    finally:
        connection.close()
    if answer.status not in (302, 303):
        raise BenchError(f"{method} {path}: {answer.status} {text[:500]}")
    return answer.headers["Location"], [one.split(";")[0] for one in answer.headers.get_all("Set-Cookie", [])]


def _path(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)
