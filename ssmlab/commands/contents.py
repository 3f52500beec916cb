"""What the content of a document tells: its parameters, its plugin, its time-outs.

Sources: Systems Manager User Guide, "SSM document syntax"; recordings of AWS, September 2026, for the sum of time-outs.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from ssmlab.commands.calls import DEFAULT_TIMEOUT
from ssmlab.commands.errors import CommandError
from ssmlab.logs.regexes import Regex
from ssmlab.snapshots.schema import listed

# What matters here of the content of documents that everybody knows.
KNOWN: Final = orjson.loads(Path(__file__).with_name("known_documents.json").read_bytes())
KNOWN_PLATFORMS: Final = {"AWS-RunShellScript": ("Linux", "MacOS")}
_REFUSED: Final = "Parameters provided in document are invalid or not supported."
_VARIABLE: Final = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_SECONDS: Final = re.compile(r"\s*[0-9]{1,6}\s*")
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
    timeouts: tuple[str, ...] = ("{{ executionTimeout }}",)

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
                known = listed(self.parameters) or "no parameters"
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
    keys = ("parameters", "runtimeConfig")
    parts: list[Any] = [body.get(key) or {} for key in keys] if isinstance(body, Mapping) else [None]
    if not all(isinstance(part, Mapping) and all(isinstance(one, Mapping) for one in part.values()) for part in parts):
        wanted = "an object whose `parameters` and `runtimeConfig` are objects of objects"
        raise ValueError(f"expected the content of `{name}` as {wanted}, got `{str(body)[:80]}`")
    (parameters, plugins), steps, usual = parts, body.get("mainSteps"), Content()
    steps = [step for step in (steps if isinstance(steps, list) else ()) if isinstance(step, Mapping)]
    named = (str(name) for step in steps if (name := step.get("name") or step.get("action")))
    plugin = (*named, *plugins, usual.plugin)[0]
    return Content(parameters, plugin, usual.timeouts if given is None else tuple(_find_timeouts(steps, plugins)))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise ValueError(f"expected the content of a document as JSON or YAML, got {error}") from error


def _find_timeouts(steps: list[Mapping[str, Any]], plugins: Mapping[str, Any]) -> Iterator[str]:
    properties = [plugin.get("properties") for plugin in plugins.values()]  # schema 1: only the first property counts
    firsts = [found[0] if isinstance(found, list) and found else found for found in properties]
    for one in (*(step.get("inputs") for step in steps), *firsts):
        if isinstance(one, Mapping) and "timeoutSeconds" in one:
            yield str(one["timeoutSeconds"])


def _read_seconds(timeout: str, given: Mapping[str, tuple[str, ...]]) -> int:
    if found := _VARIABLE.fullmatch(timeout.strip()):
        timeout = next(iter(given.get(found[1], ())), "")
    return int(timeout) if _SECONDS.fullmatch(timeout) else DEFAULT_TIMEOUT


def _find_wrong(definition: Mapping[str, Any], values: tuple[str, ...]) -> Iterator[str]:
    """What a definition asks of the values and they are not, as a message says it."""
    if definition.get("type") != "StringList" and len(values) != 1:
        yield "one text"
    allowed, pattern = definition.get("allowedValues"), str(definition.get("allowedPattern") or "")
    if isinstance(allowed, list | tuple) and allowed and not {*values} <= {*map(str, allowed)}:
        yield f"one of {listed(allowed)}"
    sizes = [("Items", len(values), "values"), *(("Chars", len(value), "characters") for value in values)]
    for of, size, called in sizes:
        least, most = definition.get(f"min{of}"), definition.get(f"max{of}")
        if isinstance(least, int) and size < least:
            yield f"at least {least} {called}"
        if isinstance(most, int) and size > most:
            yield f"at most {most} {called}"
    if pattern and not all(_fits(pattern, value) for value in values):
        yield f"a text that fits `{pattern}`"


def _fits(pattern: str, value: str) -> bool:
    """Does all of a text fit? Asked is RE2, which takes time linear in the text; what it cannot read is not checked."""
    try:
        return Regex(f"(?s)^(?:{pattern})$").matches(value)
    except ValueError:
        return True
