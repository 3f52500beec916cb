"""What the invented organisation runs: its nodes and its documents, as tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

SEED: Final = 2026  # of the sample that is committed
PRODUCTION, DEVELOPMENT, MANAGEMENT = "123456789012", "210987654321", "999988887777"
PLACES: Final = {
    "prod-eu": (PRODUCTION, "eu-west-1"),
    "prod-us": (PRODUCTION, "us-east-2"),
    "dev-eu": (DEVELOPMENT, "eu-west-1"),
    "dev-us": (DEVELOPMENT, "us-east-2"),
}
PLATFORMS: Final = {  # name in the table of nodes → PlatformType, PlatformName, PlatformVersion
    "al2": ("Linux", "Amazon Linux", "2"),
    "al2023": ("Linux", "Amazon Linux", "2023"),
    "debian": ("Linux", "Debian GNU/Linux", "12"),
    "ubuntu": ("Linux", "Ubuntu", "22.04"),
    "win2019": ("Windows", "Microsoft Windows Server 2019 Datacenter", "10.0.17763"),
    "win2022": ("Windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348"),
}
SOURCE_TYPES: Final = {  # kind in the table of nodes → SourceType
    "ec2": "AWS::EC2::Instance",
    "server": "AWS::SSM::ManagedInstance",
    "edge": "AWS::IoT::Thing",
    "core": "AWS::IoT::Thing",
    "azure": "Microsoft.Compute/virtualMachines",
    "google": "compute.googleapis.com/Instance",
}
# The identifiers that the documentation and the examples name.
_FIXED_IDS: Final = {"web-1": "i-0123456789abcdef0", "shop-rack-7": "mi-0123456789abcdef0"}

# place kind platform name:flag:flag,name,… | tags. An EC2 instance with tags also has its name as tag Name.
_NODES: Final = """\
prod-eu ec2 al2023 web-1,web-2,web-3:lost | Finance=WebServers; Env=prod; Team=blue
prod-eu ec2 al2023 web-4 | Finance=WebServer; Env=prod; Team=blue
prod-eu ec2 al2 web-5 | finance=WebServers; Env=prod; Team=blue
prod-eu ec2 al2 web-6 | Finance=webservers; Env=prod; Team=blue
prod-eu ec2 ubuntu db-1,db-2 | Finance=Ledger; Env=prod; Team=red
prod-eu ec2 win2022 win-1,win-2:lost | Env=prod; Team=red
prod-eu ec2 al2023 both-keys-eu | tag_key1=tag_value1; tag_key2=tag_value2; Env=test
prod-eu ec2 al2023 first-key-eu | tag_key1=tag_value1; tag_key2=other; Env=test
prod-eu ec2 al2023 second-key-eu | tag_key1=other; tag_key2=tag_value2; Env=test
prod-eu ec2 al2023 neither-key-eu | tag_key1=other; tag_key2=other; Env=test
prod-eu ec2 ubuntu gateway-1 | Env=prod; Team=blue
prod-eu ec2 debian untagged-eu |
prod-eu ec2 debian hostile-eu | Env=test; Note=<img src=x onerror=alert(1)>; Sum==HYPERLINK("https://example.com","sum")
prod-eu ec2 ubuntu bastion:no-agent,batch-1:stopped | Env=prod; Team=red
prod-eu ec2 win2019 legacy-1:no-agent:no-profile | Finance=WebServers; Env=prod
prod-eu server win2019 shop-rack-7:lost | Finance=WebServers; Env=prod; Team=blue
prod-eu server win2022 hq-files | Env=prod; Team=red
prod-eu server debian hq-print | Env=prod
prod-eu edge debian till-1 | Finance=WebServers; Env=prod
prod-eu edge debian till-2:lost | Env=prod
prod-eu core ubuntu greenhouse-1 | tag_key1=tag_value1; tag_key2=tag_value2; Env=prod; Team=blue
prod-eu core ubuntu gateway-1 | Env=prod
prod-eu azure ubuntu azure-report-1 | Env=prod; Team=red
prod-eu google debian gcp-vision-1 | Env=prod; Team=blue
prod-us ec2 al2023 web-11,web-12,web-13:stopped | Finance=WebServers; Env=prod; Team=blue
prod-us ec2 al2023 both-keys-us | tag_key1=tag_value1; tag_key2=tag_value2; Env=test
prod-us ec2 al2023 first-key-us | tag_key1=tag_value1; tag_key2=other; Env=test
prod-us ec2 al2023 second-key-us | tag_key1=other; tag_key2=tag_value2; Env=test
prod-us ec2 al2023 neither-key-us | tag_key1=other; tag_key2=other; Env=test
prod-us ec2 win2022 win-11 | Env=prod; Team=red
prod-us ec2 ubuntu ledger-11:no-agent:no-profile | Finance=Ledger; Env=prod; Team=red
prod-us server win2019 depot-1 | tag_key1=tag_value1; tag_key2=tag_value2; Env=prod; Team=red
prod-us server debian depot-2:tags-not-collected | Finance=WebServers; Env=prod
prod-us edge debian kiosk-1 | Env=prod; Team=blue
prod-us core ubuntu barn-1:lost | Env=prod
dev-eu ec2 al2023 dev-web-1,dev-web-2 | Finance=WebServers; Env=dev; Team=blue
dev-eu ec2 ubuntu dev-db-1 | Env=dev; Team=red
dev-eu ec2 win2022 dev-win-1 | Env=dev; Team=red
dev-eu ec2 al2023 test-web-1,test-web-2:stopped | Env=test; Team=blue
dev-eu ec2 debian sandbox-1:no-agent:no-profile |
dev-eu ec2 debian quality-1 | Env=dev; \
Name=Überwachungsrechner für Qualitätssicherung – 品質保証の監視サーバー – сервер контроля – مراقبة الجودة
dev-eu server ubuntu lab-bench-1,lab-bench-2:tags-not-collected | Env=dev; Team=red
dev-eu edge debian lab-sensor-1 | Env=test
dev-eu core ubuntu lab-core-1 | Env=dev; Team=blue
dev-us ec2 al2023 dev-web-11 | Finance=WebServers; Env=dev; Team=blue
dev-us ec2 ubuntu dev-db-11 | Env=dev; Team=red
dev-us ec2 al2 dev-build-11:lost | Env=dev
dev-us ec2 al2023 test-web-11 | Env=test; Team=blue
dev-us server debian lab-bench-11 | Env=test; Team=blue
dev-us azure win2022 azure-lab-1:tags-not-collected | Env=dev
"""  # noqa: RUF001 - letters of other scripts are the point of one name

# places name DocumentType PlatformTypes SchemaVersion | tags. AWS owns those of all places; any other belongs to the
# account of the first place that is named, and is shared with the others.
_DOCUMENTS: Final = """\
all AWS-ConfigureAWSPackage Command Windows,Linux,MacOS 2.2 |
all AWS-RunPatchBaseline Command Windows,Linux,MacOS 2.2 |
all AWS-RunPowerShellScript Command Windows,Linux,MacOS 2.0 |
all AWS-RunRemoteScript Command Windows,Linux,MacOS 2.2 |
all AWS-RunShellScript Command Linux,MacOS 1.2 |
all AWS-UpdateSSMAgent Command Windows,Linux 1.2 |
all AWSSupport-TroubleshootSSH Automation Linux 0.3 |
all AmazonCloudWatch-ManageAgent Command Windows,Linux,MacOS 2.2 |
prod-eu,prod-us RestartWebServer Command Linux 2.2 | Finance=WebServers; Team=blue
prod-eu PatchWindows Command Windows 2.2 |
prod-eu,prod-us CollectDiagnostics Command Windows,Linux 2.2 | tag_key1=tag_value1; tag_key2=tag_value2
prod-eu DrainAndPatch Automation Windows,Linux 0.3 | Team=red
prod-eu,dev-eu InstallMonitoring Command Linux 2.2 | Team=blue
dev-eu,dev-us SeedTestData Command Linux 2.2 | Env=dev
"""
BODIES: Final = {  # (place, name) → the script of its only step; the bodies of the other documents were not collected
    ("prod-eu", "RestartWebServer"): ["sudo systemctl restart nginx", "systemctl is-active nginx"],
    ("prod-eu", "InstallMonitoring"): ["curl --fail https://example.com/monitoring.sh | sudo sh"],
}


@dataclass(frozen=True, slots=True)
class Node:
    """A machine; `flags` ⊂ {lost (its connection), stopped, no-agent, no-profile, tags-not-collected}."""

    place: str
    kind: str
    platform: str
    name: str
    flags: frozenset[str]
    tags: dict[str, str]
    node_id: str
    ip: str
    arn: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as one place lists it; `owner` is an account or `Amazon`."""

    place: str
    owner: str
    name: str
    document_type: str
    platforms: list[str]
    schema: str
    tags: dict[str, str]
    arn: str


