"""Checks the shipped configurations against conf/postern.schema.json.

usage: check_settings.py SOURCE_FOLDER

Every conf/*.yaml and conf/examples/*.yaml has to be valid. Then mistakes are put into the default configuration, and
each of them has to be found: a schema that lets everything through would pass the first part.
"""

import copy
import json
import pathlib
import sys

import jsonschema
import yaml

# Each changes a valid configuration into one that the schema has to refuse.
MISTAKES = {
    "unknown key": lambda c: c.update(lisenters=[]),
    "unknown key in a section": lambda c: c["limits"].update(max_session=1),
    "unknown key in a list": lambda c: c["listeners"][0].update(port=995),
    "missing section": lambda c: c.pop("routes"),
    "missing key": lambda c: c["backends"][0].pop("servers"),
    "empty list": lambda c: c.update(listeners=[]),
    "wrong version": lambda c: c.update(version=2),
    "word that is no choice": lambda c: c["log"].update(level="verbose"),
    "number out of range": lambda c: c["limits"].update(max_sessions=0),
    "number in quotes": lambda c: c["limits"].update(max_sessions="1"),
    "duration without unit": lambda c: c["limits"].update(idle_timeout=600),
    "duration with unknown unit": lambda c: c["limits"].update(idle_timeout="1d"),
    "part of a second": lambda c: c["runtime"].update(drain_timeout="1500ms"),
    "boolean as a word": lambda c: c["listeners"][0].update(require_tls_for_auth="yes"),
    "address without port": lambda c: c["listeners"][0].update(bind="192.0.2.1"),
    "threads": lambda c: c["runtime"].update(threads="many"),
    "name of a profile": lambda c: c["tls"]["profiles"].update({"Default": c["tls"]["profiles"]["default"]}),
    "two matches": lambda c: c["routes"][0].update(match={"domain": "example.net", "user": "a"}),
    "other match": lambda c: c["routes"][0].update(match="all"),
    "size without unit": lambda c: c.update(store={"memory": 67108864}),
    "size with unit of 1000": lambda c: c.update(store={"memory": "64MB"}),
    "name of a view": lambda c: c.update(views=[{"name": "My view"}]),
    "view without name": lambda c: c.update(views=[{"newest": 5}]),
    "no folders": lambda c: c.update(views=[{"name": "a", "folders": []}]),
    "folder without list": lambda c: c.update(views=[{"name": "a", "folders": "INBOX"}]),
    "template with space": lambda c: c["backends"][0].update(imap={"uidl": "%{uid} %{uidvalidity}"}),
    "separator of user names": lambda c: c["backends"][0].update(imap={"login_separator": "@"}),
    "short pin": lambda c: c["backends"][0]["tls"].update(pins_sha256=["abcd"]),
}


def main() -> int:
    conf = pathlib.Path(sys.argv[1]) / "conf"
    schema = json.loads((conf / "postern.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = 0

    files = sorted(conf.glob("*.yaml")) + sorted(conf.glob("examples/*.yaml"))
    if len(files) < 3:
        print(f"{conf}: found {len(files)} configurations, expected the default and the examples")
        failures += 1
    for file in files:
        for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8"))):
            print(f"{file}: {error.json_path}: {error.message}")
            failures += 1

    good = yaml.safe_load((conf / "postern.yaml").read_text(encoding="utf-8"))
    for name, spoil in MISTAKES.items():
        bad = copy.deepcopy(good)
        spoil(bad)
        if validator.is_valid(bad):
            print(f"the schema does not find this mistake: {name}")
            failures += 1

    print(f"{len(files)} configurations, {len(MISTAKES)} mistakes, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
