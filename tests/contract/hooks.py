"""What Schemathesis loads beside the configuration (its `SCHEMATHESIS_HOOKS`).

A link between two operations may hand on nothing, as where an entry has no engagement. Every HTTP client drops an
empty segment, or one of dots only, from a path (RFC 3986, 5.2.4), so that what arrives is another address than the
one the answer is then held against. Such an id is sent as one that nobody has."""

from typing import Any

import schemathesis

DROPPED = {"", ".", "..", "%2E", "%2E%2E"}
NOBODYS = "-"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    for name, value in list((case.path_parameters or {}).items()):
        if str(value) in DROPPED:
            case.path_parameters[name] = NOBODYS
