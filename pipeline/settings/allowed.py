"""Describes the allowed values of a setting, based on the JSON schema of its type."""

from typing import Any

from pipeline.errors import choices


def allowed(schema: dict[str, Any]) -> str:
    """Describe the values that a JSON schema allows.

    >>> allowed({"type": "integer", "minimum": 1})
    'a whole number, 1 or more'
    """
    if "anyOf" in schema:
        options = [allowed(option) for option in schema["anyOf"]]
        return (", or " if any("," in one for one in options) else " or ").join(options)
    if "enum" in schema:
        return choices(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        item = schema["items"]
        example = "[16,32]" if item["type"] == "integer" else "[no,yes]"
        return f"a list such as {example}, each entry {allowed(item)}"
    if schema.get("type") == "object":
        item = allowed(schema["additionalProperties"])
        return f"a mapping such as {{yes:2,no:1}}, each value {item}"
    if schema.get("format") == "path":
        return "the path of a file or folder"
    if schema.get("format") == "memory":
        return "a size such as 4GB or 500MB"
    if schema.get("pattern", "").startswith("^https?://"):
        return "an address that starts with http:// or https://"
    return _NAMES[schema["type"]] + _range(schema)


_NAMES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "null": "null",
}


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high}"
    if low is not None and below is not None:
        return f" from {low:g} to below {below:g}"
    if above is not None and below is not None:
        return f" above {above:g} and below {below:g}"
    if above is not None and high is not None:
        return f" above {above:g} and at most {high:g}"
    if above is not None:
        return f" above {above:g}"
    if high is not None:
        return f", {high:g} or less"
    return f", {low:g} or more" if low is not None else ""
