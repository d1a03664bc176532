#!/usr/bin/env python3
"""Runs the foreign parts against each other, without Tandem: is a failing test the fault of a part?

usage: tests/check_parts.py [NAME...]       one line a check; exit code 1 when one fails

Everything happens on 127.32.0.0/24 and, for the phones, on ports 7100 to 7203 of 127.0.0.1.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CALLER, AGENT, FACE_C, FACE_A = "127.32.0.2", "127.32.0.3", "127.32.0.4", "127.32.0.5"
RTP = f"{sys.executable} {HERE}/rtp.py --seconds 4"


def main():
    checks = {name: check for name, check in globals().items() if name.startswith("check_")}
    wanted = [f"check_{name}" for name in sys.argv[1:]] or list(checks)
    failed = 0
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="tandem-parts-") as directory:
            try:
                checks[name](directory)
                print(f"ok      {name[6:]}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED  {name[6:]}: {error}", flush=True)
            finally:
                stop_all()
    sys.exit(1 if failed else 0)


def check_answered_call_with_sound(directory):
    run = lambda side, hertz, more="": (
        f"{RTP} --say {hertz} --record {directory}/{side}.wav --report {directory}/{side}.json {more}"
    )
    pair(
        directory,
        "caller",
        "agent",
        caller_run=run("caller", 440, "--digits 1:1,1.5:2"),
        agent_run=run("agent", 620),
        hold_ms=2500,
    )
    until(
        lambda: all(os.path.exists(f"{directory}/{side}.json") for side in ("caller", "agent")),
        "the reports of both ends",
    )
    assert heard(f"{directory}/caller.wav", 620, 440) and heard(f"{directory}/agent.wav", 440, 620), (
        "a tone did not arrive"
    )
    with open(f"{directory}/agent.json") as f:
        report = json.load(f)
    assert report["digits"] == "12", f"the digits 12 were heard as {report['digits']}"


def check_agent_hangs_up(directory):
    pair(directory, "caller-hears-bye", "agent-hangs-up")


def check_caller_holds(directory):
    pair(directory, "caller-holds", "agent")


def check_agent_holds(directory):
    pair(directory, "caller-hears-bye", "agent-holds", stop_caller=True)


def check_caller_cancels(directory):
    pair(directory, "caller-cancels", "agent-silent", caller_more=["-recv_timeout", "500"])


def check_agent_forwards(directory):
    pair(directory, "caller-cancels", "agent-forwards", caller_more=["-recv_timeout", "2500"])


def check_agent_is_busy(directory):
    pair(directory, "caller-refused", "agent-busy")


def check_agent_declines(directory):
    pair(directory, "caller-refused", "agent-declines")


def check_reliable_provisional_answers(directory):
    pair(directory, "caller-100rel", "agent-100rel")


def check_delayed_offer(directory):
    phone(directory, "agent", 7100, "--answer")
    sipp_call(directory, "caller-delayed-offer", "127.0.0.1:7100", ["-s", "agent"])


def check_load_pair(directory):
    pair(directory, "load-caller", "load-agent", calls=200, rate=100, caller_more=["-l", "400"])


def check_phones_over_tls_with_srtp(directory):
    tls = certificates(directory, "phone=IP:127.0.0.1")
    phone(directory, "agent", 7100, "--answer", "--srtp", "--tone", "620", "--tls", tls)
    phone(directory, "caller", 7200, "--srtp", "--tone", "440", "--tls", tls, "--call", "sip:agent@127.0.0.1:7101")
    time.sleep(3)
    tell(7200, "hangup")
    for side, hertz, other in (("caller", 620, 440), ("agent", 440, 620)):
        until(lambda: glob.glob(f"{directory}/{side}/dump-*-dec.wav"), "a recording")
        assert heard(glob.glob(f"{directory}/{side}/dump-*-dec.wav")[0], hertz, other), (
            f"{side} does not hear {hertz} Hz"
        )


def check_transfer(directory):
    phone(directory, "caller", 7200, "--answer")
    phone(directory, "target", 7100, "--answer")
    agent = sipp(
        directory, "agent-refers", AGENT, ["-m", "1", "-d", "500", "-key", "refer_to", "sip:target@127.0.0.1:7100"]
    )
    tell(7200, "dial", f"sip:agent@{AGENT}:5060")
    assert agent.wait(20) == 0, (
        f"the agent's side ended with {agent.returncode}; {last_lines(directory, 'agent-refers')}"
    )


def check_edge(directory):
    """Plain on one side, TLS on the other: two edges face to face, each the other's Tandem."""
    tls = certificates(directory, f"edge=IP:{FACE_C},IP:{FACE_A},IP:127.32.0.6,IP:127.32.0.7")
    edge(
        directory, "one", tls, {"FACE_C": FACE_C, "FACE_A": "127.32.0.6", "TANDEM": f"sip:{FACE_A}:5061;transport=tls"}
    )
    edge(
        directory, "two", tls, {"FACE_A": FACE_A, "FACE_C": "127.32.0.7", "TANDEM": f"sip:{FACE_C}:5061;transport=tls"}
    )
    agent = sipp(directory, "load-agent", AGENT, ["-m", "20", "-aa"])
    sipp_call(directory, "load-caller", f"{FACE_C}:5060", ["-m", "20", "-r", "10", "-d", "500"])
    assert agent.wait(20) == 0, f"the agents' side ended with {agent.returncode}"


