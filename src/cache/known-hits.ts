import { LRUCache } from 'lru-cache'
import type { HeadKind } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Findings } from '../exchange/findings.ts'
import type { Principal } from '../exchange/principal.ts'
import { createAttachment } from '../formats/attachment.ts'
import { digestInSteps, digestOf, LONG_BODY_BYTES, type Sha256 } from '../formats/bytes/digest.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { inSlices } from '../timing/slices.ts'
import type { RequestControl } from './request-control.ts'

/** The findings about a request that its head and its body decide, and that the log shows. */
type DecidedFindings = Pick<Findings, 'model' | 'stream' | 'rules' | 'params'>

/** The decisions about a request that was answered from the store: they follow from its bytes, its caller and the settings in force. */
export interface KnownHit extends DecidedFindings {
  /** The key under which its answer is stored. */
  readonly key: string
  readonly control: RequestControl
  readonly callerKind: Principal['kind']
  readonly callerName: string
}

/** The memory that the known hits of a cache take, at the most, and about what one takes beside the name of its model. */
const BYTES_MAX = 2 * 1024 * 1024
const HIT_BYTES = 700
const NOTHING = new Uint8Array()

/** The digest of a kind of head: made once for many requests. */
const headDigests = createAttachment<HeadKind, string>('digest')
/** The digest of an exchange's head and body. */
const digests = createAttachment<Exchange, string>('digest of head and body')

/**
 * The requests of one generation of settings that were answered from the store, by a SHA-256 of their bytes. One that is repeated byte for
 * byte, but for the length in its head, is not read, judged, routed and given its key again. Only decisions are kept, and no answer: the
 * store is asked each time.
 *
 * @example
 * const hits = new KnownHits(sha256)
 * const finding = hits.find(exchange)
 * const hit = finding instanceof Promise ? await finding : finding
 */
export class KnownHits {
  readonly #sha256: Sha256
  /** Made with the first hit: where callers never repeat themselves, nothing is digested. */
  #hits: LRUCache<string, KnownHit> | undefined

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Finds what is known of an equal request of the same caller, at once or for a long body in slices. The body is not taken. */
  find(exchange: Exchange): KnownHit | undefined | Promise<KnownHit | undefined> {
    if (this.#hits === undefined) return undefined
    const { headKind, body } = exchange
    const bytes = body === undefined ? NOTHING : body.peek?.()
    if (headKind === undefined || bytes === undefined) return undefined
    const texts = [this.#digestOfHead(headKind)]
    if (bytes.byteLength <= LONG_BODY_BYTES) return this.#findBy(digestOf(texts, bytes, this.#sha256), exchange)
    const digesting = inSlices(digestInSteps(texts, bytes, this.#sha256))
    return digesting instanceof Promise
      ? digesting.then((digest) => this.#findBy(digest, exchange))
      : this.#findBy(digesting, exchange)
  }

  /** Learns from a request that was not found, and whose answer was in the store, unless its next answer may depend on more than that. */
  learn({ exchange, snapshot, clocks, isRenamed }: PreparedRequest, key: string, control: RequestControl): void {
    this.#hits ??= new LRUCache({ maxSize: BYTES_MAX })
    const digest = digests.get(exchange)
    // An object that the request names may be held elsewhere the next time; clocks and other names belong to one route.
    if (digest === undefined || snapshot.remembersIds || clocks !== undefined || isRenamed) return
    const { model, stream, rules, params, principal, principalName } = exchange
    const hit = { key, control, callerKind: principal.kind, callerName: principalName, model, stream, rules, params }
    this.#hits.set(digest, hit, { size: HIT_BYTES + 2 * ((model?.length ?? 0) + params.length) })
  }

  #findBy(digest: string, exchange: Exchange): KnownHit | undefined {
    digests.set(exchange, digest)
    const hit = this.#hits?.get(digest)
    // The same credential may be another caller's by now: tokens change without a reload of the settings.
    const isSame = hit?.callerKind === exchange.principal.kind && hit.callerName === exchange.principalName
    return isSame ? hit : undefined
  }

  #digestOfHead(kind: HeadKind): string {
    const known = headDigests.get(kind)
    if (known !== undefined) return known
    const digest = digestOf([kind.text], '', this.#sha256)
    headDigests.set(kind, digest)
    return digest
  }
}
