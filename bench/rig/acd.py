"""acd.free_to_invite: from an agent's BYE on the wire to that agent's next INVITE on the wire, while callers wait."""

import statistics

from . import sipua, systems
from .plan import OURS, Group, Job
from .process import BenchError

FILL_PER_SECOND = 100
SETTLE_SECONDS = 1


def groups(bench):
    # A reading of the p99 needs some hundreds of samples; the rate leaves each BYE and INVITE alone on the wire.
    small = _job(bench, 100, 100 if bench.quick else 300, 30)
    large = _job(bench, 1000, 100 if bench.quick else 500, 50)
    return [Group(min(bench.rounds, 2), [small, large])]


def _job(bench, agents, samples, per_second):
    p50, p99 = (f"acd.free_to_invite.{agents}.{p}" for p in ("p50", "p99"))

    def reading(directory):
        times_ms = sorted(free_to_invite(bench.program, directory, agents, samples, per_second))
        return {p50: statistics.median(times_ms), p99: times_ms[int(len(times_ms) * 0.99) - 1]}

    return Job((p50, p99), OURS, reading)


def free_to_invite(program, directory, agents, samples, per_second):
    """Milliseconds, one per sample. All agents talk and as many callers wait; then agents hang up one after another.

    Each served caller is replaced, so that the queue keeps its length. Agents answer at once.
    """
    server_address = (systems.SUT, systems.SIP_PORT)
    with systems.tandem(program, directory, agents) as server:
        with sipua.Phone(systems.CALLERS) as callers, sipua.Phone(systems.AGENTS) as phones:
            both, talking, freed, times_ms, wrong = [callers, phones], [], {}, [], []

            def invited(leg):
                if leg.user in freed:
                    times_ms.append(1000 * (leg.invite_at - freed.pop(leg.user)))
                elif any(other.user == leg.user for other in talking):
                    wrong.append(leg.user)
                phones.answer(leg)

            phones.on_invite, phones.on_up = invited, talking.append
            dial = lambda i: callers.call(server_address, systems.NUMBER, f"+1555{i:07d}")
            filled = lambda: len(talking) == agents and len(callers.legs) == 2 * agents
            fill = sipua.paced(FILL_PER_SECOND, 2 * agents, dial)
            if not sipua.serve(both, 2 * agents / FILL_PER_SECOND + 20, filled, fill):
                raise BenchError(f"{len(talking)} of {agents} agents talk after the queue was filled:\n{server.tail()}")
            sipua.serve(both, SETTLE_SECONDS)

            def next_sample(i):
                leg = talking.pop(0)
                phones.hang_up(leg)
                freed[leg.user] = leg.bye_at
                dial(2 * agents + i)

            ended = lambda: len(times_ms) == samples
            sipua.serve(both, samples / per_second + 10, ended, sipua.paced(per_second, samples, next_sample))
    if wrong:
        raise BenchError(f"agents were offered a call while they talked: {wrong[:5]}")
    if len(times_ms) < samples:
        raise BenchError(
            f"only {len(times_ms)} of {samples} freed agents were offered the next caller:\n{server.tail()}"
        )
    return times_ms
