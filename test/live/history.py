"""Judges what was seen of the queue from outside: a checker that shares nothing with its code.

Clients write down each operation with the time when it was first asked and the time when it was
answered. For every item an order is then searched in which these operations could have happened
one after the other, each between its two times (Herlihy and Wing 1990; the search is Wing and
Gong's with Lowe's memory of dead ends). The specification is this small machine per item:

    absent --add--> waiting --grant f--> leased f --complete f--> done f
                       ^--- lapses (unseen) ---'   `--release f--> waiting

A grant's fence is larger than every earlier one; what is refused as stale must be stale; reads show
the state. Whatever was asked and never answered may have happened at any time since, or never. If
no order explains what was seen, the history is refused. (1) is that; what it cannot express comes
beside it: (2) fences follow real time across items, and belong to one claim; (3) no two certain
leases of an item overlap, by the workers' own clocks; (4) an acknowledged add is done in the end;
(5) programs: each grant ran at most once, two runs of an item never overlap, and a store that only
looks at fences and accepted completions holds each effect once.

All times are seconds of one clock. Functions return what is wrong, as text; empty: nothing.
"""

from dataclasses import dataclass

SHARE_KEPT = 0.95  # a worker stops itself this far into its lease
NEVER = float("inf")


@dataclass(frozen=True)
class Op:
    """One operation on one item. `end` is None if nobody answered."""

    kind: str  # add, grant, renew, complete, release, read
    item: int
    start: float
    end: float | None
    fence: int = 0  # of a read: the shown one
    said: str = "ok"  # ok, stale; of a read: waiting, leased, done, absent
    client: str = ""
    lease_s: float = 0.0  # of a grant

    def __str__(self):
        end = "?" if self.end is None else f"{self.end:.3f}"
        return (f"{self.kind} item {self.item} fence {self.fence} said {self.said} "
                f"by {self.client or '-'} [{self.start:.3f}, {end}]")


@dataclass(frozen=True)
class Run:
    """One run of a program: what it recorded itself while it lived."""

    item: int
    fence: int
    node: str
    begin: float
    last: float  # its last sign of life
    ended: bool  # it came to its own end
    begins: int = 1  # how often it said that it begins


# ---- (1) one item, one order -------------------------------------------------------------------

def step(state, op):
    """The states in which `op`, seen in `state`, may leave the item; none: impossible."""
    phase, fence = state
    holds = phase == "leased" and fence == op.fence
    if op.kind == "add":
        return [("waiting", 0)] if phase == "absent" else []
    if op.kind == "read":
        return step_read(state, op)
    if op.said == "stale":
        if phase == "done" and fence == op.fence and op.kind == "complete":
            return []  # it was this one that was accepted
        return [("waiting", fence)] if holds else [state]
    if op.kind == "grant":
        return [("leased", op.fence)] if phase in ("waiting", "leased") and op.fence > fence else []
    if op.kind == "renew":
        return [state] if holds else []
    if op.kind == "release":
        return [("waiting", fence)] if holds else []
    if op.kind == "complete":
        return [("done", fence)] if fence == op.fence and phase in ("leased", "done") else []
    raise ValueError(f"no such operation: {op.kind}")


def step_read(state, op):
    phase, fence = state
    if op.said == "waiting":  # perhaps a lease has lapsed
        return [("waiting", fence)] if phase in ("waiting", "leased") else []
    if op.said == "absent":
        return [state] if phase == "absent" else []
    return [state] if (op.said, op.fence) == state else []


def has_order(ops):
    """Whether an order of these operations on one item exists."""
    ops = sorted(ops, key=lambda op: op.start)
    must = sum(1 << index for index, op in enumerate(ops) if op.end is not None)
    seen = set()
    stack = [(0, ("absent", 0))]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        left = [index for index in range(len(ops)) if not done >> index & 1]
        horizon = min(NEVER if ops[index].end is None else ops[index].end for index in left)
        for index in left:
            if ops[index].start > horizon:
                break
            for following in step(state, ops[index]):
                stack.append((done | 1 << index, following))
    return False


def by_item(ops):
    sorted_out = {}
    for op in ops:
        sorted_out.setdefault(op.item, []).append(op)
    return sorted_out


def check_orders(ops):
    problems = []
    for item, some in by_item(ops).items():
        if has_order(some):
            continue
        shown = "\n    ".join(str(op) for op in sorted(some, key=lambda op: op.start))
        problems.append(f"no order explains what was seen of item {item}:\n    {shown}")
    return problems


# ---- (2) fences and identities -----------------------------------------------------------------

def check_fences(ops):
    problems = []
    grants = sorted((op for op in ops if op.kind == "grant"), key=lambda op: op.start)
    of_fence = {}
    for op in grants:
        owner = of_fence.setdefault(op.fence, op.client)
        if owner != op.client:
            problems.append(f"fence {op.fence} was given to {owner} and to {op.client}")
    ended = sorted((op for op in grants if op.end is not None), key=lambda op: op.end)
    highest, at = 0, 0
    for op in grants:
        while at < len(ended) and ended[at].end < op.start:
            highest = max(highest, ended[at].fence)
            at += 1
        if op.fence <= highest:
            problems.append(f"fence {op.fence} after {highest} was given: {op}")
    added = [op.item for op in ops if op.kind == "add" and op.end is not None]
    problems += [f"item {item} was added twice" for item in set(added) if added.count(item) > 1]
    return problems


