import { isAlias, isMap, isScalar, isSeq, type Node, type ParsedNode } from 'yaml'
import type { Json } from '../../formats/json/json.ts'
import type { Fault } from '../scalar-kinds.ts'
import type { Path } from './path.ts'
import type { Substitute } from './substitute.ts'
import { syntaxFault } from './syntax-fault.ts'

/** The plain data of a YAML document, and its places in the text, as offsets. */
export interface YamlData {
  readonly value: Json
  /** The places, by `keyOfPath`. */
  readonly places: ReadonlyMap<string, NodeOffsets>
  /** The paths of texts that held a variable, by `keyOfPath`, with its name. */
  readonly variables: ReadonlyMap<string, string | undefined>
  readonly faults: readonly YamlFault[]
}

/** The beginnings of a key and of the value behind it. */
export interface NodeOffsets {
  readonly key: number
  readonly value: number
}

/** A fault of a part of a document. */
export interface YamlFault {
  readonly path: Path
  readonly offset: number
  readonly fault: Fault
  /** Whether the part has no value because of it. */
  readonly isWithoutValue: boolean
}

/** The most nodes: more than any file has, and fewer than a few lines of nested aliases make. */
const NODES_MAX = 50_000
const DEPTH_MAX = 64

const TOO_LARGE: Fault = { wrong: 'is far too large', cure: 'Take out aliases of aliases.' }
const TWICE: Fault = { wrong: 'is there a second time', cure: 'Take one of the two out.' }
const NO_ANCHOR: Fault = {
  wrong: 'is an alias of nothing above it',
  cure: 'Write the anchor (&name) before its alias (*name).',
}

/** A path as the key of a map. */
export function keyOfPath(path: Path): string {
  return JSON.stringify(path)
}

/**
 * Makes plain data of a YAML document's nodes, with the variables in its texts substituted.
 *
 * An alias becomes a copy of its anchor's node; the number of nodes is bounded, copies included.
 */
export function plainData(contents: ParsedNode | null, substitute: Substitute): YamlData {
  const places = new Map<string, NodeOffsets>()
  const variables = new Map<string, string | undefined>()
  const faults: YamlFault[] = []
  const anchors = new Map<string, Node>()
  let nodes = 0

  const refuse = (path: Path, fault: Fault): null => {
    faults.push({ path, offset: places.get(keyOfPath(path))?.value ?? 0, fault, isWithoutValue: true })
    return null
  }

  const plainText = (text: string, path: Path): Json => {
    const put = substitute(text)
    if (!put.ok) return refuse(path, put.fault)
    if (put.value.hasVariable) variables.set(keyOfPath(path), put.value.variable)
    return put.value.text
  }

  const plain = (node: Node | null, path: Path, isInAlias: boolean): Json => {
    nodes += 1
    if (nodes > NODES_MAX) return nodes === NODES_MAX + 1 ? refuse(path, TOO_LARGE) : null
    if (path.length > DEPTH_MAX) return refuse(path, syntaxFault('RESOURCE_EXHAUSTION'))
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      return target === undefined ? refuse(path, NO_ANCHOR) : plain(target, path, true)
    }
    const value = plainOf(node, path, isInAlias)
    // An anchor counts once its node is read, so that no node holds an alias of itself; a copy's anchors are known already.
    if (!isInAlias && node?.anchor !== undefined) anchors.set(node.anchor, node)
    return value
  }

  const plainOf = (node: Exclude<Node, { source: string }> | null, path: Path, isInAlias: boolean): Json => {
    if (isScalar(node)) return typeof node.value === 'string' ? plainText(node.value, path) : toJson(node.value)
    if (isSeq<ParsedNode>(node)) {
      return node.items.map((item, index) => {
        places.set(keyOfPath([...path, index]), { key: item.range[0], value: item.range[0] })
        return plain(item, [...path, index], isInAlias)
      })
    }
    if (!isMap<ParsedNode, ParsedNode | null>(node)) return null
    const names = new Set<string>()
    const entries = node.items.map(({ key, value }): [string, Json] => {
      const name = isScalar(key) ? String(key.value) : ''
      const below = [...path, name]
      const [offset] = key.range
      if (names.has(name)) faults.push({ path: below, offset, fault: TWICE, isWithoutValue: false })
      names.add(name)
      places.set(keyOfPath(below), { key: offset, value: isBlank(value) ? offset : value.range[0] })
      return [name, plain(value, below, isInAlias)]
    })
    return Object.fromEntries(entries)
  }

  return { value: plain(contents, [], false), places, variables, faults }
}

/** Whether nothing is written behind the key: such a node has no place of its own. */
function isBlank(node: ParsedNode | null): node is null {
  return node === null || (isScalar(node) && node.range[0] === node.range[1])
}

function toJson(value: unknown): Json {
  return typeof value === 'number' || typeof value === 'boolean' ? value : null
}
