"""Whether the database still is what the migrations made it: its constraints, triggers and grants are the guarantee.

`guarantees.json` is what a fresh migration gives; `python -m tests.support.snapshot` writes it anew. Schema and roles
appear in it by what they are for, so that it fits a log of any name.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

import asyncpg

from ledger.trouble import Trouble

Facts = dict[str, dict[str, str]]
"""Object (a table, a function, a role…) → aspect (a column, a constraint, a grant…) → what it is."""

ALL = "all of it"
"""What is missing, or one too many, of an object."""

SNAPSHOT = Path(__file__).with_name("guarantees.json")


class GuaranteesBroken(Trouble):
    """The database is not as the migrations made it and may accept wrong money; the message names every difference."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__("\n- ".join(["the database is not as the migrations made it:", *differences]))
        self.differences = differences


async def require(connection: asyncpg.Connection) -> None:
    """Go on only if nothing differs. The applications call it when they start."""
    if found := await differences(connection):
        raise GuaranteesBroken(found)


class Difference(NamedTuple):
    """A thing in the schema that is not as the migrations made it."""

    what: str
    expected: str
    """Empty where nothing was expected."""
    found: str
    """Empty where nothing is there."""

    @property
    def sentence(self) -> str:
        """For a log line."""
        if not self.found:
            return f"{self.what} is missing" + (f"; expected: {self.expected}" if self.expected != ALL else "")
        if not self.expected:
            return f"{self.what} is not expected" + (f"; found: {self.found}" if self.found != ALL else "")
        return f"{self.what} is not as expected: {self.expected}; found: {self.found}"


async def differences(connection: asyncpg.Connection) -> list[str]:
    """A sentence for each thing in the connection's schema that is missing, unexpected or different."""
    return compare(expected(), await read_facts(connection))


def compare(expected: Facts, found: Facts) -> list[str]:
    """The sentences."""
    return [each.sentence for each in contrast(expected, found)]


def contrast(expected: Facts, found: Facts) -> list[Difference]:
    """An object that is missing, or one too many, is one difference, not one for each of its aspects."""
    differing: list[Difference] = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            differing.append(Difference(name, ALL, ""))
        elif name not in expected:
            differing.append(Difference(name, "", ALL))
        else:
            differing += _aspects(name, expected[name], found[name])
    return differing


def _aspects(name: str, expected: dict[str, str], found: dict[str, str]) -> list[Difference]:
    return [
        Difference(f"{name}: {aspect}", expected.get(aspect, ""), found.get(aspect, ""))
        for aspect in sorted(expected.keys() | found.keys())
        if expected.get(aspect) != found.get(aspect)
    ]


@cache
def expected() -> Facts:
    """What a fresh migration gives."""
    return cast("Facts", json.loads(SNAPSHOT.read_text()))


async def read_facts(connection: asyncpg.Connection) -> Facts:
    """What is there, of all that the guarantees rest on. Any role may ask."""
    facts: Facts = {}
    for name, aspect, value in await connection.fetch(_FACTS):
        facts.setdefault(name, {})[aspect] = value
    return facts


