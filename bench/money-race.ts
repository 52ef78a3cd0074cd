/**
 * Races for money over real sockets: 64 callers, each with up to 10,000 calls of random costs, cancels and faults, against the binary, which is
 * killed again and again (`kill -9`); by itself, and as two nodes that count in Redis and keep their books in Postgres, of which Redis is
 * killed, too. `NEXCODE_BINARY=dist/nexcode bun bench/money-race.ts [SECONDS] [RACE]`: each race ends after so many seconds (60) at the latest.
 *
 * Beyond `allow` while Redis is away, nothing may be overspent; nothing may stay held; and what is enforced has to be what is booked.
 */
import { runSocketRace, type SocketRace, type SocketRaced } from '../tests/hardening/money/socket-race.ts'

const [seconds = '60', only] = process.argv.slice(2)
const COMMON = {
  ...{ callers: 64, calls: 10_000, secondsMax: Number(seconds), seed: 20_261_201, callsOfKey: 200 },
  ...{ onDown: 'refuse' as const, killEveryMs: 4000, redisKillEveryMs: 0 },
}
const RACES: readonly SocketRace[] = [
  { ...COMMON, id: 'one node, SQLite', nodes: 1, isShared: false },
  { ...COMMON, id: 'two nodes, Redis and Postgres', nodes: 2, isShared: true },
  { ...COMMON, id: 'two nodes, Redis killed too', nodes: 2, isShared: true, redisKillEveryMs: 12_000 },
  {
    ...{ ...COMMON, id: 'two nodes, Redis killed, on_ledger_down: allow', nodes: 2, isShared: true },
    ...{ redisKillEveryMs: 12_000, killEveryMs: 0, onDown: 'allow' },
  },
]

const dollars = (nano: bigint): string => `$${(Number(nano) / 1e9).toFixed(4)}`

/** One row of the table. */
function rowOf({ id }: SocketRace, raced: SocketRaced): string {
  const { counts, kills, redisKills, keys, booked, billed, overspent, leaked, differs } = raced
  const { answered, spent, held, left, failed, broken } = counts
  const calls = answered + spent + held + left + failed
  const cells = [id, calls, answered, left + broken, `${kills} / ${redisKills}`, keys, dollars(booked), dollars(billed)]
  return `| ${[...cells, dollars(overspent), dollars(leaked), dollars(differs)].join(' | ')} |`
}

const rows: string[] = []
for (const race of RACES) {
  if (only !== undefined && !race.id.includes(only)) continue
  const raced = await runSocketRace(race, (line) => process.stderr.write(`${line}\n`))
  for (const wrong of raced.wrong) process.stderr.write(`${wrong}\n`)
  rows.push(rowOf(race, raced))
}
const HEAD = [
  ...[
    'race',
    'calls',
    'answered',
    'left or cut',
    'kill -9: nodes / Redis',
    'budgets of keys',
    'booked',
    'billed upstream',
  ],
  ...['overspent', 'held at the end', 'enforced ≠ booked'],
]
process.stdout.write(`| ${HEAD.join(' | ')} |\n|${HEAD.map(() => '---').join('|')}|\n${rows.join('\n')}\n`)
process.exit(0)
