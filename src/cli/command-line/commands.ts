import type { Flags } from '../flags.ts'
import type { OptionName } from './options.ts'

/** A command of the program. Exit codes: 0 for success, 1 for a failure, 2 for an invalid command line or configuration. */
export interface Command {
  readonly name: string
  /** Its forms on the command line, behind `nexcode`. */
  readonly usage: readonly string[]
  /** Its effect, in one line. */
  readonly summary: string
  /** More to know before using it. */
  readonly about: readonly string[]
  readonly options: readonly OptionName[]
  /** Complete command lines as examples. */
  readonly examples: readonly string[]
  /** The words of which one has to follow its name, for a command with several actions. */
  readonly actions?: readonly string[]
  /** The most words that may follow its name. */
  readonly argsMax: number
  /** Whether it may send many requests at once. */
  readonly sendsMany?: true
  /** Whether it goes on as a server, which SIGHUP must not end. */
  readonly serves?: true
  /** Loads and runs the command: each is loaded on demand. Gives the exit code; undefined: it goes on as a server. */
  readonly run: (flags: Flags) => Promise<number | undefined>
}

/** The options that limit a key or a project. */
const LIMITS: readonly OptionName[] = ['budget', 'models', 'endpoints', 'rpm', 'tpm', 'rpd', 'concurrency']

