"""What is wrong with the arguments of a tool, in one sentence that names the argument, the value and the mend."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

_SHOWN: Final = 60
"""Characters of a wrong value that are repeated."""


def unknown(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return what to say of arguments that a tool does not have; nothing where it has them all.

    Args:
        tool: The tool's name.
        schema: The JSON Schema of its arguments.
        arguments: What it was called with.
    """
    known = schema["properties"]
    for name in arguments:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'? It takes" if near else "it takes"
            inside = [one for one, argument in known.items() if _values(argument)]
            more = f" ({inside[0]} is the place for a question's own)" if inside and not near else ""
            return f"{tool} has no argument '{name[:_SHOWN]}'; {hint}: {', '.join(known)}{more}"
    return ""


def wrong(tool: str, schema: Mapping[str, Any], place: Sequence[int | str], value: object, missing: bool) -> str:
    """Return what to say of an argument that is missing, or whose value does not fit.

    Args:
        tool: The tool's name.
        schema: The JSON Schema of its arguments.
        place: The argument's name, then the name within it, where it is an object.
        value: What was given.
        missing: Whether nothing was.
    """
    name, *inside = map(str, place)
    argument = schema["properties"][name]
    if missing:
        return f"{tool} needs '{name}': {_wanted(argument)}. {argument.get('description', '')}".rstrip(". ")
    if inside and (of := _values(argument)):
        return f"{tool}: '{inside[0]}' in '{name}' must be {_wanted(of)}, not {_quoted(value)}"
    return f"{tool}: '{name}' must be {_wanted(argument)}, not {_quoted(value)}"


def _variants(schema: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What a value may be, but for null: who leaves an argument out need not say so."""
    return [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]


def _values(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the values of an object may be; nothing where it is no object."""
    return next((one["additionalProperties"] for one in _variants(schema) if "additionalProperties" in one), {})


def _wanted(schema: Mapping[str, Any]) -> str:
    return " or ".join(map(_kind, _variants(schema)))


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "integer":
        least, most = schema.get("minimum"), schema.get("maximum")
        return "a whole number" + (f" from {least:,} to {most:,}" if most is not None else "")
    if schema["type"] == "object":
        return f"an object, each of whose values is {_wanted(schema['additionalProperties'])}"
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is None:
        return "text that is not empty" if least else "text"
    return f"text of {least or 'at most'}{' to' if least else ''} {most:,} characters"


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