def read_nodes(seed: int) -> list[Node]:
    """The nodes; an identifier hangs on the seed and the node alone, so that a new row changes no other.

    Another seed than that of the sample adds machines of its own, so that questions have other answers.
    """
    table = _NODES if seed == SEED else _NODES + "".join(_draw_rows(seed))
    named = [(head, name, tags) for *head, names, tags in _rows(table) for name in names.split(",")]
    return [_node(seed, number, *row) for number, row in enumerate(named, 10)]


def _draw_rows(seed: int) -> Iterator[str]:
    """Rows of machines in every place, of each kind that has a story, with drawn names, states and tags."""
    random = Random(seed)
    for place in PLACES:
        env = "prod" if place.startswith("prod") else "dev"
        for kind, count in (("ec2", random.randint(6, 10)), ("server", random.randint(3, 5))):
            for number in random.sample(range(100, 1000), count):
                tags = [random.choice(choices) for choices in _drawn_tags(env)]
                flag = random.choice(
                    ["", "", ":lost"] if kind == "server" else ["", "", ":stopped", ":no-agent", ":lost"]
                )
                yield f"{place} {kind} debian m-{number}{flag} | {'; '.join(filter(None, tags))}\n"


def _drawn_tags(env: str) -> list[list[str]]:
    keys = [[f"tag_key{n}=tag_value{n}", f"tag_key{n}=other", "", ""] for n in (1, 2)]
    return [
        [f"Env={env}", "Env=test"],
        ["Finance=WebServers", "Finance=Ledger", ""],
        ["Team=red", "Team=blue", ""],
        *keys,
    ]


