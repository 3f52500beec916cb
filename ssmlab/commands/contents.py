"""What the content of a document tells: its parameters, its plugin, its time-outs.

Sources: Systems Manager User Guide, "SSM document syntax"; recordings of AWS, September 2026, for the sum of time-outs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from ssmlab.commands.calls import DEFAULT_TIMEOUT
from ssmlab.commands.errors import CommandError

# What matters here of the content of documents that everybody knows.
KNOWN: Final = orjson.loads(Path(__file__).with_name("known_documents.json").read_bytes())
KNOWN_PLATFORMS: Final = {"AWS-RunShellScript": ("Linux", "MacOS")}
_REFUSED: Final = "Parameters provided in document are invalid or not supported."
_VARIABLE: Final = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
# A pattern with a repeated group may take for ever, and is not checked; nor is a long text.
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]")
_LONG: Final = 1000
_LEAST_TIMEOUT: Final = 5  # of the agent; below it, the default is taken


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a document.

    Attributes
    ----------
    parameters
        Their definitions by name; None: not known, and nothing is checked.
    plugin
        The name of the plugin in results: the step's in schema 2, the action's in schema 1.
    timeouts
        What the steps give as `timeoutSeconds`: numbers, or the name of a parameter.
    """

    parameters: Mapping[str, Mapping[str, Any]] | None = None
    plugin: str = "aws:runShellScript"
    timeouts: tuple[str, ...] = field(default=("{{ executionTimeout }}",))

    def check(self, given: Mapping[str, tuple[str, ...]]) -> None:
        """Refuse parameters that the document does not take.

        Raises
        ------
        CommandError
            "InvalidParameters".
        """
        if self.parameters is None:
            return
        for name, values in given.items():
            if name not in self.parameters:
                known = ", ".join(f"`{known}`" for known in self.parameters) or "no parameters"
                raise CommandError("InvalidParameters", f"{_REFUSED} Expected {known}, got `{name}`")
            if wrong := next(_find_wrong(self.parameters[name], values), ""):
                raise CommandError("InvalidParameters", f"{_REFUSED} `{name}`: expected {wrong}, got `{values}`")
        for name, definition in self.parameters.items():
            if name not in given and "default" not in definition:
                raise CommandError("InvalidParameters", f"{_REFUSED} Expected `{name}`, got none")

    def execution_timeout(self, given: Mapping[str, tuple[str, ...]]) -> int:
        """Seconds that a command may run by its steps; a parameter that is not given counts 3,600.

        That is so whatever its default, as recorded.
        """
        found = [_read_seconds(timeout, given) for timeout in self.timeouts]
        return sum(found) if found else DEFAULT_TIMEOUT


def agent_timeout(seconds: int) -> int:
    """The seconds after which the agent ends a step: less than 5 it does not take."""
    return seconds if seconds >= _LEAST_TIMEOUT else DEFAULT_TIMEOUT


def read_content(name: str, given: Mapping[str, Any] | str | None) -> Content:
    """The content of a document: an object, or its text as JSON or YAML; None: what is known of the name.

    Raises
    ------
    ValueError
        For a text that is no object.
    """
    body = KNOWN.get(name) if given is None else _parse(given) if isinstance(given, str) else given
    if body is None:
        return Content()
    if not isinstance(body, Mapping):
        raise ValueError(f"expected the content of `{name}` as an object, got `{str(body)[:80]}`")
    parameters, plugins = body.get("parameters") or {}, body.get("runtimeConfig") or {}
    if not all(isinstance(part, Mapping) for part in (parameters, plugins, *_values(parameters))):
        raise ValueError(f"expected `parameters` and `runtimeConfig` of `{name}` as objects of objects, got others")
    steps = [step for step in body.get("mainSteps") or () if isinstance(step, Mapping)]
    plugin = next((str(step.get("name")) for step in steps), None) or next(iter(plugins), "aws:runShellScript")
    timeouts = tuple(_find_timeouts(steps, plugins)) if given is not None else Content().timeouts
    return Content(parameters, str(plugin), timeouts)


def _values(part: Any) -> Iterable[Any]:
    return part.values() if isinstance(part, Mapping) else ()


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"expected the content of a document as JSON or YAML, got {error}") from error


def _find_timeouts(steps: list[Mapping[str, Any]], plugins: Mapping[str, Any]) -> Iterator[str]:
    inputs = [step.get("inputs") for step in steps]
    for plugin in plugins.values():  # schema 1: only the first property counts
        found = plugin.get("properties") if isinstance(plugin, Mapping) else None
        inputs.append(found[0] if isinstance(found, list) and found else found)
    for one in inputs:
        if isinstance(one, Mapping) and "timeoutSeconds" in one:
            yield str(one["timeoutSeconds"])


def _read_seconds(timeout: str, given: Mapping[str, tuple[str, ...]]) -> int:
    if found := _VARIABLE.fullmatch(timeout.strip()):
        timeout = next(iter(given.get(found[1], ())), "")
    return int(timeout) if timeout.strip().isascii() and timeout.strip().isdigit() else DEFAULT_TIMEOUT


def _find_wrong(definition: Mapping[str, Any], values: tuple[str, ...]) -> Iterator[str]:
    """What a definition asks of the values and they are not, as a message says it."""
    if definition.get("type") != "StringList" and len(values) != 1:
        yield "one text"
    allowed = definition.get("allowedValues")
    if allowed and any(value not in map(str, allowed) for value in values):
        yield f"one of {', '.join(f'`{value}`' for value in allowed)}"
    yield from _find_beyond(definition, "Items", len(values), "values")
    for value in values:
        yield from _find_beyond(definition, "Chars", len(value), "characters")
        if not _fits(str(definition.get("allowedPattern") or ".*"), value):
            yield f"a text that fits `{definition['allowedPattern']}`"


def _find_beyond(definition: Mapping[str, Any], of: str, size: int, called: str) -> Iterator[str]:
    least, most = definition.get(f"min{of}"), definition.get(f"max{of}")
    if isinstance(least, int) and size < least:
        yield f"at least {least} {called}"
    if isinstance(most, int) and size > most:
        yield f"at most {most} {called}"


def _fits(pattern: str, value: str) -> bool:
    if len(value) > _LONG or _REPEATED_GROUP.search(pattern):
        return True
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:
        return True
