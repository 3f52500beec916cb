#!/usr/bin/env bash
# Fills a folder with what ssmlab reads of one AWS account, by read-only AWS CLI calls.
#
#   bash collect.sh [--skip NAME]… OUT_DIR [REGION…]     without a Region: the one the AWS CLI is set to
#   bash collect.sh --permissions                        prints an IAM policy with the permissions it needs
#
# It uses the credentials and the profile that the AWS CLI (version 1 or 2) uses, and needs nothing but the CLI and a
# shell. It writes to OUT_DIR only and changes nothing in AWS. Run it once an account, with the same OUT_DIR:
#
#   OUT_DIR/ACCOUNT/get-account-authorization-details.json    users, groups, roles and their policies
#   OUT_DIR/ACCOUNT/REGION/describe-instance-information.json managed nodes
#                          describe-instances.json            EC2 instances, managed or not, and their tags
#                          list-documents.{1,2,3}.json        documents: own, shared with the account, AWS-owned
#                          list-core-devices.json             which edge devices are Greengrass core devices
#                          get-service-setting.json           the role of default host management
#                          get-resources.json                 tags of nodes and documents
#                          list-tags-for-resource/ID.json     tags of each hybrid node (mi-…)
#                          get-document/NAME.json             the content of each own document
#   OUT_DIR/organizations/…                                   service and resource control policies, and where they are
#
# Those of the organization are seen from its management account or from an account that it has delegated to; where
# they are not allowed they are left out, and ssmlab counts them as unknown. Documents that strangers have made public
# are left out too. An OUT_DIR is for one organization.
#
# A file that is there is not asked for again: after a stop, the same command goes on. To ask again, delete the file.
# --skip leaves a call out: NAME is what the file is named after, or `organizations`.
set -u
export AWS_PAGER= # as --no-cli-pager, which version 1 of the CLI does not know
export AWS_RETRY_MODE="${AWS_RETRY_MODE:-adaptive}" AWS_MAX_ATTEMPTS="${AWS_MAX_ATTEMPTS:-10}"

names="get-account-authorization-details describe-instance-information describe-instances list-documents \
list-core-devices get-service-setting get-resources list-tags-for-resource get-document organizations"
skipped=

permissions() {
    cat <<'JSON'
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeInstances",
                "greengrass:ListCoreDevices",
                "iam:GetAccountAuthorizationDetails",
                "organizations:DescribeOrganization",
                "organizations:DescribePolicy",
                "organizations:ListAccountsForParent",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListPoliciesForTarget",
                "organizations:ListRoots",
                "ssm:DescribeInstanceInformation",
                "ssm:GetDocument",
                "ssm:GetServiceSetting",
                "ssm:ListDocuments",
                "ssm:ListTagsForResource",
                "tag:GetResources"
            ],
            "Resource": "*"
        }
    ]
}
JSON
}

say() { printf 'collect.sh: %s\n' "$*" >&2; }

stop() {
    say "$@"
    exit 1
}

is_among() { # WORD WORDS
    case " $2 " in *" $1 "*) return 0 ;; esac
    return 1
}

is_denied() {
    case $error in *'(AccessDenied'* | *'(UnauthorizedOperation)'*) return 0 ;; esac
    return 1
}

# The IAM action behind a refused call: its service as IAM spells it, and the operation that the CLI's message names.
action() { # SERVICE
    local service=$1
    case $service in
        greengrassv2) service=greengrass ;;
        resourcegroupstaggingapi) service=tag ;;
    esac
    printf '%s:%s' "$service" "$(printf '%s' "$error" | sed -n 's/.*when calling the \([A-Za-z]*\) operation.*/\1/p')"
}

# Puts the answer to one call into a file, whole or not at all; else returns 1, with the CLI's message in $error.
ask() { # FILE SERVICE OPERATION [ARGUMENT…]
    local file=$1
    shift
    [ -e "$file" ] && return 0
    mkdir -p "$(dirname "$file")" || stop "cannot make the folder of \`$file\`"
    if error=$(aws "$@" --region "$region" --output json 2>&1 >"$file.part" </dev/null); then
        mv "$file.part" "$file" || stop "cannot write \`$file\`"
        say "$file"
        return 0
    fi
    error=$(printf '%s' "$error" | tr -s '\n' ' ')
    rm -f "$file.part"
    return 1
}

# The same, and stops where there is no answer.
collect() { # FILE SERVICE OPERATION [ARGUMENT…]
    is_among "$3" "$skipped" && return
    ask "$@" && return
    if is_denied; then
        stop "not allowed: \`$(action "$2")\` in account $account, Region $region. Grant it (--permissions prints a" \
            "policy) and run the same command again, or go on without it: --skip $3"
    fi
    stop "\`aws $2 $3\` failed in account $account, Region $region:$error" \
        "- run the same command again to go on, or leave it out: --skip $3"
}

# The same for one of several things, of which one may have gone since they were listed.
collect_one() { # FILE SERVICE OPERATION [ARGUMENT…]
    is_among "$3" "$skipped" && return
    ask "$@" && return
    case $error in
        *'(InvalidDocument'* | *'(InvalidResourceId)'*) say "left out, no longer there: \`$1\`" ;;
        *) collect "$@" ;;
    esac
}

