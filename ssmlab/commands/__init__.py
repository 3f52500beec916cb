"""The life of a command: `send_command` on a snapshot, without AWS."""

from ssmlab.commands.answers import Answer
from ssmlab.commands.command import Command
from ssmlab.commands.errors import AccessDenied, CommandError
from ssmlab.commands.outputs import standard_error_content, standard_output_content
from ssmlab.commands.running import send_command
from ssmlab.commands.statuses import READINGS

__all__ = [
    "READINGS",
    "AccessDenied",
    "Answer",
    "Command",
    "CommandError",
    "send_command",
    "standard_error_content",
    "standard_output_content",
]
