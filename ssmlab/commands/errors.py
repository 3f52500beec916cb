"""What AWS says when it refuses a call."""

_OPEN = " (or some does: it hangs on a key of the request that `context` does not give)"


class CommandError(ValueError):
    """AWS refuses the call: no command is made.

    Attributes
    ----------
    name
        AWS's name of the error, such as "InvalidInstanceId".
    message
        AWS's text where it is known, after a line in words if it is a regular expression; else what was expected and
        what was got.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name, self.message = name, message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


class AccessDenied(CommandError):  # noqa: N818 - AWS's own word
    """The caller may not use the document, or one of the nodes that `InstanceIds` names.

    The text is AWS's, which does not tell an explicit from an implicit deny.

    Attributes
    ----------
    resource
        ARN of what is refused.
    outcome
        Why: "explicitDeny", "implicitDeny" or "conditional" (a key of the request is not known).
    """

    def __init__(self, user: str, resource: str, outcome: str) -> None:
        action = "ssm:SendCommand"
        because = f"because no identity-based policy allows the {action} action"
        text = f"User: {user} is not authorized to perform: {action} on resource: {resource} {because}"
        super().__init__("AccessDeniedException", text + _OPEN * (outcome == "conditional"))
        self.args = (user, resource, outcome)  # what makes the error again, when it is copied
        self.resource, self.outcome = resource, outcome
