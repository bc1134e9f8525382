"""Figures by a shorter span, too: as of any entry, fewer gifts are left to be added up one by one."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Sum up what there is: some seconds for a million gifts. A log that has no figures yet is still to be rebuilt."""
    op.execute(
        """
        insert into figure (span, measure, block, org, fund, project, channel, donor_class, event, month, entries, qty)
        with arrived as (
          select seq, split_part(address, ':', 2) as org, split_part(address, ':', 3) as fund, channel, donor_class,
                 event, day, qty
          from gift join account on account.id = gift.account
          where not exists (select from movement where movement.seq = gift.seq)
        ), changed as (
          select measure, seq, org, fund, project, channel, donor_class, event, day, entries, qty from movement
          union all
          select 'received', seq, org, fund, '', channel, donor_class, event, day, 1, qty from arrived
          union all
          select case n when 0 then 'held' else 'fees' end, seq, org, fund, '', '', '', '', day, (n > 0)::int,
                 posting.qty
          from arrived join posting using (seq)
        )
        select 1024, measure, seq / 1024, org, fund, project, channel, donor_class, event, to_char(day, 'YYYY-MM'),
               sum(entries), sum(qty)
        from changed where exists (select from figure) group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        """
    )
