"""presence.*, search.*, tenants.* and api.*: people who sign in, whose presence counts, and whom others look for."""

import json
import os
import shutil
import statistics
import subprocess
import time

from . import api, microsoft, sipua, systems
from .plan import OURS, Group, Job
from .process import BenchError, Child, cores, cpu_seconds, footprint

SERVER = (systems.SUT, systems.SIP_PORT)
HTTP = (systems.SUT, systems.HTTP_PORT)
EXAMPLE_SECONDS_MAX = 600  # with the build
WATCHED = 10000
WATCHED_SECONDS_MAX = 120
CHANGES_PER_SECOND = 50
TENANTS, AGENTS_EACH, USERS = 1000, 5, 50000
CALLS_EACH = 5
START_SECONDS_MAX = 120
CALLS_PER_SECOND = 150
SYNC_SECONDS_MAX = 300
IDLE_SECONDS = 30
RATE = 2000  # of authorised requests, at which their delay is measured
CONNECTIONS = 64

SEARCH = {"search.p50": "search_p50_ms", "search.p99": "search_p99_ms", "search.suggest.p99": "suggest_p99_ms"}
NOTIFICATION = ("presence.notification.p50", "presence.notification.p99", "presence.notifications")


def groups(bench):
    def presence_job(directory):
        times_ms = sorted(changes(bench.program, directory, 100 if bench.quick else 500))
        p50, p99 = statistics.median(times_ms), times_ms[int(len(times_ms) * 0.99) - 1]
        return {"presence.change.p50": p50, "presence.change.p99": p99}

    def tenants_job(directory):
        held, note = tenants(bench.program, directory, 100 if bench.quick else TENANTS)
        bench.note(f"tenants.memory: {note}")
        return held

    def api_job(directory):
        found, note = authorised(bench.program, directory, 2 if bench.quick else 8)
        bench.note(f"api.authorised: {note}")
        return found

    return [
        Group(1, [Job(("presence.change.p50", "presence.change.p99"), OURS, presence_job)]),
        Group(1, [Job(NOTIFICATION, OURS, lambda directory: notification())]),
        Group(1, [Job((*SEARCH, "search.memory"), OURS, lambda directory: search())]),
        Group(1, [Job(("tenants.start", "tenants.memory.start", "tenants.memory"), OURS, tenants_job)]),
        Group(1, [Job(("api.authorised", "api.authorised.p50", "api.authorised.p99"), OURS, api_job)]),
    ]


def search():
    """What the crate's own program says of 50,000 people, one name and number a line."""
    figures = dict(line.split() for line in example("tandem-people", "search", USERS).splitlines())
    found = {row: float(figures[name]) for row, name in SEARCH.items()}
    return found | {"search.memory": float(figures["bytes_per_person"]) * USERS / 1024}


def notification():
    """What the crate's own program says of encrypted notifications, one line of JSON a row."""
    rows = [json.loads(line) for line in example("tandem-microsoft", "presence_bench").splitlines() if line[:1] == "{"]
    return {row["name"]: row["value"] for row in rows if row["name"] in NOTIFICATION}


def changes(program, directory, count):
    """Milliseconds, one per change: from just before somebody's presence changes in Graph to the kernel's stamp on the
    INVITE that offers them the caller who waits.

    10,000 agents are watched by subscriptions, and all of them are busy in Teams; callers wait; then one after another is
    available.
    """
    customer = microsoft.Customer(0, WATCHED)
    with microsoft.Microsoft(program, directory, [customer]) as graph:
        command = systems.tandem_command(program, directory, WATCHED)
        with open(command[-1]) as f:
            config = f.read().replace("[http]", f'[http]\npublic_url = "{microsoft.PUBLIC}"')
        with open(command[-1], "w") as f:
            f.write(config + graph.server_config() + f'entra = ["{customer.id}"]\n')
            f.writelines(customer.person(number, f"a{number:04d}") for number in range(WATCHED))
        with Child("tandem", command, f"{directory}/tandem.log", cores()[0]) as server:
            server.need(lambda: systems.options_answered(*SERVER, systems.CALLERS), "an answer to OPTIONS")
            graph.watch(HTTP, customer)
            all_are_watched = lambda: presence()["subscriptions"] == len(customer.watchers)
            server.need(all_are_watched, f"{len(customer.watchers)} subscriptions", WATCHED_SECONDS_MAX)
            return changed(server, graph, customer, count)


def presence():
    """How watching goes."""
    return api.once(HTTP, "GET", "/api/v1/microsoft", systems.ROOT_KEY)["connections"][0]["presence"]


def busy():
    """How many agents the program holds for busy."""
    agents = api.once(HTTP, "GET", "/api/v1/agents", systems.ROOT_KEY)["agents"]
    return sum(agent.get("presence", {}).get("presence") == "busy" for agent in agents)


