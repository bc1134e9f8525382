"""Every lineage report made again, all of them by one reading of the postings, and compared with what was kept."""

import asyncpg

from ledger.store.lineage import DIFFERENCES, TIMEOUT_S
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule

MOST = 200
"""Differences that are looked at."""


async def compare_reports(connection: asyncpg.Connection, findings: Findings) -> int:
    """Name each figure that differs, and what belongs to no checkpoint; answers how many rows were compared.

    The tables that reports are made from must have been found right before: following wrong ones may never end.
    """
    try:
        async with connection.transaction():
            for table, size in await connection.fetch(_STRAY):
                findings.add(WHOLE_LOG, Rule.TABLE_ROW, "a published state", size, place=f"{table} size={size}")
            sizes = [row["size"] for row in await connection.fetch(_SIZES)]
            if not sizes:
                return 0
            for row in await connection.fetch(DIFFERENCES, sizes, sizes[-1], MOST, timeout=TIMEOUT_S):
                where = " ".join(f"{name}={value}" for name, value in [*row.items()][:-2])
                short = f"{row['entries']:+} entries, {row['qty']:+} fen"
                findings.add(row["size"] - 1, Rule.TABLE_ROW, "what the entries give", short, place=f"lineage {where}")
            count: int = await connection.fetchval("select count(*) from lineage")
    except asyncpg.PostgresError as error:  # a table or a column is gone
        findings.add(WHOLE_LOG, Rule.TABLE_ROW, "reports that can be read", error, place="lineage")
        return 0
    return count


_SIZES = "select size from lineage_report join checkpoint using (size) order by size"
_STRAY = """
  select 'lineage_report' as stray, size from (select size from lineage_report except select size from checkpoint) r
  union all
  select 'lineage', size from (select size from lineage except select size from lineage_report) r order by 1, 2
"""
