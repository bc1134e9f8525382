"""`python -m bench`: everything, printed as Markdown. `--gifts 10000000` for the large run."""

import argparse
import asyncio
import contextlib
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import uvloop

from bench import baseline, lineage, machine, pages, public, publishing, traces, verify, writes
from bench.store import at_rest, opened, read_ahead

SHEET_GIFTS = 1_000_000
EXPORTED_GIFTS = 500_000
"""Of the log that is checked from a folder and over HTTP, at most: it is written for that alone."""


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--gifts", type=int, default=SHEET_GIFTS, help="gifts in the imported sheet")
    parser.add_argument("--seconds", type=float, default=6, help="length of each measurement")
    parser.add_argument("--folder", type=Path, default=None, help="where the data go (default: a temporary folder)")
    arguments = parser.parse_args()
    today = datetime.now(UTC).date()  # noqa: TID251  the day printed on the report
    with contextlib.ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunledger-bench-")))
        folder.chmod(0o711)
        uvloop.run(run(folder, gifts=arguments.gifts, seconds=arguments.seconds, today=today))


async def run(folder: Path, *, gifts: int, seconds: float, today: date) -> None:
    """Print each figure as soon as it is known."""
    async with opened(folder / "data") as store:
        facts = await machine.look(store.server.url(), day=today, data_directory=folder)
        print("## Machine\n", *facts.lines(), sep="\n")
        figures = await baseline.measure(store.server.url(), store.server.bin, seconds=int(seconds))
        print(
            "\n## What a user would pick instead: insert trigger, locked head row\n", *baseline.lines(figures), sep="\n"
        )
        per_second = {clients: figure.transactions_per_second for clients, figure in figures.items()}
        await writes.report(store, folder, per_second, gifts=gifts, seconds=seconds)

        await traces.spend(store)
        await at_rest(store)
        codes = await traces.codes_of_import(store, folder)
        print(f"\n## Trace, {gifts:,} gifts, fund spent in {traces.STEPS} allocations and payments\n")
        ahead_s = await read_ahead(store)
        print(f"Over HTTP by wrk, {traces.PROCESSES} processes answering. Before, what look-ups read was read ahead,")
        print(f"as the application does after an import of many gifts: {ahead_s:.1f} s.\n")
        print("| by code | clients | answers/s | p50 ms | p99 ms | wanted |\n| --- | --- | --- | --- | --- | --- |")
        print(await traces.in_sql(store, codes, count=5_000, what="SQL"), "p99 < 1 |")
        for clients, what, wanted in (
            (8, "JSON", "p99 < 10"), (32, "JSON", "≥ 4,000/s, p99 < 40"), (32, "page", "≥ 400/s"),
        ):  # fmt: skip
            row = await traces.over_http(store, codes, folder, clients=clients, seconds=seconds, what=what)
            print(row, f"{wanted} |")
        deep = await lineage.measure(store, count=5_000)
        print(f"\n## Trace of {lineage.GIFTS} gifts after {deep.hops} hops, beside {gifts:,} others\n")
        print(f"Each rests in {deep.pieces_p50:.0f} pieces at the median, {deep.pieces_max} at most.")
        print(f"SQL: p50 {deep.p50_ms:.2f} ms, p99 {deep.p99_ms:.2f} ms (wanted < 2)")
        print(
            "\n## Public, 8 clients\n\n| what | answers/s | p50 ms | p99 ms | wanted |\n| --- | --- | --- | --- | --- |"
        )
        print(
            public.line(
                "figures, now", await public.figures(store, clients=8, seconds=seconds, is_pinned=False), "p99 < 50"
            )
        )
        print(
            public.line(
                "figures, any entry",
                await public.figures(store, clients=8, seconds=seconds, is_pinned=True),
                "p99 < 50",
            )
        )
        print(public.line("a page of gifts", await public.pages(store, clients=8, seconds=seconds), ""))
        for suffix, wanted in (("csv", ""), ("parquet", "a million: < 15 s, < 150 MiB")):
            took_s, grown, count = await public.download(store, suffix)
            print(f"\n{count:,} gifts as {suffix}: {took_s:.1f} s, RSS + {grown:.0f} MiB {wanted and f'({wanted})'}")
        await pages.report(store)
        signing = await publishing.measure(store, folder)
        print(f"\nlineage report: {await lineage.report_s(signing):.1f} s (wanted: a million gifts in a minute or two)")
        print("\n## Verifying\n")
        await verify.in_database(signing, tables=gifts > SHEET_GIFTS)
    print()
    await asyncio.to_thread(verify.from_folder, folder / "export", min(gifts, EXPORTED_GIFTS))


if __name__ == "__main__":
    main()