# Parts

running = []


def pair(directory, caller, agent, *, calls=1, rate=10, hold_ms=500, **more):
    """One SIPp calls another; both must end well. `more`: caller_run, agent_run, caller_more, stop_caller."""
    caller_run, agent_run = more.get("caller_run", "true"), more.get("agent_run", "true")
    agents = sipp(directory, agent, AGENT, ["-m", str(calls), "-d", str(hold_ms // 2), "-key", "run", agent_run])
    time.sleep(0.3)
    words = [
        "-m",
        str(calls),
        "-r",
        str(rate),
        "-d",
        str(hold_ms),
        "-key",
        "run",
        caller_run,
        *more.get("caller_more", []),
    ]
    callers = sipp(directory, caller, CALLER, [*words, f"{AGENT}:5060"])
    if more.get("stop_caller"):  # both wait for the other's BYE; the hold itself is what is checked
        time.sleep(2.5)
        with open(f"{directory}/{agent}.messages", errors="replace") as f:
            messages = f.read()
        assert messages.count("a=inactive") >= 1 and "CSeq: 2 ACK" in messages, "hold and resume did not both pass"
        return
    for name, process in ((caller, callers), (agent, agents)):
        assert process.wait(30) == 0, f"{name} ended with {process.returncode}; {last_lines(directory, name)}"


def sipp_call(directory, scenario, to, more):
    caller = sipp(directory, scenario, CALLER, ["-m", "1", "-d", "500", *more, to])
    assert caller.wait(30) == 0, f"{scenario} ended with {caller.returncode}; {last_lines(directory, scenario)}"


def sipp(directory, scenario, ip, more):
    command = ["sipp", "-sf", f"{HERE}/sipp/{scenario}.xml", "-i", ip, "-p", "5060", "-bind_local", "-mi", ip]
    command += ["-mp", "6000", "-ci", ip, "-nostdin", "-timeout", "30s", "-timeout_error", "-skip_rlimit"]
    command += ["-key", "rtp_port", "7000", "-key", "from", "+15550100"]
    command += ["-trace_err", "-error_file", f"{directory}/{scenario}.errors"]
    command += ["-trace_msg", "-message_file", f"{directory}/{scenario}.messages"]
    if "run" not in more:
        command += ["-key", "run", "true"]
    return started([*command, *more], f"{directory}/{scenario}.log")


def phone(directory, user, port, *more):
    command = [f"{HERE}/phone.py", f"{directory}/{user}", "--port", str(port), "--user", user, "--seconds", "25", *more]
    started(command, f"{directory}/{user}.log")
    until(lambda: listening(port), f"phone {user}")


def edge(directory, name, tls, words):
    os.makedirs(f"{directory}/{name}")
    words = {"PHONES_C": f"sip:{CALLER}:5060", "PHONES_A": f"sip:{AGENT}:5060", "TLS_DIR": tls, **words}
    command = [
        "kamailio",
        "-DD",
        "-E",
        "-m",
        "64",
        "-M",
        "8",
        "-f",
        f"{HERE}/kamailio/edge.cfg",
        "-Y",
        f"{directory}/{name}",
    ]
    command += ["-w", f"{directory}/{name}", *(f"--substdef=!{word}!{value}!g" for word, value in words.items())]
    started(command, f"{directory}/{name}.log")
    time.sleep(1)


def started(command, log):
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=os.path.dirname(log))
    running.append(process)
    return process


def stop_all():
    while running:
        process = running.pop()
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def certificates(directory, *names):
    subprocess.run([f"{HERE}/../scripts/certificates.sh", f"{directory}/tls", *names], check=True)
    return f"{directory}/tls"


def tell(port, *words):
    subprocess.run([f"{HERE}/phone.py", "--tell", str(port), *words], check=True, stdout=subprocess.DEVNULL, timeout=10)


def listening(port):
    with open("/proc/net/udp") as f:
        return f"0100007F:{port:04X}" in f.read()


def heard(wav, hertz, other):
    return (
        subprocess.run([f"{HERE}/tone.py", "find", str(hertz), wav, str(other)], stdout=subprocess.DEVNULL).returncode
        == 0
    )


def until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.05)


def last_lines(directory, scenario):
    path = f"{directory}/{scenario}.errors"
    if not os.path.exists(path):
        path = f"{directory}/{scenario}.log"
    with open(path, errors="replace") as f:
        return f.read()[-1500:]


if __name__ == "__main__":
    main()
