"""A simulated Microsoft 365 tenant with very many people, to whom the program under test is connected as to the real one."""

import http.client
import json
import os
import re
import urllib.parse

from . import api, systems
from .process import BenchError, Child, cores

TENANT = "4dcafc31-d434-426b-a0bb-c376fb36061a"
APP = "11111111-2222-4333-8444-555555555555"
SECRET = "secret~of-the-bench"
SUBSCRIPTION_PEOPLE = 650  # whom one account watches at most
PUBLIC = f"http://{systems.SUT}:{systems.HTTP_PORT}"
START_SECONDS_MAX = 60


class Tenant:
    """The running sandbox. `user(n)` is what the sandbox calls the person of number n."""

    def __init__(self, program, directory, people):
        folder = f"{directory}/microsoft"
        self.watchers = -(-people // SUBSCRIPTION_PEOPLE)
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/sandbox.toml", "w") as f:
            f.write(_sandbox_config(people, self.watchers))
        with open(f"{folder}/secret", "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(SECRET)
        self.folder, self._log = folder, f"{folder}/sandbox.log"
        command = [program, "sandbox", "--data", folder, "--config", f"{folder}/sandbox.toml"]
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

    def server_config(self, people):
        """What stands in the configuration of the program under test: the connection, and who is which agent."""
        https = _address(self.addresses["https"])[1]
        text = f"""
[microsoft]
login = "https://localhost:{https}"
graph = "https://localhost:{https}"
trust = "{self.addresses["root"]}"
client_id = "{APP}"
secret_file = "{self.folder}/secret"
entra = ["{TENANT}"]
"""
        for number in range(people):
            text += f"""
[[people]]
name = "Agent {number}"
entra = {{ tenant = "{TENANT}", user = "{object_id(number)}" }}
roles = ["agent"]
agent = "a{number:04d}"
"""
        return text

    def watch(self, server):
        """Signs the accounts in by which presence is told, as an administrator does in a browser. Returns how many."""
        for number in range(self.watchers):
            link = api.once(server, "POST", f"/api/v1/microsoft/{TENANT}/presence-account", systems.ROOT_KEY)["url"]
            away, cookies = _browse(server, "GET", _path(link))
            back, _ = _browse(self.http, "POST", _path(away), body=f"user={watcher(number)}&consent=accept")
            _browse(server, "GET", _path(back), cookies=cookies)
        return self.watchers

    def _addresses(self):
        with open(self._log, errors="replace") as f:
            found = re.search(r"^\{.*?^\}", f.read(), re.DOTALL | re.MULTILINE)
        return json.loads(found.group()) if found else None


def user(number):
    return f"u{number:05d}"


def watcher(number):
    return f"w{number:02d}"


def object_id(number):
    return f"fa273707-89ea-4085-9903-ddf4ab{number:06x}"


def _sandbox_config(people, watchers):
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
home_tenant = "{TENANT}"
secrets = [{{ value = "{SECRET}" }}]
redirect_uris = ["{PUBLIC}/auth/entra/callback"]
permissions = ["Presence.Read.All", "User.Read.All"]
delegated = ["openid", "profile", "offline_access", "User.Read", "Presence.Read.All"]
consented = ["{TENANT}"]
[[tenants]]
name = "Bench"
id = "{TENANT}"
domains = ["bench.example"]
"""
    for number in range(watchers):
        text += f"""[[tenants.accounts]]
id = "{watcher(number)}"
name = "Watcher {number}"
object_id = "fa273707-89ea-4085-9903-ddf4ac{number:06x}"
"""
    for number in range(people):
        text += f"""[[tenants.accounts]]
id = "{user(number)}"
name = "Agent {number}"
object_id = "{object_id(number)}"
photo = false
"""
    return text


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
