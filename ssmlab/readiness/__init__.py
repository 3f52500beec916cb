"""Set up your nodes: for each machine the checklist of what makes it a managed node that can run commands."""

from ssmlab.readiness.checklist import Checklist, check_readiness, make_checklist
from ssmlab.readiness.checks import NO, NOT_KNOWN, STEPS, YES, Step
from ssmlab.readiness.counting import count_readiness, find_waiting