def changed(server, graph, customer, count):
    with (
        sipua.Phone(systems.CALLERS) as callers,
        sipua.Phone(systems.AGENTS) as phones,
        api.Api(graph.http, "nobody", 16) as teams,
    ):
        parts, told, times_ms, wrong = [callers, phones, teams], {}, [], []

        def invited(leg):
            if leg.user in told:
                times_ms.append(1000 * (leg.invite_at - told.pop(leg.user)))
            else:
                wrong.append(leg.user)
            phones.answer(leg)

        def become(number, choice):
            teams.ask("PUT", f"/sandbox/people/{customer.user(number)}/presence", {"choice": choice})

        def change(i):
            number = i * 17 % WATCHED
            told[f"a{number:04d}"] = time.time()
            become(number, "available")

        phones.on_invite = invited
        for number in range(WATCHED):
            become(number, "busy")
        sipua.serve(parts, 60, lambda: teams.answered == WATCHED)
        server.need(lambda: busy() == WATCHED, f"news that all {WATCHED} are busy", WATCHED_SECONDS_MAX)
        dial = sipua.paced(100, count, lambda i: callers.call(SERVER, systems.NUMBER, f"+1555{i:07d}"))
        all_wait = lambda: len(callers.legs) == count and not callers.count("calling")
        if not sipua.serve(parts, count / 100 + 10, all_wait, dial):
            raise BenchError(f"{callers.count('calling', 'failed')} of {count} callers do not wait:\n{server.tail()}")
        sipua.serve(parts, 1)
        all_rang = lambda: len(times_ms) == count
        sipua.serve(parts, count / CHANGES_PER_SECOND + 10, all_rang, sipua.paced(CHANGES_PER_SECOND, count, change))
        teams.must_all_be_well()
    if wrong:
        raise BenchError(f"agents were offered a call who are not in Teams: {wrong[:5]}")
    if len(times_ms) < count:
        raise BenchError(f"only {len(times_ms)} of {count} agents were offered a caller:\n{server.tail()}")
    return times_ms