const ALL: readonly Command[] = [
  {
    name: 'serve',
    usage: ['[serve] [--config FILE]'],
    summary: 'start the server; FILE says what goes where (nexcode.yaml)',
    about: [
      'Variables: PORT and HOST to listen on, OPENAI_API_BASE for the upstream, OPENAI_API_KEY for its key,',
      'REQUIRE_AUTH=true with API_TOKEN to guard it. All of them: nexcode --help',
    ],
    options: ['config'],
    examples: ['PORT=9000 nexcode', 'nexcode serve --config nexcode.yaml'],
    argsMax: 0,
    sendsMany: true,
    serves: true,
    run: async (flags) => (await import('../serve.ts')).serve(flags),
  },
  {
    name: 'demo',
    usage: ['demo [--once]'],
    summary: 'try it: a simulated OpenAI behind it, one streamed chat through it; no key, no network',
    about: ['Goes on as a server until Ctrl-C, so that any OpenAI client can be pointed at it.'],
    options: ['once'],
    examples: ['PORT=8000 nexcode demo'],
    argsMax: 0,
    sendsMany: true,
    serves: true,
    run: async (flags) => (await import('../demo.ts')).demo(flags),
  },
  {
    name: 'check',
    usage: ['check [--config FILE]'],
    summary: 'validate the configuration, and ask each upstream whether it answers',
    about: ['Asks for the list of models, by each key; nothing is generated. Exit code 1: something does not work.'],
    options: ['config'],
    examples: ['nexcode check --config nexcode.yaml'],
    argsMax: 0,
    run: async (flags) => (await import('../check.ts')).check(flags),
  },
  {
    name: 'explain',
    usage: ['explain REQUEST.json [--config FILE] [--path /v1/...] [--json]'],
    summary: 'say, without sending, what would go where and why, rule by rule; - reads standard input',
    about: ['REQUEST.json is the body of a request, or { path, method, headers, principal, body }.'],
    options: ['config', 'path', 'json'],
    examples: ['nexcode explain request.json --path /v1/embeddings'],
    argsMax: 1,
    run: async (flags) => (await import('../explain.ts')).explain(flags),
  },
  {
    name: 'record',
    usage: ['record --to FOLDER [--config FILE]'],
    summary: 'start the server, and keep each exchange as a file',
    about: ['Keys and tokens are left out of the files. nexcode replay answers from them.'],
    options: ['to', 'config'],
    examples: ['OPENAI_API_KEY=sk-... HOST=127.0.0.1 nexcode record --to cassettes'],
    argsMax: 0,
    sendsMany: true,
    serves: true,
    run: async (flags) => (await import('../record.ts')).record(flags),
  },
  {
    name: 'replay',
    usage: [
      'replay --from FOLDER [--pace instant|original] [--on-miss fail|forward|record] [--ignore a,b.c] [--blank REGEX]',
    ],
    summary: 'answer from these files; no key, no network',
    about: ['A request that was not recorded is a 404 that shows the nearest one and what differs.'],
    options: ['from', 'pace', 'on-miss', 'ignore', 'blank', 'config'],
    examples: ['nexcode replay --from cassettes'],
    argsMax: 0,
    sendsMany: true,
    serves: true,
    run: async (flags) => (await import('../replay.ts')).replay(flags),
  },
  {
    name: 'simulate',
    usage: ['simulate [--port N]'],
    summary: 'start the simulated OpenAI alone: an upstream to test against; no key, no network',
    about: ['Listens on 127.0.0.1, or on HOST. Faults can be asked for, such as model "simulate-429".'],
    options: ['port'],
    examples: ['nexcode simulate --port 8001', 'OPENAI_API_BASE=http://127.0.0.1:8001/v1 nexcode'],
    argsMax: 0,
    serves: true,
    run: async (flags) => (await import('../simulate.ts')).simulate(flags),
  },
  {
    name: 'init',
    usage: ['init extension MY.ts'],
    summary: 'begin an extension: your own logic in one TypeScript file, and a nexcode.d.ts for your editor',
    about: ['A file that is there is never written over.'],
    options: [],
    actions: ['extension'],
    examples: ['nexcode init extension my.ts', 'EXTENSIONS=./my.ts nexcode'],
    argsMax: 2,
    run: async ({ args }) => (await import('../init.ts')).init(args),
  },
  {
    name: 'cache',
    usage: ['cache stats [--json]', 'cache purge [--scope NAME | --key KEY]'],
    summary: "say what a cache in SQLite or Redis holds, or empty it: all, one caller's answers, or one answer",
    about: ['The cache is the one that CACHE or the file names.'],
    options: ['json', 'scope', 'key', 'config'],
    actions: ['stats', 'purge'],
    examples: ['CACHE=sqlite:cache.db nexcode cache stats'],
    argsMax: 1,
    run: async (flags) => (await import('../cache.ts')).cache(flags),
  },
  {
    name: 'keys',
    usage: [
      'keys create [--name NAME] [--project NAME] [--budget 50/month] [--models a,b*] [--rpm N] [--expires 90d]',
      'keys list [--project NAME] | show KEY | rotate KEY [--grace 48h] | revoke KEY',
    ],
    summary: "make callers' keys with their limits, list, rotate and revoke them",
    about: [
      'Works on the ledger that LEDGER or the file names; running servers notice within a second.',
      'A ledger in memory, or one elsewhere, is reached through its server: --url and ADMIN_KEY.',
    ],
    options: [...LIMITS, 'name', 'project', 'expires', 'grace', 'json', 'url', 'config'],
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
      'projects list | update NAME | archive NAME',
    ],
    summary: 'make projects, whose keys share limits and books, list, change and archive them',
    about: ['Works on the ledger that LEDGER or the file names, or with --url through a running server.'],
    options: [...LIMITS, 'name', 'time-zone', 'json', 'url', 'config'],
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
    name: 'schema',
    usage: ['schema'],
    summary: 'print the JSON Schema of the configuration file',
    about: ['Editors complete and check nexcode.yaml by it.'],
    options: [],
    examples: ['nexcode schema > nexcode.schema.json'],
    argsMax: 0,
    run: async () => (await import('../schema.ts')).schema(),
  },
  {
    name: 'import',
    usage: ['import litellm CONFIG.yaml'],
    summary: "translate a LiteLLM proxy's file, and list what could not be",
    about: ['The nexcode.yaml goes to standard output, the list to standard error; - reads standard input.'],
    options: [],
    actions: ['litellm'],
    examples: ['nexcode import litellm config.yaml > nexcode.yaml'],
    argsMax: 2,
    run: async ({ args }) => (await import('../import.ts')).importConfiguration(args),
  },
  {
    name: 'healthcheck',
    usage: ['healthcheck'],
    summary: 'exit 0 if the server on this machine is healthy (for containers)',
    about: ['Asks the server that the environment describes: PORT, HOST, TLS_CERT_FILE.'],
    options: [],
    examples: ['PORT=9000 nexcode healthcheck'],
    argsMax: 0,
    run: async () => (await import('../healthcheck.ts')).healthcheck(),
  },
]

/** The commands by name, in the order of the help. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.map((command) => [command.name, command]))
