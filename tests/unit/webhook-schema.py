#!/usr/bin/env python3
"""webhook-schema.py RENDER-SAMPLES SCHEMA: our webhook bodies against the published schema, and the schema against them: a
body with a field that the schema does not know, or without one that it requires, must not pass unseen."""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)


def keys_known(schema, body, root, where):
    """Every key that we send is described."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].split("/")[-1]]
    if isinstance(body, dict):
        for key, value in body.items():
            if key not in schema.get("properties", {}):
                sys.exit("%s.%s is not in the schema" % (where, key))
            keys_known(schema["properties"][key], value, root, where + "." + key)
        order = [k for k in schema["properties"] if k in body]
        if order != list(body):
            sys.exit("%s: keys are not in the order of the schema: %s" % (where, list(body)))
    elif isinstance(body, list):
        for value in body:
            keys_known(schema["items"], value, root, where)


def spoiled(body):
    """Bodies that must be refused."""
    for key in body:
        b = copy.deepcopy(body)
        del b[key]
        yield "without " + key, b
    for path, value in (("value", "82.71"), ("say", "shout"), ("severity", "low"), ("period", {}), ("place", 0),
                        ("since", "2024-13"), ("alert", "115")):
        b = copy.deepcopy(body)
        b["items"][0][path] = value
        yield path, b


def main():
    program, path = sys.argv[1], sys.argv[2]
    with open(path, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        paths = sorted(glob.glob(os.path.join(folder, "*.json")))
        if len(paths) < 10:
            sys.exit("only %d samples" % len(paths))
        for p in paths:
            with open(p, encoding="utf-8") as f:
                text = f.read()
            body = json.loads(text)
            errors = ["%s: %s" % (list(e.path), e.message) for e in validator.iter_errors(body)]
            if errors:
                sys.exit("%s:\n %s" % (os.path.basename(p), "\n ".join(errors)))
            keys_known(schema, body, schema, "body")
            if os.path.basename(p) == "one.json":
                if '"value":82.71,"limit":95.00,"delta":-8.20,' not in text:
                    sys.exit("numbers are not exact: " + text)
                for what, b in spoiled(body):
                    if validator.is_valid(b):
                        sys.exit("the schema lets pass: " + what)
    print("%d bodies are valid" % len(paths))


if __name__ == "__main__":
    main()