def _node(seed: int, number: int, head: list[str], flagged: str, tags: dict[str, str]) -> Node:
    (place, kind, platform), (name, *flags) = head, flagged.split(":")
    is_ec2, (account, region) = kind == "ec2", PLACES[place]
    drawn = f"0{Random(f'{seed} {place} {kind} {name}').getrandbits(64):016x}"
    node_id = _FIXED_IDS.get(name, f"{'i' if is_ec2 else 'mi'}-{drawn}")
    ip = f"{'192.0.2' if is_ec2 else '198.51.100'}.{number}"
    arn = f"arn:aws:{'ec2' if is_ec2 else 'ssm'}:{region}:{account}:{'' if is_ec2 else 'managed-'}instance/{node_id}"
    named = {"Name": name} | tags if tags and is_ec2 else tags
    return Node(place, kind, platform, name, frozenset(flags), named, node_id, ip, arn)


def read_documents() -> list[Document]:
    """The documents, place by place as `list-documents` prints them."""
    return [
        _document(place, row) for place in PLACES for row in _rows(_DOCUMENTS) if row[0] == "all" or place in row[0]
    ]


def _document(place: str, row: tuple[Any, ...]) -> Document:
    places, name, kind, platforms, schema, tags = row
    owner = "Amazon" if places == "all" else PLACES[places.split(",")[0]][0]
    account, region = PLACES[place]
    arn = f"arn:aws:ssm:{region}:{owner.removeprefix('Amazon')}:document/{name}"
    return Document(place, owner, name, kind, platforms.split(","), schema, tags if owner == account else {}, arn)


def _rows(table: str) -> Iterator[tuple[Any, ...]]:
    """The columns of each row, texts, and its tags."""
    for line in table.splitlines():
        head, _, tags = line.partition("|")
        pairs = (tag.partition("=") for tag in tags.strip().split("; ") if tag)
        yield *head.split(), {key: value for key, _, value in pairs}