# The values of a key in an answer, one a line; those that cannot be the name of a file are left out with a word.
values() { # KEY FILE
    local value
    [ -e "$2" ] || return 0
    sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$2" | while IFS= read -r value; do
        case $value in
            '' | -* | *[!A-Za-z0-9_.-]*) say "left out, not a name that AWS gives: \`$value\` in \`$2\`" ;;
            *) printf '%s\n' "$value" ;;
        esac
    done
}

collect_region() {
    local here=$out/$account/$region id name number=0 owner
    collect "$here/describe-instance-information.json" ssm describe-instance-information
    collect "$here/describe-instances.json" ec2 describe-instances
    for owner in Self Private Amazon; do # one call takes one owner
        number=$((number + 1))
        collect "$here/list-documents.$number.json" ssm list-documents --filters "Key=Owner,Values=$owner"
    done
    collect "$here/list-core-devices.json" greengrassv2 list-core-devices
    if ! is_among get-service-setting "$skipped"; then
        ask "$here/get-service-setting.json" ssm get-service-setting \
            --setting-id /ssm/managed-instance/default-ec2-instance-management-role ||
            say "left out, whether default host management is on in account $account, Region $region:$error"
    fi
    collect "$here/get-resources.json" resourcegroupstaggingapi get-resources \
        --resource-type-filters ec2:instance ssm:managed-instance ssm:document
    for id in $(values InstanceId "$here/describe-instance-information.json"); do
        case $id in mi-*)
            collect_one "$here/list-tags-for-resource/$id.json" ssm list-tags-for-resource \
                --resource-type ManagedInstance --resource-id "$id" ;;
        esac
    done
    for name in $(values Name "$here/list-documents.1.json"); do
        collect_one "$here/get-document/$name.json" ssm get-document --name "$name"
    done
}

# One call of the organization's part; where it is not allowed, the rest of that part is left out.
organize() { # FILE OPERATION [ARGUMENT…]
    local file=$out/organizations/$1
    shift
    ask "$file" organizations "$@" && return
    if is_denied; then
        say "warning: not allowed: \`$(action organizations)\`. The organization's policies are left out, and so" \
            "unknown; its management account sees them: run this there too, with the same folder"
        return 1
    fi
    case $error in *'(AWSOrganizationsNotInUseException)'*) printf '{}\n' >"$file" && return 1 ;; esac
    stop "\`aws organizations $1\` failed:$error" \
        "- run the same command again to go on, or leave it out: --skip organizations"
}

organize_target() { # ROOT, UNIT OR ACCOUNT
    local policy
    organize "list-policies-for-target/$1.json" list-policies-for-target \
        --target-id "$1" --filter SERVICE_CONTROL_POLICY || return
    organize "list-policies-for-target/$1.rcp.json" list-policies-for-target \
        --target-id "$1" --filter RESOURCE_CONTROL_POLICY || return
    for policy in $(for file in "$out/organizations/list-policies-for-target/$1".*json; do values Id "$file"; done); do
        organize "describe-policy/$policy.json" describe-policy --policy-id "$policy" || return
    done
}

organize_tree() { # ROOT OR UNIT
    local below
    organize_target "$1" || return
    organize "list-accounts-for-parent/$1.json" list-accounts-for-parent --parent-id "$1" || return
    for below in $(values Id "$out/organizations/list-accounts-for-parent/$1.json"); do
        organize_target "$below" || return
    done
    organize "list-organizational-units-for-parent/$1.json" list-organizational-units-for-parent \
        --parent-id "$1" || return
    for below in $(values Id "$out/organizations/list-organizational-units-for-parent/$1.json"); do
        organize_tree "$below" || return
    done
}

collect_organization() {
    local root
    is_among organizations "$skipped" && return
    organize describe-organization.json describe-organization || return
    grep -qx '{}' "$out/organizations/describe-organization.json" && return # the account is in none
    organize list-roots.json list-roots || return
    for root in $(values Id "$out/organizations/list-roots.json"); do
        organize_tree "$root" || return
    done
}

while [ $# -gt 0 ]; do
    case $1 in
        --permissions) permissions && exit ;;
        --skip)
            is_among "${2-}" "$names" || stop "expected the name of a call after \`--skip\`, one of: $names"
            skipped="$skipped $2"
            shift
            ;;
        -*) stop "unknown option \`$1\`, expected: [--skip NAME]… OUT_DIR [REGION…], or --permissions" ;;
        *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || stop 'expected: [--skip NAME]… OUT_DIR [REGION…], or --permissions'
command -v aws >/dev/null || stop "the AWS CLI is not installed: there is no command \`aws\`"
out=$1
shift
[ $# -gt 0 ] || set -- "${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}"
for region in "$@"; do
    case $region in '' | *[!a-z0-9-]*) stop "expected a Region such as eu-west-1, got \`$region\`" ;; esac
done
region=$1
account=$(aws sts get-caller-identity --region "$region" --query Account --output text) || stop 'it is not known whose account this is'
case $account in '' | *[!0-9]*) stop "expected the number of an account, got \`$account\`" ;; esac
collect "$out/$account/get-account-authorization-details.json" iam get-account-authorization-details
for region in "$@"; do collect_region; done
region=$1
collect_organization
say "done; load it with ssmlab.load(\"$out\")"
