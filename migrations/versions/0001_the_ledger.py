"""The ledger: entries, postings that refuse wrong money, projections, vault, idempotency."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    # --- the log ---
    """
    create table head (
      one boolean primary key default true constraint head_is_one check (one),
      epoch bigint not null,
      seq bigint not null,
      prev bytea not null constraint head_prev_is_sha256 check (length(prev) = 32),
      at text not null
    )
    """,
    "insert into head (epoch, seq, prev, at) values (0, -1, decode(repeat('00', 32), 'hex'), '')",
    """
    create table entry (
      seq bigint primary key constraint entry_seq_from_zero check (seq >= 0),
      bytes bytea not null constraint entry_fits_a_bundle check (length(bytes) between 1 and 65535),
      at timestamptz not null,
      kind text not null,
      org text not null
    )
    """,
    # Gifts are nearly all entries; the others are read back at start and listed on pages.
    "create index entry_control on entry (seq) where kind <> 'money.received'",
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'entries are only ever added' using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger entry_is_insert_only before update or delete on entry
      for each row execute function refuse_change()
    """,
    """
    create trigger entry_is_never_truncated before truncate on entry
      for each statement execute function refuse_change()
    """,
    # --- money: every constraint here is a rule of the ledger; see docs/rules.md ---
    """
    create table account (
      id integer primary key,
      address text not null,
      unit text not null,
      has_line boolean not null,
      org text not null,
      constraint account_address_unit_key unique (address, unit),
      constraint account_id_unit_has_line_key unique (id, unit, has_line),
      constraint account_without_a_line_is_a_source check (has_line <> (split_part(address, ':', 1)
        in ('donors', 'unidentified', 'income', 'bought', 'found', 'repacked'))),
      constraint account_org_is_in_its_address check (org = split_part(address, ':', 2)),
      constraint account_counts_money_or_an_item check (unit = 'CNY' or unit like 'item:_%')
    )
    """,
    """
    create table posting (
      seq bigint not null constraint posting_has_its_entry references entry,
      n smallint not null constraint posting_n_from_zero check (n >= 0),
      unit text not null,
      qty bigint not null constraint posting_moves_something check (qty > 0),
      src integer not null,
      src_lo bigint constraint posting_src_from_zero check (src_lo >= 0),
      src_hi bigint generated always as (src_lo + qty) stored,
      dst integer not null,
      dst_lo bigint not null constraint posting_dst_from_zero check (dst_lo >= 0),
      dst_hi bigint generated always as (dst_lo + qty) stored
        constraint posting_line_ends check (dst_hi <= 9007199254740991),
      dst_prev bigint generated always as (nullif(dst_lo, 0)) stored,
      dst_prev_seq bigint,
      src_cover bigint,
      src_cover_seq bigint,
      src_has_line boolean generated always as (src_lo is not null) stored,
      dst_has_line boolean generated always as (true) stored,
      primary key (seq, n),
      constraint posting_no_overlap unique (dst, dst_lo),
      constraint posting_ends unique (dst, dst_hi, seq),
      constraint posting_no_gap foreign key (dst, dst_prev, dst_prev_seq) references posting (dst, dst_hi, seq),
      constraint posting_first_starts_the_line check ((dst_lo = 0) = (dst_prev_seq is null)),
      constraint posting_follows_the_past check (dst_prev_seq <= seq),
      constraint posting_spends_what_was_credited
        foreign key (src, src_cover, src_cover_seq) references posting (dst, dst_hi, seq),
      constraint posting_spends_the_past check (src_cover_seq < seq),
      constraint posting_not_to_itself check (src <> dst),
      constraint posting_line_is_covered check ((src_lo is null) = (src_cover is null)),
      constraint posting_cover_has_its_entry check ((src_lo is null) = (src_cover_seq is null)),
      constraint posting_within_its_cover check (src_lo + qty <= src_cover),
      constraint posting_src_account foreign key (src, unit, src_has_line) references account (id, unit, has_line),
      constraint posting_dst_account foreign key (dst, unit, dst_has_line) references account (id, unit, has_line)
    )
    """,
    """
    alter table posting add constraint posting_nothing_spent_twice
      exclude using gist (src with =, int8range(src_lo, src_lo + qty) with &&) where (src_lo is not null)
    """,
    "create index posting_by_source on posting (src, src_lo) where src_lo is not null",
    # --- projections: dropped and rebuilt from the entries by `sunledger rebuild`. What is written with every gift has
    # no foreign key: it is written in the transaction of its entry, and `sunledger verify` compares it. ---
    """
    create table line (
      account integer primary key references account,
      credited bigint not null,
      consumed bigint not null,
      front bigint not null,
      held bigint not null,
      last_seq bigint not null,
      constraint line_never_negative check (consumed + held <= credited and consumed >= 0 and held >= 0),
      constraint line_front_is_consumed check (front between 0 and consumed)
    ) with (fillfactor = 50)
    """,
    """
    create table gift (
      seq bigint primary key,
      account integer not null,
      qty bigint not null,
      channel text not null,
      donor_class text not null,
      event text not null,
      day date not null,
      ref bytea constraint gift_ref_is_unique unique,
      batch bigint,
      row integer,
      constraint gift_row_of_a_batch check ((batch is null) = (row is null))
    )
    """,
    "create unique index gift_row_is_unique on gift (batch, row) where batch is not null",
    """
    create table organisation (
      org text primary key,
      name text not null,
      level text not null,
      parent text not null,
      division text not null,
      uscc text not null,
      seq bigint not null references entry
    )
    """,
    """
    create table event (
      event text primary key,
      name text not null,
      emergency boolean not null,
      seq bigint not null references entry
    )
    """,
    """
    create table fund (
      org text not null references organisation,
      fund text not null,
      name text not null,
      restriction jsonb not null,
      spending text[] not null,
      seq bigint not null references entry,
      primary key (org, fund)
    )
    """,
    """
    create table project (
      org text not null references organisation,
      project text not null,
      name text not null,
      category text not null,
      region text not null,
      event text not null,
      budget_fen bigint not null,
      starts text not null,
      ends text not null,
      seq bigint not null references entry,
      primary key (org, project)
    )
    """,
    """
    create table staff (
      staff text not null,
      org text not null,
      roles text[] not null,
      seq bigint not null references entry,
      primary key (staff, org)
    )
    """,
    """
    create table proposal (
      seq bigint primary key references entry,
      command text not null,
      org text not null,
      maker text not null,
      qty bigint not null,
      approvals integer not null,
      status text not null
        constraint proposal_status check (status in ('open', 'effected', 'rejected', 'withdrawn')),
      resolved_seq bigint references entry
    )
    """,
    "create index proposal_open on proposal (seq) where status = 'open'",
    """
    create table import_batch (
      seq bigint primary key references entry,
      org text not null,
      fund text not null,
      channel text not null,
      name text not null,
      profile text not null,
      maker text not null,
      rows integer not null,
      sum_fen bigint not null,
      entered_rows integer not null,
      entered_fen bigint not null,
      completed_seq bigint references entry,
      constraint import_batch_within_approval check (entered_rows <= rows and entered_fen <= sum_fen)
    )
    """,
    """
    create table citation (
      ref bigint not null references entry,
      seq bigint not null references entry,
      kind text not null,
      qty bigint not null,
      primary key (ref, seq),
      constraint citation_of_the_past check (ref < seq)
    )
    """,
    """
    create table rollup (
      block bigint not null,
      org text not null,
      fund text not null,
      project text not null,
      kind text not null,
      day date not null,
      entries bigint not null,
      qty bigint not null,
      primary key (org, fund, project, kind, day, block)
    ) with (fillfactor = 70)
    """,
    # --- kept beside the log; not to be rebuilt from it ---
    """
    create table receipt (
      digest bytea primary key,
      key_id smallint not null,
      seq bigint not null constraint receipt_seq_key unique,
      box bytea not null
    )
    """,
    """
    create table vault (
      seq bigint primary key,
      slot bigint not null constraint vault_slot_from_zero check (slot >= 0),
      sealed bytea not null
    )
    """,
    """
    create table idempotency (
      key bytea primary key,
      request bytea not null,
      first_seq bigint not null,
      last_seq bigint not null
    )
    """,
    """
    create table draft (
      proposal bigint primary key references entry,
      command bytea not null,
      salt text not null
    )
    """,
    """
    create table credential (
      id text primary key,
      staff text not null,
      digest bytea not null constraint credential_digest_key unique,
      label text not null,
      created_at timestamptz not null,
      revoked_at timestamptz
    )
    """,
)

READ = (
    "head entry account posting line gift organisation event fund project proposal import_batch citation rollup receipt"
)
"""What the public application may see; the proposals' texts, the vault, staff and credentials are not in it."""

INSERT = f"{READ} staff vault idempotency draft credential"
UPDATE = "head line organisation staff proposal import_batch rollup credential"


def upgrade() -> None:
    """Create everything, then say who may do what: the writer adds, the reader reads the public tables."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    for table in READ.split():
        op.execute(f"grant select on {table} to {reader}")
    for table in INSERT.split():
        op.execute(f"grant select on {table} to {writer}")
    for table in INSERT.split():
        if table != "head":
            op.execute(f"grant insert on {table} to {writer}")
    for table in UPDATE.split():
        op.execute(f"grant update on {table} to {writer}")
