#!/usr/bin/env python3
"""A real phone without a sound card: baresip that answers or calls, plays a tone and records what it hears.

usage: tests/phone.py DIRECTORY --port PORT --user USER [--tls DIR] [--srtp] [--tone HERTZ] [--answer] [--call URI] ...
       tests/phone.py --tell PORT COMMAND [WORDS]

Registers nowhere: it is called at sip:USER@127.0.0.1, UDP and TCP on PORT, TLS on PORT + 1. Two phones differ by their
ports: baresip opens its media on all addresses and Linux then sends from 127.0.0.1, so no other loopback address is true.
DIRECTORY receives its configuration and, when a call ends, its recordings: dump-DATE-dec.wav is what it heard,
dump-DATE-enc.wav what it said. The process becomes baresip (its id stays), which ends at SIGTERM or after --seconds.

`--tell` sends a command to the phone with that PORT and prints its answer: "dial URI", "accept", "hangup", "hold",
"resume", "sndcode DIGITS" (RFC 4733), "transfer URI". They travel as netstrings of JSON over TCP, to PORT + 2.
"""

import argparse
import json
import os
import socket
import sys

MODULES = "/usr/lib/baresip/modules"
IP = "127.0.0.1"
HERE = os.path.dirname(os.path.abspath(__file__))

sys.path.insert(0, HERE)
import tone


def main():
    if len(sys.argv) > 3 and sys.argv[1] == "--tell":
        print(json.dumps(tell(int(sys.argv[2]), sys.argv[3], " ".join(sys.argv[4:]))))
        return
    options = arguments()
    os.makedirs(options.directory, exist_ok=True)
    write(options)
    command = ["baresip", "-4", "-f", options.directory]
    if options.seconds:
        command += ["-t", str(options.seconds)]
    if options.call:
        command += ["-e", f"/dial {options.call}"]
    if options.trace:
        command.append("-s")
    os.execvp("baresip", command)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument(
        "--port", type=int, required=True, help="SIP over UDP and TCP; TLS on the next, commands on the one after"
    )
    parser.add_argument("--media-ports", default="10000-10999", metavar="FROM-TO")
    parser.add_argument("--user", required=True, help="user part of its SIP address")
    parser.add_argument(
        "--tls", metavar="DIR", help="calls over TLS; DIR has ca.pem and phone.both.pem (scripts/certificates.sh)"
    )
    parser.add_argument("--tcp", action="store_true", help="calls over TCP")
    parser.add_argument("--srtp", action="store_true", help="SRTP by SDES is mandatory, offered and asked for")
    parser.add_argument("--tone", type=float, default=440, metavar="HERTZ", help="what it says (440)")
    parser.add_argument("--codec", default="PCMA", help="PCMA or PCMU")
    parser.add_argument("--answer", action="store_true", help="answers at once; else it rings until told 'accept'")
    parser.add_argument("--call", metavar="URI", help="calls as soon as it runs")
    parser.add_argument("--proxy", metavar="URI", help="sends every call there first: sip:127.0.0.1:5061;transport=tls")
    parser.add_argument("--seconds", type=int, help="ends by itself after so long")
    parser.add_argument("--trace", action="store_true", help="prints every SIP message")
    return parser.parse_args()


def write(options):
    directory = os.path.abspath(options.directory)
    wav = f"{directory}/say.wav"
    tone.make(options.tone, 120, wav)
    with open(f"{HERE}/baresip/config") as f:
        config = f.read()
    words = {"MODULES": MODULES, "SIP_ADDRESS": f"{IP}:{options.port}", "COMMAND_ADDRESS": f"{IP}:{options.port + 2}"}
    words |= {"MEDIA_PORTS": options.media_ports, "SAY_WAV": wav, "RECORDINGS": directory}
    words["TLS_LINES"] = (
        f"sip_certificate {options.tls}/phone.both.pem\nsip_cafile {options.tls}/ca.pem" if options.tls else ""
    )
    for word, value in words.items():
        config = config.replace(word, value)
    with open(f"{directory}/config", "w") as f:
        f.write(config)
    transport = "tls" if options.tls else "tcp" if options.tcp else "udp"
    port = options.port + 1 if options.tls else options.port
    account = f"<sip:{options.user}@{IP}:{port};transport={transport}>;regint=0;audio_codecs={options.codec};ptime=20"
    account += f";answermode={'auto' if options.answer else 'manual'}"
    if options.srtp:
        account += ";mediaenc=srtp-mand"
    if options.proxy:
        account += f';outbound="{options.proxy}"'
    with open(f"{directory}/accounts", "w") as f:
        f.write(account + "\n")
    open(f"{directory}/contacts", "w").close()


def tell(port, command, params=""):
    """Sends one command and returns the phone's answer."""
    message = json.dumps({"command": command, "params": params, "token": "tell"}).encode()
    with socket.create_connection((IP, port + 2), timeout=5) as connection:
        connection.sendall(b"%d:%s," % (len(message), message))
        data = b""
        while True:
            got = connection.recv(65535)
            if not got:
                sys.exit("the phone closed the connection")
            data += got
            while b":" in data:
                length, rest = data.split(b":", 1)
                if len(rest) <= int(length):
                    break
                answer = json.loads(rest[: int(length)])
                data = rest[int(length) + 1 :]
                if answer.get("response"):
                    return answer


if __name__ == "__main__":
    main()
