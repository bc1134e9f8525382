-- What one would build in an afternoon instead of a ledger: a table of gifts whose rows are chained by a trigger.
--
-- It is meant to be good at what it does. Receipts are unique, the body is what is hashed and holds all that matters, sha256 is
-- PostgreSQL's own, the head row has room to be updated in its own page, and one locked row is enough to number without a gap.
-- What it cannot do is let two commits share one flush of the write-ahead log: whoever holds the head row holds it until its own
-- commit is on disk. More clients therefore do not make it faster.

create table head (
  one    boolean primary key default true check (one),  -- there is one head
  number bigint  not null check (number >= 0),
  hash   bytea   not null check (length(hash) = 32)
) with (fillfactor = 10);

insert into head (number, hash) values (0, decode(repeat('00', 32), 'hex'));

create table gift (
  number     bigint      primary key,
  receipt    text        not null unique,
  fund       integer     not null,
  amount_fen bigint      not null check (amount_fen > 0),
  body       bytea       not null,  -- the gift as it was said, about 300 bytes of JSON: fund, amount and receipt are in it
  prev       bytea       not null check (length(prev) = 32),
  hash       bytea       not null check (length(hash) = 32),
  received   timestamptz not null default now()
);

create function chain_gift() returns trigger language plpgsql as $$
begin
  -- Whoever comes next waits here until we have committed.
  select head.number + 1, head.hash into strict new.number, new.prev from head for update;
  new.hash := sha256(new.prev || new.body);
  update head set number = new.number, hash = new.hash;
  return new;
end
$$;

create trigger chain_gift before insert on gift for each row execute function chain_gift();

-- Nothing is here when the chain is whole: numbers 1, 2, 3 … without a gap, each row on the one before it, the head on the last.
create view fault as
  with linked as (
    select number, prev, body, hash, lag(number, 1, 0::bigint) over numbered as number_before,
           lag(hash, 1, decode(repeat('00', 32), 'hex')) over numbered as hash_before
      from gift window numbered as (order by number)
  )
  select number, 'the number before it is missing' as what from linked where number <> number_before + 1
  union all
  select number, 'prev is not the hash before it' from linked where prev <> hash_before
  union all
  select number, 'hash is not sha256(prev || body)' from linked where hash <> sha256(prev || body)
  union all
  select number, 'the head is not on the last gift'
    from head
    where exists (select from gift where gift.number > head.number)
       or head.number > 0 and not exists (select from gift where (gift.number, gift.hash) = (head.number, head.hash));
