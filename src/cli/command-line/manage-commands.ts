import type { Command } from './command.ts'
import type { OptionName } from './options.ts'

/** The options that limit a key or a project. */
const LIMITS: readonly OptionName[] = ['budget', 'models', 'endpoints', 'rpm', 'tpm', 'rpd', 'concurrency']

/** The commands that manage callers and their money. */
export const MANAGE_COMMANDS: readonly Command[] = [
  {
    name: 'keys',
    usage: [
      'keys create [--name NAME] [--project NAME] [--budget 50/month] [--models a,b*] [--rpm N] [--expires 90d]',
      'keys list [--project NAME] [--json | --csv] | show KEY | rotate KEY [--grace 48h] | revoke KEY',
    ],
    summary: "make callers' keys with their limits, list, rotate and revoke them",
    about: [
      'Works on the ledger that LEDGER or the file names; running servers notice within a second.',
      'A ledger in memory, or one elsewhere, is reached through its server: --url and ADMIN_KEY.',
    ],
    options: [...LIMITS, 'name', 'project', 'expires', 'grace', 'json', 'csv', 'url', 'config'],
    actions: ['create', 'list', 'show', 'rotate', 'revoke'],
    examples: [
      "nexcode keys create --project team-a --models 'gpt-4o*' --budget 50/month --rpm 60 --expires 90d",
      'nexcode keys rotate alice --grace 48h',
    ],
    argsMax: 2,
    run: async (flags) => (await import('../keys.ts')).keys(flags),
  },
  {
    name: 'projects',
    usage: [
      'projects create NAME [--budget 500/month] [--time-zone ZONE]',
      'projects list [--json | --csv] | update NAME | archive NAME',
    ],
    summary: 'make projects, whose keys share limits and books, list, change and archive them',
    about: ['Works on the ledger that LEDGER or the file names, or with --url through a running server.'],
    options: [...LIMITS, 'name', 'time-zone', 'json', 'csv', 'url', 'config'],
    actions: ['create', 'list', 'update', 'archive'],
    examples: ['nexcode projects create team-a --budget 500/month --time-zone Europe/Berlin'],
    argsMax: 2,
    run: async (flags) => (await import('../projects.ts')).projects(flags),
  },
  {
    name: 'usage',
    usage: ['usage [--by key|project|model|day] [--since 7d] [--json | --csv]'],
    summary: 'say what was used and what it cost',
    about: ['Works on the ledger that LEDGER or the file names, or with --url through a running server.'],
    options: ['by', 'since', 'json', 'csv', 'url', 'config'],
    examples: ['nexcode usage --by model --since 30d', 'nexcode usage --csv > usage.csv'],
    argsMax: 0,
    run: async (flags) => (await import('../usage.ts')).usage(flags),
  },
  {
    name: 'ledger',
    usage: ['ledger export > FILE', 'ledger import FILE'],
    summary: 'write all of the ledger as lines of JSON, or take them into another one; - reads standard input',
    about: [
      'Records, the audit log, and the rows of calls that are kept. Of keys there are only digests. Taken twice, it counts once.',
    ],
    options: ['config'],
    actions: ['export', 'import'],
    examples: [
      'LEDGER=sqlite:ledger.db nexcode ledger export > ledger.jsonl',
      'LEDGER=postgres://db/nexcode nexcode ledger import ledger.jsonl',
    ],
    argsMax: 2,
    run: async (flags) => (await import('../ledger.ts')).ledger(flags),
  },
]