def tenants(program, directory, count):
    """Kilobytes that one process holds with so many tenants, at first and after activity in each; and how long it took to
    start, in milliseconds. Returns the rows and a line of text.

    Each tenant is connected to an Entra tenant of its own, whose people are found and whose presence is watched.
    """
    customers = [microsoft.Customer(place, USERS // TENANTS) for place in range(count)]
    users = sum(customer.people + len(customer.watchers) for customer in customers)
    with microsoft.Microsoft(program, directory, customers) as graph:
        command = tenants_command(program, directory, graph, customers)
        started = time.monotonic()
        with Child("tandem", command, f"{directory}/tandem.log", cores()[0]) as server:
            is_up = lambda: systems.options_answered(*SERVER, systems.CALLERS)
            server.need(is_up, "an answer to OPTIONS", START_SECONDS_MAX)
            start_ms = 1000 * (time.monotonic() - started)
            server.need(lambda: known() >= users, f"{users} people found", SYNC_SECONDS_MAX)
            synced_s = time.monotonic() - started
            first = footprint(server.pid)
            share = busy_with_tenants(server, graph, customers)
            last = footprint(server.pid)
    found = {"tenants.start": start_ms, "tenants.memory.start": first.pss_kb, "tenants.memory": last.pss_kb}
    return found, (
        f"{count} tenants with {AGENTS_EACH * count} agents, and {users} users of whom all are known {synced_s:.0f} s after "
        f"the start; {last.threads} threads and {last.descriptors} descriptors; {share:.1%} of a core while nothing happens "
        "but that presence is asked for, every 30 s of each tenant."
    )


def known():
    """How many people of the directories the program has found, as its metrics say."""
    page = api.text(HTTP, "GET", "/metrics", systems.ROOT_KEY)
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith("tandem_directory_people"))


def busy_with_tenants(server, graph, customers):
    """In every tenant agents are told of, things are read, somebody is looked for, and calls come. Returns the share of a
    core that is taken afterwards."""
    count = len(customers)
    with (
        sipua.Phone(systems.CALLERS) as callers,
        sipua.Phone(systems.AGENTS) as phones,
        api.Api(HTTP, systems.ROOT_KEY, 16) as program_api,
    ):
        parts, asked = [callers, phones, program_api], 0
        paths = ("agents", "queues", "people", "reports/queues", "microsoft", "directory?q=tremblay")
        for place in range(count):
            for path in paths:
                program_api.ask("GET", f"/api/v1/{path}", tenant=name(place))
            asked += len(paths)
        if not sipua.serve(parts, 120, lambda: program_api.answered == asked):
            raise BenchError(f"only {program_api.answered} of {asked} requests were answered:\n{server.tail()}")
        program_api.must_all_be_well()
        callers.on_up, calls = callers.hang_up, CALLS_EACH * count
        call = lambda i: callers.call(SERVER, number_of(i % count), f"+1555{i:07d}")
        ended = lambda: callers.count("done") == calls
        if not sipua.serve(parts, calls / CALLS_PER_SECOND + 20, ended, sipua.paced(CALLS_PER_SECOND, calls, call)):
            raise BenchError(f"only {callers.count('done')} of {calls} calls came to their agents:\n{server.tail()}")
        sipua.serve(parts, 2)
        busy_s = cpu_seconds(server.pid)
        sipua.serve(parts, IDLE_SECONDS)
        return (cpu_seconds(server.pid) - busy_s) / IDLE_SECONDS


def tenants_command(program, directory, graph, customers):
    """Writes a main file and one file for each tenant. All share two trunks; each has a number of its own."""
    command = systems.tandem_command(program, directory, 0)
    with open(command[-1]) as f:
        # Limits are each tenant's own.
        shared = f.read().partition("[[queues]]")[0].replace("[limits]\ncalls = 20000\n", "")
    folder = f"{directory}/tenants"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(command[-1], "w") as f:
        f.write(shared.replace("[http]", f'[http]\npublic_url = "{microsoft.PUBLIC}"'))
        f.write(graph.server_config() + "poll_s = 30\n")
        for customer in customers:
            own = name(customer.number)
            f.write(f'[tenants.{own}]\nname = "Customer {customer.number}"\nfile = "tenants/{own}.toml"\n')
    for customer in customers:
        text = f"""
[[queues]]
id = "support"
name = "Support"
wrap_up_s = 0
[[numbers]]
dialled = "{number_of(customer.number)}"
flow = "main"
[flows.main]
start = "wait"
steps.wait = {{ enqueue = "support" }}
[microsoft]
entra = ["{customer.id}"]
"""
        for agent in range(AGENTS_EACH):
            text += f"""
[[agents]]
id = "a{agent}"
name = "Agent {agent}"
ring = {{ line = "agents", sip = "sip:{name(customer.number)}-a{agent}@{systems.AGENTS}:{systems.SIP_PORT}" }}
queues = ["support"]
starts = "available"
""" + customer.person(agent, f"a{agent}")
        with open(f"{folder}/{name(customer.number)}.toml", "w") as f:
            f.write(text)
    return command


def name(place):
    return f"t{place:04d}"


def number_of(place):
    return f"+1556{place:07d}"


def authorised(program, directory, seconds):
    """Answers a second of one core to who may ask, and the delay at a steady rate. A person with an access token asks who
    they are, a program with an API key asks for the agents, in turn. Returns the rows and a line of text."""
    command = systems.tandem_command(program, directory, 20)
    with open(command[-1], "a") as f:
        f.write(
            '[[people]]\nname = "Ada"\nuser_name = "ada@bench.example"\nroles = ["supervisor"]\n'
            '[sign_in]\none_click = ["ada@bench.example"]\n'
        )
    with Child("tandem", command, f"{directory}/tandem.log", cores()[0]) as server:
        server.need(lambda: systems.options_answered(*SERVER, systems.CALLERS), "an answer to OPTIONS")
        token = api.once(HTTP, "POST", "/auth/demo", body={"user_name": "ada@bench.example"})["access_token"]
        wish = {"name": "bench", "scopes": ["agents:read"]}
        key = api.once(HTTP, "POST", "/api/v1/keys", systems.ROOT_KEY, wish)["secret"]
        asks = ["/api/v1/me", token, "/api/v1/agents", key]
        load(1, 0, asks)
        busy = cpu_seconds(server.pid)
        most = load(seconds, 0, asks)
        busy = (cpu_seconds(server.pid) - busy) / most["seconds"]
        steady = load(seconds, RATE, asks)
    most_per_second, steady_per_second = (one["answered"] / one["seconds"] for one in (most, steady))
    if steady_per_second < 0.98 * RATE:
        raise BenchError(f"of {RATE} requests a second {steady_per_second:.0f} were answered:\n{server.tail()}")
    found = {
        "api.authorised": most_per_second,
        "api.authorised.p50": steady["p50_us"] / 1000,
        "api.authorised.p99": steady["p99_us"] / 1000,
    }
    return found, (
        f"{CONNECTIONS} connections; answers of {most['bytes'][0]} and {most['bytes'][1]} bytes; "
        f"the program took {busy:.0%} of its core at the highest rate."
    )


def load(seconds, rate, asks):
    command = [f"{systems.TARGET}/httpload", *HTTP, CONNECTIONS, seconds, rate, *asks]
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        preexec_fn=lambda: os.sched_setaffinity(0, cores()[1]),
    )
    if done.returncode:
        raise BenchError(f"httpload: {done.stderr[-2000:]}")
    figures = json.loads(done.stdout)
    if figures["failed"]:
        raise BenchError(f"{figures['failed']} requests were refused: {done.stderr[-2000:]}")
    return figures


def example(package, name, *arguments):
    """What a crate's program prints."""
    command = ["cargo", "run", "--quiet", "--release", "--locked", "--package", package, "--example", name, "--"]
    command += [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            command, cwd=systems.REPOSITORY, capture_output=True, text=True, timeout=EXAMPLE_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{' '.join(command)} took more than {EXAMPLE_SECONDS_MAX} s")
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout
