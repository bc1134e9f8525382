-- One gift, as pgbench sends it: one statement, its own transaction. The note pads the body to about 300 bytes.
\set receipt random(1, 9223372036854775807)
\set fund random(1, 100)
\set amount_fen random(100, 1000000)
insert into gift (receipt, fund, amount_fen, body)
  select receipt, :fund, :amount_fen, convert_to(
      format('{"amount_fen":%s,"fund":%s,"kind":"gift","note":"%s","receipt":"%s"}',
             :amount_fen::bigint, :fund::int, repeat('n', 215), receipt), 'UTF8')
    from (select lpad(to_hex(:receipt::bigint), 16, '0')) as said (receipt);
