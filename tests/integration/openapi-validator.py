#!/usr/bin/python3
"""openapi-validator.py BUILD: docs/openapi.yaml is what the OpenAPI specification says, to a public validator, which comes by npm into the build
folder. Our own test (openapi.py) holds description and daemon together; whether others can read the description it cannot know. Two mistakes
of the kind that slips in are made in copies, and must be found."""
import json
import os
import subprocess
import sys

from lab import TOP, npm_install

LIBRARY = "@seriousme/openapi-schema-validator@2"
MISTAKES = [
    ("      operationId: status\n", "      operationId: status\n      operationID: twice\n"),
    ("      - {$ref: '#/components/parameters/limit'}\n", "      - {$ref: '#/components/parameters/nowhere'}\n"),
]


def validate(package, path):
    r = subprocess.run(["node", os.path.join(package, "bin", "validate-api-cli.js"), path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                       check=False)
    return json.loads(r.stdout) if r.stdout.lstrip().startswith("{") else {"valid": False, "errors": r.stdout}


def main():
    package = npm_install(sys.argv[1], LIBRARY)
    path = os.path.join(TOP, "docs", "openapi.yaml")
    seen = validate(package, path)
    assert seen["valid"] is True, seen["errors"]
    with open(path, encoding="utf8") as f:
        text = f.read()
    for i, (right, wrong) in enumerate(MISTAKES):
        assert right in text, right
        broken = os.path.join(os.path.dirname(os.path.dirname(package)), "broken-%d.yaml" % i)
        with open(broken, "w", encoding="utf8") as f:
            f.write(text.replace(right, wrong, 1))
        assert validate(package, broken)["valid"] is not True, wrong
    print("openapi-validator: passed")


main()
