// @cloud-copilot/iam-simulate: node ask_iam_simulate.cjs QUESTIONS.json LIMIT_IN_SECONDS checked|unchecked
// in the folder where it is installed. Checked: `runSimulation` on policies validated once; unchecked:
// `runUnsafeSimulation`, which validates neither policies nor context. The same loop as in asking.py.
const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')

const installed = createRequire(join(process.cwd(), 'here.js'))
const { runSimulation, runUnsafeSimulation } = installed('@cloud-copilot/iam-simulate')
const { createValidatedPolicy, validateIdentityPolicy, validateServiceControlPolicy } = installed('@cloud-copilot/iam-policy')

const [file, limit, way] = process.argv.slice(2)
const checked = way === 'checked'
const questions = JSON.parse(readFileSync(file, 'utf8'))

function read(policies, validate) {
  return policies.map(({ name, document }) => ({
    name, policy: checked ? createValidatedPolicy(document, validate) : document
  }))
}

function prepare(principal) {
  const own = [...principal.own, ...principal.groups.flatMap((group) => group.policies)]
  return {
    identityPolicies: read(own, validateIdentityPolicy),
    permissionBoundaryPolicies: principal.boundary.length ? read(principal.boundary, validateIdentityPolicy) : undefined,
    serviceControlPolicies: principal.scps.map((level, number) => (
      { orgIdentifier: `level-${number}`, policies: read(level, validateServiceControlPolicy) }
    )),
    resourceControlPolicies: []
  }
}

function decided(response) {
  if (typeof response === 'string') return response === 'Allowed'
  return response.resultType === 'error' ? `refused: ${response.errors.message}` : response.overallResult === 'Allowed'
}

async function main() {
  const callers = questions.principals.map(prepare)
  const seconds = { document: 0, node: 0 }
  const answers = []
  for (const resource of questions.resources) {
    if (seconds.document + seconds.node > Number(limit)) break
    const asked = questions.principals.map((principal, number) => ({
      ...callers[number],
      request: {
        action: 'ssm:SendCommand',
        principal: principal.arn,
        resource: { resource: resource.arn, accountId: principal.account },
        contextVariables: { ...principal.keys, ...resource.keys }
      }
    }))
    const row = []
    const start = process.hrtime.bigint()
    for (const simulation of asked) {
      row.push(decided(checked ? await runSimulation(simulation, {}) : runUnsafeSimulation(simulation, {})))
    }
    seconds[resource.side] += Number(process.hrtime.bigint() - start) / 1e9
    answers.push(row)
  }
  const about = JSON.parse(readFileSync(join('node_modules', '@cloud-copilot', 'iam-simulate', 'package.json'), 'utf8'))
  process.stdout.write(JSON.stringify({ version: about.version, seconds, answers }))
}

main()
