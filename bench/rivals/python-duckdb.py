# python3 python-duckdb.py <question.sql> <sessions.jsonl> <replay_runs.jsonl> [<session_id>]
import json
import sys

import duckdb

question, sessions, replays, *rest = sys.argv[1:]
with open(question, encoding="utf-8") as file:
    sql = file.read()
for name, value in (("$sessions", sessions), ("$replays", replays), ("$id", rest[0] if rest else "")):
    sql = sql.replace(name, f"'{value}'")
result = duckdb.sql(sql)
rows = [dict(zip(result.columns, row)) for row in result.fetchall()]
json.dump(rows, sys.stdout, default=str, ensure_ascii=False)