# ---- (3) leases --------------------------------------------------------------------------------

def certain_leases(ops):
    """[(from, until, fence)] of one item: the holder knew that it held, and had not let go."""
    held = []
    for grant in (op for op in ops if op.kind == "grant" and op.end is not None):
        mine = [op for op in ops if op.fence == grant.fence and op.kind != "read"]
        until = max([grant.start] + [op.start for op in mine if op.kind == "renew"
                                     and op.said == "ok" and op.end is not None])
        until += grant.lease_s * SHARE_KEPT
        until = min([until] + [op.start for op in mine if op.kind in ("complete", "release")])
        if grant.end < until:
            held.append((grant.end, until, grant.fence))
    return sorted(held)


def check_leases(ops):
    problems = []
    for item, some in by_item(ops).items():
        held = certain_leases(some)
        for (_, until, first), (begin, _, second) in zip(held, held[1:]):
            if first != second and begin < until:
                problems.append(f"item {item}: fence {second} was granted at {begin:.3f}, fence "
                                f"{first} was held until {until:.3f}")
        for op in some:
            if op.said != "stale" or op.end is None:
                continue
            others = certain_leases([one for one in some if one is not op])
            if any(fence == op.fence and begin <= op.start and op.end <= until
                   for begin, until, fence in others):
                problems.append(f"a valid token was refused: {op}")
    return problems


# ---- (4) the end -------------------------------------------------------------------------------

def check_end(ops, final):
    """`final` is {item: (state, fence)} after everything came to rest."""
    problems = []
    for op in ops:
        if op.kind == "add" and op.end is not None and final.get(op.item, ("",))[0] != "done":
            problems.append(f"acknowledged and not done: item {op.item} is "
                            f"{final.get(op.item, ('absent',))[0]}")
    for op in ops:
        if op.kind == "complete" and op.said == "ok" and op.end is not None:
            if final.get(op.item) != ("done", op.fence):
                problems.append(f"accepted, and yet {final.get(op.item)}: {op}")
    return problems


# ---- (5) programs and their effects ------------------------------------------------------------

class FencedStore:
    """What the outside world should be: effects are staged under their fence, a smaller fence than
    one already seen for the item is refused, and what is accepted by the queue becomes visible."""

    def __init__(self):
        self.highest, self.staged, self.visible, self.refused = {}, {}, {}, 0

    def write(self, item, fence):
        if fence < self.highest.get(item, 0):
            self.refused += 1
            return
        self.highest[item] = fence
        self.staged.setdefault((item, fence), 0)
        self.staged[item, fence] += 1

    def publish(self, item, fence):
        self.visible.setdefault(item, []).append(self.staged.get((item, fence), 0))


def check_runs(runs, final):
    problems = []
    store = FencedStore()
    latest = {}
    for run in sorted(runs, key=lambda run: run.begin):
        if run.begins != 1:
            problems.append(f"item {run.item} fence {run.fence} began {run.begins} times")
        before = latest.get(run.item)
        if before and run.begin < before.last:
            problems.append(f"item {run.item} ran on {before.node} until {before.last:.2f} and on "
                            f"{run.node} from {run.begin:.2f}")
        if before and run.fence <= before.fence:
            problems.append(f"item {run.item}: fence {run.fence} ran after {before.fence}")
        latest[run.item] = run
    for run in sorted(runs, key=lambda run: run.last):
        if run.ended:
            store.write(run.item, run.fence)
    for item in {run.item for run in runs}:
        state, fence = final.get(item, ("absent", 0))
        if state == "done":
            store.publish(item, fence)
    for item, effects in store.visible.items():
        if effects != [1]:
            problems.append(f"item {item} has taken effect {sum(effects)} times")
    return problems


def ops_of_runs(runs, adds):
    """Programs as operations: granted before they began; perhaps completed after they ended."""
    added = {op.item: op.start for op in adds if op.kind == "add"}
    ops = []
    for run in runs:
        # Programs read a clock whose hundredths are cut off.
        ops.append(Op("grant", run.item, added.get(run.item, 0.0), run.begin + 0.01, run.fence,
                      client=f"{run.node} {run.item}"))
        if run.ended:
            ops.append(Op("complete", run.item, run.last, None, run.fence, client=run.node))
    return ops


def check(ops, final, runs=()):
    """Everything there is to say against a history."""
    problems = check_fences(ops) + check_leases(ops) + check_end(ops, final)
    ran = ops_of_runs(runs, ops)
    now = max([op.end or op.start for op in ops] + [run.last for run in runs] + [0.0])
    rest = [Op("read", item, now, now, fence if state == "done" else 0, state, "final")
            for item, (state, fence) in final.items()]
    return problems + check_orders([*ops, *ran, *rest]) + check_runs(runs, final)