# Definitions are asked for in the pretty form, which leaves out the schema of what the search path finds.
_LOG = "select oid, nspname, nspowner, nspacl from pg_namespace where nspname = current_schema()"
_PARTY = """
  select 0::oid as oid, 'everyone' as name
  union all
  select r.oid, case r.rolname
      when nspname || '_owner' then 'the owner'
      when nspname || '_writer' then 'the writer'
      when nspname || '_reader' then 'the reader'
      else format('the role %I', r.rolname) end
  from pg_roles r cross join log
"""
_RELATION = """
  select c.*, case relkind when 'r' then '' when 'v' then 'view ' when 'm' then 'materialised view '
      when 'S' then 'sequence ' when 'p' then 'partitioned table ' else 'foreign table ' end || relname as name
  from pg_class c join log on log.oid = relnamespace
  where relkind not in ('i', 'I', 'c', 't')
"""
# What the owner may do with his own is left out: he can always grant it to himself, and 17 added a privilege.
_GRANTS = """
  select {name}, g.privilege_type || {of} || ' by ' || coalesce(party.name, 'a role that is gone'),
    case when bool_or(g.is_grantable) then 'granted, and may be passed on' else 'granted' end
  from {source} cross join lateral aclexplode({acl}) g left join party on party.oid = g.grantee
  where g.grantee <> {owner}
  group by 1, 2
"""
_PARTS = (
    """
    select relation.name, f.aspect, f.value
    from relation join party on party.oid = relowner cross join lateral (values
      ('owner', party.name),
      ('persistence', case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end),
      ('row security', case when relrowsecurity or relforcerowsecurity then 'on' end),
      ('inheritance', (select string_agg(format('%s from %s', inhrelid::regclass, inhparent::regclass), ', '
          order by inhrelid) from pg_inherits where relation.oid in (inhparent, inhrelid)))
    ) f (aspect, value)
    where f.value is not null
    """,
    # A NOT NULL that is not valid yet (18) is none.
    """
    select relation.name, 'column ' || attname, format_type(atttypid, atttypmod)
      || case when attcollation <> typcollation then ' collate ' || attcollation::regcollation else '' end
      || case when attnotnull and not exists (select from pg_constraint where conrelid = attrelid and contype = 'n'
           and conkey = array[attnum] and not convalidated) then ' not null' else '' end
      || case when attidentity <> '' then ' identity' else '' end
      || coalesce(case attgenerated when '' then ' default ' when 's' then ' generated, stored, as '
           else ' generated, virtual, as ' end || pg_get_expr(adbin, adrelid, true), '')
    from relation join pg_attribute on attrelid = relation.oid join pg_type on pg_type.oid = atttypid
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped
    """,
    # Left out: NOT NULL ('n'), which only 18 lists here, and constraint triggers ('t'), which stand with the triggers.
    # A foreign key is as good as its four hidden triggers, and a unique constraint as its index.
    """
    select relation.name, 'constraint ' || conname, pg_get_constraintdef(con.oid, true)
      || case when contype in ('p', 'u', 'x') and not (indisvalid and indisready and indislive)
           then ' (its index is not valid)' else '' end
      || case when contype = 'f' and 4 > (select count(*) from pg_trigger
           where tgconstraint = con.oid and tgenabled in ('O', 'A')) then ' (its triggers are disabled)' else '' end
    from relation join pg_constraint con on conrelid = relation.oid left join pg_index on indexrelid = conindid
    where contype not in ('n', 't')
    """,
    """
    select relation.name, 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid, 0, true)
      || case when indisvalid and indisready and indislive then '' else ' (not valid)' end
    from relation join pg_index on indrelid = relation.oid
    where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
    """,
    """
    select relation.name, 'trigger ' || tgname, pg_get_triggerdef(t.oid, true)
      || case tgenabled when 'O' then '' when 'A' then ' (always)' when 'R' then ' (on replicas only)'
           else ' (disabled)' end
    from relation join pg_trigger t on tgrelid = relation.oid
    where not tgisinternal
    """,
    """
    select relation.name, 'rule ' || rulename, regexp_replace(pg_get_ruledef(r.oid, true), '[[:space:]]+', ' ', 'g')
    from relation join pg_rewrite r on ev_class = relation.oid
    where rulename <> '_RETURN'
    """,
    """
    select relation.name, 'policy ' || polname, 'there'
    from relation join pg_policy on polrelid = relation.oid
    """,
    _GRANTS.format(name="relation.name", source="relation", acl="relacl", owner="relowner", of="''"),
    _GRANTS.format(
        name="relation.name",
        source="relation join pg_attribute on attrelid = relation.oid",
        acl="attacl",
        owner="relowner",
        of="format(' (%I)', attname)",
    ),
    """
    select 'function ' || p.oid::regprocedure, f.aspect, f.value
    from pg_proc p join log on log.oid = pronamespace join party on party.oid = proowner
      join pg_language l on l.oid = prolang cross join lateral (values
      ('owner', party.name),
      ('language', lanname::text),
      ('answer', pg_get_function_result(p.oid)),
      ('rights', case when prosecdef then 'its owner''s' else 'its caller''s' end),
      ('settings', coalesce(array_to_string(proconfig, ', '), 'none')),
      ('source, as SHA-256', encode(sha256(convert_to(
          coalesce(pg_get_function_sqlbody(p.oid), prosrc || coalesce(probin, '')), 'UTF8')), 'hex'))
    ) f (aspect, value)
    """,
    _GRANTS.format(
        name="'function ' || p.oid::regprocedure",
        source="pg_proc p join log on log.oid = pronamespace",
        acl="coalesce(proacl, acldefault('f', proowner))",
        owner="proowner",
        of="''",
    ),
    "select 'the schema', 'owner', party.name from log join party on party.oid = nspowner",
    _GRANTS.format(name="'the schema'", source="log", acl="nspacl", owner="nspowner", of="''"),
    # With session_replication_role other than origin, triggers and foreign keys do not fire.
    """
    select party.name, f.aspect, f.value
    from party join pg_roles r on r.oid = party.oid cross join lateral (values
      ('superuser', rolsuper::text),
      ('may create roles', rolcreaterole::text),
      ('may create databases', rolcreatedb::text),
      ('may replicate', rolreplication::text),
      ('passes row security', rolbypassrls::text),
      ('member of', coalesce((select string_agg(format('%I', g.rolname), ', ' order by g.rolname)
          from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid), 'no role')),
      ('may set session_replication_role', has_parameter_privilege(r.oid, 'session_replication_role', 'SET')::text),
      ('session_replication_role', coalesce((select string_agg(setting, ', ')
          from pg_db_role_setting cross join unnest(setconfig) setting
          where setrole in (0, r.oid) and setting like 'session\\_replication\\_role=%'
            and setdatabase in (0, (select oid from pg_database where datname = current_database()))), 'not set')),
      ('may create in schema public', case when party.name <> 'the owner' then (exists (select from pg_namespace n
          where nspname = 'public' and has_schema_privilege(r.oid, n.oid, 'CREATE')))::text end)
    ) f (aspect, value)
    where party.name in ('the owner', 'the writer', 'the reader') and f.value is not null
    """,
    "select 'this connection', 'session_replication_role', current_setting('session_replication_role')",
)
_FACTS = f"with log as ({_LOG}), party as ({_PARTY}), relation as ({_RELATION}) {' union all '.join(_PARTS)}"
