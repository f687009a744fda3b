"""`make bench`: the three ratios of docs/adr and the issue tracker's goals, in one run, with all
guards on.

(a) releases per second through the service vs django-hordak posting the same four legs, 1 and 16
clients; (b) the release sweep over 10,000 due orders vs the same rows inserted by bare set-based
SQL without guards; (c) cost per released order with 200,000 vs 10,000 orders in the books.

Exit code 1 when a goal is missed; docs/adr/0022 says where those of (a) come from.
"""

import os
import sys
from statistics import median

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))


def main() -> int:
    """Run all three. Returns: the exit code."""
    from settlement_site import embedded

    embedded.start()
    import django

    django.setup()
    from benchmarks import growth, peers, seed, sweep
    from benchmarks.database import bench_database

    results: list[tuple[str, float, float, bool]] = []
    with bench_database() as peer_url:
        platform, sellers = seed.make_platform()
        world = seed.Books(platform=platform, sellers=sellers)
        small, large = growth.measure(world, rounds=ROUNDS)
        results.append(("(c) cost per order, 200,000 / 10,000 orders", large / small, 1.10, False))
        for clients, goal in ((1, 2.0), (16, 2.0)):
            ratios = peers.measure(
                world, peer_url=peer_url, clients=clients, rounds=ROUNDS, seconds=SECONDS
            )
            results.append(
                (f"(a) releases vs hordak, {clients} clients", median(ratios), goal, True)
            )
        results.append(
            (
                "(b) sweep vs bare SQL, 10,000 orders",
                median(sweep.measure(world, rounds=ROUNDS)),
                0.35,
                True,
            )
        )
    return _report(results)


def _report(results: list[tuple[str, float, float, bool]]) -> int:
    missed = 0
    for name, ratio, goal, at_least in sorted(results):
        met = ratio >= goal if at_least else ratio <= goal
        missed += not met
        sign = ">=" if at_least else "<="
        print(f"{'ok    ' if met else 'MISSED'} {name:45} {ratio:6.2f}   goal {sign} {goal:.2f}")
    summary = "; ".join(
        f"{name.split(',')[0]} {ratio:.2f}" for name, ratio, _, _ in sorted(results)
    )
    print(f"bench: {len(results) - missed} of {len(results)} goals met: {summary}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
