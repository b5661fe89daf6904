# python3 python-chdb.py <question.sql> <sessions.jsonl> <replay_runs.jsonl> [<session_id>]
import sys

import chdb

question, sessions, replays, *rest = sys.argv[1:]
with open(question, encoding="utf-8") as file:
    sql = file.read()
for name, value in (("$sessions", sessions), ("$replays", replays), ("$id", rest[0] if rest else "")):
    sql = sql.replace(name, f"'{value}'")
sys.stdout.write(str(chdb.query(sql, "JSONEachRow")))
