"""Holds recorded exchanges with Microsoft Graph against its contract, and encrypted notifications against vectors.

usage: check_graph.py FOLDER RECORD...

FOLDER has graph-v1.0-subset.openapi.json and encrypted-notification.vectors.json. RECORD has one JSON object a line,
as the sandbox writes it; the key that opens its notifications lies beside it as RECORD with the ending .key.pem. Without
it, what is sealed stays so.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import sys
import urllib.parse

from cryptography.hazmat.primitives import hashes, padding as block_padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jsonschema import Draft202012Validator, FormatChecker

# Operations that are Microsoft's but not in the contract, and what their answers hold.
OUTSIDE = {
    ("GET", "/me/memberOf/microsoft.graph.directoryRole"): None,
    ("GET", "/servicePrincipals/{id}/appRoleAssignments"): "microsoft.graph.appRoleAssignment",
    ("GET", "/oauth2PermissionGrants"): None,
    ("GET", "/servicePrincipals/{id}/oauth2PermissionGrants"): None,
    ("GET", "/users/{id}/photos/{id}"): "microsoft.graph.profilePhoto",
    ("GET", "/groups/{id}/transitiveMembers/microsoft.graph.user"): "microsoft.graph.user.any",
    ("GET", "/groups/{id}/members/microsoft.graph.user"): "microsoft.graph.user.any",
}
# Members that delta queries add to objects which the contract closes ("Use delta query to track changes").
REMOVED = {"reason"}


class Contract:
    """The contract: operations by path, schemas by name."""

    def __init__(self, document):
        self.components = document["components"]
        self.validators = {}
        self.operations = []
        for path, item in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "$")
            for method, operation in item.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    self.operations.append((method.upper(), path, pattern, operation))
        # Paths without parameters first: /users/delta is not a user called delta.
        self.operations.sort(key=lambda one: one[1].count("{"))
        self.webhook = document["webhooks"]["changeNotification"]["post"]

    def find(self, method, path):
        for candidate, template, pattern, operation in self.operations:
            if candidate == method and pattern.match(path):
                return template, operation
        return None, None

    def check(self, schema, instance, what, findings):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {"components": self.components, **schema}
            self.validators[key] = Draft202012Validator(whole, format_checker=FormatChecker())
        for error in self.validators[key].iter_errors(instance):
            place = "/".join(str(step) for step in error.absolute_path)
            findings.append(f"{what}: at /{place}: {error.message[:300]}")


def normal(path):
    """Keys in parentheses become segments: users('x') is users/x."""
    path = urllib.parse.unquote(path)
    path = re.sub(r"\((?:[A-Za-z]+=)?'?([^()']+)'?\)", r"/\1", path)
    return path.replace("()", "")


def without_delta_members(value, what, findings):
    """Checks and takes away what delta queries add to objects."""
    plain = []
    for one in value:
        one = dict(one)
        if "@removed" in one:
            removed = one.pop("@removed")
            if set(removed) != REMOVED or removed["reason"] not in ("changed", "deleted"):
                findings.append(f"{what}: @removed is {removed}")
        for member in one.pop("members@delta", []):
            if not isinstance(member.get("id"), str) or "@odata.type" not in member:
                findings.append(f"{what}: members@delta holds {member}")
        plain.append(one)
    return plain


def check_exchange(contract, exchange, findings, counts):
    method, path = exchange["method"], normal(exchange["path"])
    answer = exchange["answer"]
    if answer is None:
        return
    template, operation = contract.find(method, path)
    status = answer["status"]
    what = f"{method} {path} -> {status}"
    if status >= 400:
        contract.check({"$ref": "#/components/schemas/odata.error"}, answer["body"], what, findings)
        if "request-id" not in answer["headers"]:
            findings.append(f"{what}: there is no request-id")
    if operation is None:
        check_outside(contract, method, path, answer, what, findings, counts)
        return
    counts[f"{method} {template}"] = counts.get(f"{method} {template}", 0) + 1
    check_query(contract, operation, exchange["query"], what, findings, status)
    if status < 400:
        check_request_body(contract, operation, exchange["body"], what, findings)
        check_answer(contract, operation, answer, what, findings, "delta" in template)
    if template == "/$batch" and status == 200:
        check_batch(contract, exchange, findings, counts)


def check_query(contract, operation, query, what, findings, status):
    known = set()
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            parameter = contract.components["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        if parameter["in"] == "query":
            known.add(parameter["name"])
    for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if status < 400 and name.startswith("$") and name not in known:
            findings.append(f"{what}: the contract does not know the option {name}")


def check_request_body(contract, operation, body, what, findings):
    asked = operation.get("requestBody")
    if asked is None:
        if body not in (None, {}):
            findings.append(f"{what}: a body where the contract has none")
        return
    if body is None:
        if asked.get("required"):
            findings.append(f"{what}: the body is missing")
        return
    contract.check(asked["content"]["application/json"]["schema"], body, f"{what}, request", findings)


def check_answer(contract, operation, answer, what, findings, is_delta):
    status = str(answer["status"])
    if status == "304":
        return
    response = operation["responses"].get(status)
    if response is None:
        findings.append(f"{what}: the contract knows {sorted(operation['responses'])}")
        return
    content = response.get("content")
    if content is None:
        if answer["body"] is not None:
            findings.append(f"{what}: a body where the contract has none")
        return
    kind = answer["contentType"]
    if kind not in content:
        findings.append(f"{what}: the content is {kind}, the contract has {sorted(content)}")
        return
    if kind == "application/json":
        body = answer["body"]
        if is_delta:
            body = {**body, "value": without_delta_members(body["value"], what, findings)}
        contract.check(content[kind]["schema"], body, f"{what}, answer", findings)


def check_outside(contract, method, path, answer, what, findings, counts):
    for (known_method, template), schema in OUTSIDE.items():
        pattern = "^" + re.sub(r"\\\{id\\\}", "[^/]+", re.escape(template)) + "$"
        if method == known_method and re.match(pattern, path):
            key = f"{method} {template} (not in the contract)"
            counts[key] = counts.get(key, 0) + 1
            if schema and answer["status"] == 200:
                body = answer["body"]
                for one in body.get("value", [body]):
                    contract.check({"$ref": f"#/components/schemas/{schema}"}, one, f"{what}, answer", findings)
            return
    if answer["status"] < 400:
        findings.append(f"{what}: the contract has no such operation")


def check_batch(contract, exchange, findings, counts):
    requests = {request["id"]: request for request in exchange["body"]["requests"]}
    for inner in exchange["answer"]["body"]["responses"]:
        request = requests[inner["id"]]
        path, _, query = request["url"].partition("?")
        headers = {name.lower(): value for name, value in inner.get("headers", {}).items()}
        kind = headers.get("content-type", "").split(";")[0] or None
        check_exchange(contract, {
            "method": request["method"].upper(),
            "path": "/" + path.lstrip("/"),
            "query": query,
            "body": request.get("body"),
            "answer": {
                "status": inner["status"],
                "headers": {"request-id": "of the batch"},
                "contentType": kind,
                "body": inner.get("body"),
            },
        }, findings, counts)


def opened(content, key):
    """What is in encrypted content; ValueError if its signature is wrong."""
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    secret = key.decrypt(base64.b64decode(content["dataKey"]), oaep)
    data = base64.b64decode(content["data"])
    signature = hmac.new(secret, data, hashlib.sha256).digest()
    if not hmac.compare_digest(signature, base64.b64decode(content["dataSignature"])):
        raise ValueError("the signature is wrong")
    decryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    unpadder = block_padding.PKCS7(128).unpadder()
    return (unpadder.update(plain) + unpadder.finalize()).decode()


def check_vectors(vectors, findings):
    """The steps by which notifications are opened below are those of the vectors."""
    numbers = {name: int(value, 16) for name, value in vectors["rsa"].items()}
    public = rsa.RSAPublicNumbers(numbers["e"], numbers["n"])
    p, q, d = numbers["p"], numbers["q"], numbers["d"]
    key = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public).private_key()
    for vector in vectors["vectors"]:
        try:
            plain = opened(vector["encryptedContent"], key)
        except ValueError:
            plain = None
        if plain != vector["plaintext"]:
            findings.append(f"vector {vector['name']}: opened as {plain!r}")


def check_notification(contract, line, key, findings, counts):
    schema = contract.webhook["requestBody"]["content"]["application/json"]["schema"]
    contract.check(schema, line["body"], f"notification to {line['url']}", findings)
    for item in line["body"]["value"]:
        kind = "lifecycle notification" if "lifecycleEvent" in item else "notification"
        if item.get("encryptedContent"):
            kind = "encrypted notification"
            if key is None:
                counts["sealed notification"] = counts.get("sealed notification", 0) + 1
                continue
            try:
                presence = json.loads(opened(item["encryptedContent"], key))
            except ValueError as error:
                findings.append(f"encrypted notification: {error}")
                continue
            schema = {"$ref": "#/components/schemas/microsoft.graph.presence"}
            contract.check(schema, presence, "opened notification", findings)
            if not line["body"].get("validationTokens"):
                findings.append("encrypted notification: there is no validation token")
        counts[kind] = counts.get(kind, 0) + 1


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, records = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    contract = Contract(json.loads((folder / "graph-v1.0-subset.openapi.json").read_text(encoding="utf-8")))
    findings, counts = [], {}
    check_vectors(json.loads((folder / "encrypted-notification.vectors.json").read_text(encoding="utf-8")), findings)
    for record in records:
        key_file = record.with_suffix(".key.pem")
        key = serialization.load_pem_private_key(key_file.read_bytes(), None) if key_file.exists() else None
        for text in record.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if line["kind"] == "exchange":
                check_exchange(contract, line, findings, counts)
            elif line["kind"] == "notification":
                check_notification(contract, line, key, findings, counts)
    for name in sorted(counts):
        print(f"{counts[name]:5}  {name}")
    for finding in findings:
        print(f"FINDING  {finding}")
    if "encrypted notification" not in counts or sum(counts.values()) < EXCHANGES_MIN:
        findings.append("too little")
        print(f"FINDING  {record} holds too little to prove anything")
    print(f"{sum(counts.values())} exchanges, {len(counts)} kinds, {len(findings)} findings")
    sys.exit(1 if findings else 0)


# Fewer exchanges than this are no story.
EXCHANGES_MIN = 40

if __name__ == "__main__":
    main()
