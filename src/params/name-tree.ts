import { memoize } from '../formats/bounded-memo.ts'
import { foldName } from '../formats/json/fold-name.ts'

/** Names of parameters, from the outermost object inwards: `['response_format', 'type']`. */
export type Names = readonly string[]

/** Paths of parameters, by their names. */
export interface NameTree {
  /** Whether a path ends here. */
  isEnd: boolean
  readonly children: Map<string, NameTree>
}

/** Whether a path is the model. The model is never removed: it decides where a request goes. */
export function isModel(names: Names): boolean {
  return names.length === 1 && names[0] === 'model'
}

/** Splits a path of the configuration file into its names. */
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

/** For each tree, the function that finds the name in it that the most tolerant readers take another one for. */
const MEANT = new WeakMap<NameTree, (name: string) => string | undefined>()
/** The memo is bounded because callers choose names. */
const REMEMBERED = { entriesMax: 256, keyCharsMax: 64 } as const

/** The name in a tree that some server may take a given name for (`foldName`); undefined: none, or that name itself. */
export function meantBy(name: string, tree: NameTree): string | undefined {
  if (tree.children.has(name)) return undefined
  let find = MEANT.get(tree)
  if (find === undefined) {
    const byFolded = new Map([...tree.children.keys()].map((known) => [foldName(known), known]))
    find = memoize((other) => byFolded.get(foldName(other)), REMEMBERED)
    MEANT.set(tree, find)
  }
  return find(name)
}
