"""What `*`, `?`, an ARN and `${variables}` mean in a policy: the only place that knows.

A policy text is read once into tokens (`parse_text`); variables are filled in from a request (`resolve`); the tokens
become a `Glob`, an `ArnPattern` or a `ResourcePattern`.
"""

from ssmlab.patterns.arns import ArnPattern, ResourcePattern, compile_resource, split_arn, split_segments
from ssmlab.patterns.globs import Glob, action_matches, compile_glob
from ssmlab.patterns.texts import (
    ABSENT,
    NOT_KNOWN,
    Ambiguous,
    Resolved,
    Special,
    Tokens,
    Value,
    Variable,
    Wild,
    is_wild,
    parse_text,
    plain_text,
    resolve,
    variable_keys,
)
from ssmlab.patterns.vocabularies import Vocabulary
