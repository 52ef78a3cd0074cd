import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { type Names, namesOf } from './name-tree.ts'

/** One rename within the object at `parent`, a path after its own renames. */
export interface Move {
  /** The rule's number. */
  readonly rule: number
  readonly parent: Names
  readonly from: string
  readonly to: string
}

/** The renames within one object. */
interface RenamedName {
  to: string | undefined
  readonly children: Map<string, RenamedName>
}

/** The renames of some rules together. */
export interface Renames {
  /** In the order of the rules, but outer ones before inner ones. */
  readonly moves: readonly Move[]
  /** Gives a path as it is after all renames. */
  readonly resolve: (names: Names) => Names
  /** Gives all paths that become a path, itself among them: the ways in which callers may write it. */
  readonly sources: (names: Names) => readonly Names[]
}

/**
 * Joins the renames of all rules. If two rules rename one name, the first counts; of a chain (a → b, b → c) the last name counts.
 *
 * @example
 * const { resolve } = joinRenames([rule])
 * resolve(['max_tokens']) // ['max_completion_tokens']
 */
export function joinRenames(rules: readonly ParamRule[]): Renames {
  const root: RenamedName = { to: undefined, children: new Map() }
  const moves: Move[] = []
  const written = rules.flatMap(({ number, rename }) =>
    Object.entries(rename).map(([from, to]) => ({ rule: number, from: namesOf(from), to: namesOf(to) })),
  )
  for (const { rule, from, to } of written.toSorted((one, other) => one.from.length - other.from.length)) {
    const parent = resolveIn(root, from.slice(0, -1))
    const [name, newName] = [from.at(-1), to.at(-1)]
    const node = name === undefined ? undefined : nodeOf(root, [...parent, name])
    if (name === undefined || newName === undefined || node === undefined || node.to !== undefined) continue
    node.to = newName
    moves.push({ rule, parent, from: name, to: newName })
  }
  const resolve = moves.length === 0 ? (names: Names) => names : (names: Names) => resolveIn(root, names)
  return { moves, resolve, sources: (names) => sourcesIn(root, names) }
}

function nodeOf(root: RenamedName, names: Names): RenamedName {
  let node = root
  for (const name of names) {
    const next = node.children.get(name) ?? { to: undefined, children: new Map() }
    node.children.set(name, next)
    node = next
  }
  return node
}

function resolveIn(root: RenamedName, names: Names): Names {
  let node: RenamedName | undefined = root
  return names.map((name) => {
    const last = [...chainOf(node, name)].at(-1) ?? name
    node = node?.children.get(last)
    return last
  })
}

/** The names that a name gets one after the other, itself first. */
function chainOf(node: RenamedName | undefined, name: string): ReadonlySet<string> {
  const chain = new Set([name])
  let next = node?.children.get(name)?.to
  while (next !== undefined && !chain.has(next)) {
    chain.add(next)
    next = node?.children.get(next)?.to
  }
  return chain
}

function sourcesIn(root: RenamedName, names: Names): readonly Names[] {
  let node: RenamedName | undefined = root
  let paths: readonly Names[] = [[]]
  for (const name of names) {
    const within: RenamedName | undefined = node
    const others = [...(within?.children.keys() ?? [])].filter((other) => chainOf(within, other).has(name))
    const sent = new Set([name, ...others])
    paths = paths.flatMap((path) => [...sent].map((last) => [...path, last]))
    node = within?.children.get([...chainOf(within, name)].at(-1) ?? name)
  }
  return paths
}
