import { expect, test } from 'bun:test'
import { opened } from '../../../helpers/secrets.ts'
import { linesOf, loadGood, variable } from '../load-file.ts'

const DIGEST = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'
const NO_USE = { spend: {}, rates: [] }

test('a project has its limits, and keys by a variable or a digest', () => {
  const text = `ledger: { store: memory }
admin_keys: { ops: { sha256: ${DIGEST.toUpperCase()} } }
projects:
  team-a:
    time_zone: europe/berlin
    environment: production
    spend_limit: { day: 5, month: 49.99 }
    rate_limits: { "gpt-4o*": { max_requests_per_1_minute: 60, max_tokens_per_1_minute: 1000 } }
    keys:
      alice:
        key: ${variable('ALICE')}
        expires: 2027-06-30T18:00:00+02:00
        model_permissions: { mode: allow_list, model_ids: ["gpt-4o*"] }
        endpoints: [chat/completions]
        concurrency: 2
        metadata: { team: search }
  empty: {}`
  expect(opened(loadGood(text, { ALICE: 'sk-of-alice-0123456789' }).records)).toEqual({
    projects: [
      {
        name: 'team-a',
        timeZone: 'Europe/Berlin',
        environment: 'production',
        limits: {
          spend: { day: 5_000_000_000, month: 49_990_000_000 },
          rates: [{ model: 'gpt-4o*', requestsPerMinute: 60, tokensPerMinute: 1000 }],
        },
        keys: [
          {
            name: 'alice',
            secret: 'sk-of-alice-0123456789',
            digest: undefined,
            expiresAt: Date.parse('2027-06-30T16:00:00Z') / 1000,
            limits: {
              ...NO_USE,
              models: { mode: 'allow_list', models: ['gpt-4o*'] },
              endpoints: ['chat/completions'],
              concurrency: 2,
            },
            metadata: { team: 'search' },
          },
        ],
      },
      { name: 'empty', timeZone: 'UTC', environment: undefined, limits: NO_USE, keys: [] },
    ],
    adminKeys: [{ name: 'ops', secret: undefined, digest: DIGEST, expiresAt: undefined }],
  })
})

test('projects without a ledger are a problem that says how to get one', () => {
  expect(linesOf('projects: { a: {} }\n')).toEqual([
    expect.stringMatching(/^1:1 projects needs a ledger, and there is none \| Set LEDGER=sqlite:PATH/),
  ])
})

test('a project whose keys would have the ids of tokens or of admin keys has to have another name', () => {
  const lines = linesOf('ledger: { store: memory }\nprojects:\n  token: {}\n  admin: {}\n')
  expect(lines.map((line) => line.split(' | ')[0])).toEqual([
    '3:3 projects.token has the name of all tokens',
    '4:3 projects.admin has the name of all admin keys',
  ])
})

test('each bad part is told with its line, and no key is shown', () => {
  const lines = linesOf(`ledger: { store: memory }
projects:
  "a b": {}
  token: {}
  a:
    time_zone: Europe/Berln
    spend_limit: { day: -1, year: 3 }
    keys:
      none: {}
      both: { key: sk-canary-0123456789, sha256: ${DIGEST} }
      short: { key: sk-canary }
      hex: { sha256: abc }
      late: { key: sk-canary-9876543210, expires: tomorrow }
      twice: { key: sk-canary-9876543210 }
`)
  expect(lines.map((line) => line.split(' | ')[0])).toEqual([
    '3:3 projects["a b"] has a name that cannot be used',
    '4:3 projects.token has the name of all tokens',
    '6:16 projects.a.time_zone is no time zone',
    '7:25 projects.a.spend_limit.day -1 is out of range',
    '7:29 projects.a.spend_limit.year is not known here',
    '9:7 projects.a.keys.none has neither a key nor its sha256',
    '10:42 projects.a.keys.both.sha256 is set, and key too',
    '11:21 projects.a.keys.short.key has fewer than 16 characters',
    '12:22 projects.a.keys.hex.sha256 is no SHA-256 in hex',
    '13:51 projects.a.keys.late.expires is no time',
    '14:21 projects.a.keys.twice.key is that of late, too',
  ])
  expect(lines.join('\n')).not.toContain('canary')
  expect(lines[2]).toContain('Did you mean Europe/Berlin?')
})

test('a limit that is given twice is a problem', () => {
  const text = 'ledger: { store: memory }\nprojects:\n  a:\n    concurrency: 1\n    concurrency: 2\n'
  expect(linesOf(text)).toEqual([expect.stringMatching(/^5:5 /)])
})
