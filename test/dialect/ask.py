"""Runs printed SQL in an engine of Python: ask.py spark|clickhouse IN.json OUT.json

IN.json: {"declarations": [...], "statements": [...]}; OUT.json: a list of rows, or a text that says what failed, for
each statement. Instants are texts, RFC 3339 in UTC to the microsecond.
"""

import datetime
import json
import sys

UTC = datetime.timezone.utc


def spark():
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "1")
        # No answer may hang on the clock of a session.
        .config("spark.sql.session.timeZone", "America/New_York")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")

    def instant(name):
        return f"CAST(unix_micros(`{name}`) AS STRING) AS `{name}`"

    def ask(sql):
        frame = session.sql(sql)
        names = [field.name for field in frame.schema.fields]
        kinds = [field.dataType.simpleString() for field in frame.schema.fields]
        parts = [instant(n) if k == "timestamp" else f"`{n}`" for n, k in zip(names, kinds)]
        rows = frame.selectExpr(*parts).collect() if names else []
        at = [i for i, kind in enumerate(kinds) if kind == "timestamp"]
        return [[micros(cell) if i in at else cell for i, cell in enumerate(row)] for row in rows]

    return session.sql, ask


def micros(digits):
    if digits is None:
        return None
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=int(digits))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def clickhouse():
    from chdb import session as sessions

    session = sessions.Session()

    def ask(sql):
        settings = {"output_format_json_quote_64bit_integers": "0", "output_format_json_quote_denormals": "1"}
        last = ", ".join(f"{name} = {value}" for name, value in settings.items())
        joint = "," if "SETTINGS join_use_nulls" in sql else "SETTINGS"
        answer = session.query(f"{sql.rstrip()} {joint} {last}", "JSONCompact").bytes().decode()
        said = json.loads(answer)
        at = [i for i, column in enumerate(said["meta"]) if "DateTime64" in column["type"]]
        return [[iso(cell) if i in at else cell for i, cell in enumerate(row)] for row in said["data"]]

    return session.query, ask


def iso(cell):
    return None if cell is None else cell.replace(" ", "T") + "Z"


def main(engine, source, target):
    asked = json.load(open(source, encoding="utf-8"))
    declare, ask = {"spark": spark, "clickhouse": clickhouse}[engine]()
    for one in asked["declarations"]:
        declare(one)
    answers = []
    for one in asked["statements"]:
        try:
            answers.append(ask(one))
        except Exception as error:  # the test says which statement it was
            answers.append(f"{type(error).__name__}: {error}"[:2000])
    json.dump(answers, open(target, "w", encoding="utf-8"))


main(*sys.argv[1:])
