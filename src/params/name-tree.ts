import { foldName } from '../formats/json/fold-name.ts'

/** Names of parameters, from the outermost object inwards: `['response_format', 'type']`. */
export type Names = readonly string[]

/** Paths of parameters, by their names. */
export interface NameTree {
  /** Whether a path ends here. */
  isEnd: boolean
  readonly children: Map<string, NameTree>
}

/** Whether a path is the model, which is never taken out: a request goes where its model leads. */
export function isModel(names: Names): boolean {
  return names.length === 1 && names[0] === 'model'
}

/** Takes a path of the configuration file apart. */
export function namesOf(path: string): Names {
  return path.split('.')
}

/** Gathers paths in a tree. */
export function treeOf(paths: Iterable<Names>): NameTree {
  const tree: NameTree = { isEnd: false, children: new Map() }
  for (const names of paths) {
    let node = tree
    for (const name of names) {
      const next = node.children.get(name) ?? { isEnd: false, children: new Map() }
      node.children.set(name, next)
      node = next
    }
    node.isEnd = true
  }
  return tree
}

/** The names of a tree as the most tolerant readers see them, and what other names have been taken for. */
interface FoldedNames {
  readonly byFolded: ReadonlyMap<string, string>
  readonly known: Map<string, string | undefined>
}

const FOLDED = new WeakMap<NameTree, FoldedNames>()
/** Callers choose names: so many are remembered, and short ones only. */
const REMEMBERED_MAX = 256
const REMEMBERED_CHARS_MAX = 64

/** The name in a tree that some server may take another one for (`foldName`); undefined: none, or it is that name itself. */
export function meantBy(name: string, tree: NameTree): string | undefined {
  if (tree.children.has(name)) return undefined
  let folded = FOLDED.get(tree)
  if (folded === undefined) {
    const byFolded = new Map([...tree.children.keys()].map((known) => [foldName(known), known]))
    folded = { byFolded, known: new Map() }
    FOLDED.set(tree, folded)
  }
  const { byFolded, known } = folded
  const before = known.get(name)
  if (before !== undefined || known.has(name)) return before
  const meant = byFolded.get(foldName(name))
  if (known.size >= REMEMBERED_MAX) known.clear()
  if (name.length <= REMEMBERED_CHARS_MAX) known.set(name, meant)
  return meant
}
