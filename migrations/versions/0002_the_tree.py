"""The tree: tiles of hashes and the checkpoints signed over it."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # A tile grows to 256 hashes and then never changes; a partial one of any width is a prefix of it.
    """
    create table tile (
      level smallint not null constraint tile_level_of_the_format check (level between 0 and 63),
      index bigint not null constraint tile_index_from_zero check (index >= 0),
      hashes bytea not null
        constraint tile_of_whole_hashes check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
      primary key (level, index)
    )
    """,
    # Signed, hence never unsaid: cosignatures may join a checkpoint, its text stays.
    """
    create table checkpoint (
      size bigint primary key constraint checkpoint_size_from_zero check (size >= 0),
      root bytea not null constraint checkpoint_root_is_sha256 check (length(root) = 32),
      note bytea not null,
      published_at timestamptz not null default now()
    )
    """,
    # Where readers find the key that signs; verifiers take it from their own policy file.
    """
    create table signing_key (
      vkey text primary key,
      since timestamptz not null default now()
    )
    """,
    """
    create function keep_what_was_published() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and tg_table_name = 'tile' then
        if substring(new.hashes for length(old.hashes)) = old.hashes then return new; end if;
      elsif tg_op = 'UPDATE' then
        if (new.size, new.root, new.published_at) = (old.size, old.root, old.published_at) then return new; end if;
      end if;
      raise exception 'what was published stays' using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger tile_only_grows before update or delete on tile
      for each row execute function keep_what_was_published()
    """,
    """
    create trigger checkpoint_stays before update or delete on checkpoint
      for each row execute function keep_what_was_published()
    """,
    """
    create trigger checkpoint_is_never_truncated before truncate on checkpoint
      for each statement execute function refuse_change()
    """,
)


def upgrade() -> None:
    """The writer publishes, the reader serves."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    for table in ("tile", "checkpoint", "signing_key"):
        op.execute(f'grant select on {table} to "{schema}_reader"')
        op.execute(f'grant select, insert on {table} to "{schema}_writer"')
    op.execute(f'grant update on tile, checkpoint to "{schema}_writer"')
