/**
 * What an extension of NexCode may import and is given. Written by `nexcode init extension`; it can be written anew at any
 * time. An editor finds it by the first line of the extension: /// <reference path="./nexcode.d.ts" />
 */
declare module 'nexcode' {
  /** A value of JSON (RFC 8259). */
  export type Json = string | number | boolean | null | readonly Json[] | JsonObject

  /** An object of JSON. */
  export interface JsonObject {
    readonly [name: string]: Json
  }

  /** The schema of a value; made by `Type`. `static` is the value's type and exists for the compiler only. */
  export interface Schema<T = unknown> {
    readonly static: T
  }

  /** The schema of a member that may be absent. */
  export interface OptionalSchema<T = unknown> extends Schema<T> {
    /** For the compiler only. */
    readonly isOptional: true
  }

  /** The words that every schema may have beside its type. */
  export interface SchemaOptions {
    readonly description?: string
    /** Put in where the value is absent. */
    readonly default?: unknown
    readonly [keyword: string]: unknown
  }

  /** The members of an object's schema. */
  export interface Members {
    readonly [name: string]: Schema
  }

  /** The names of the members that may be absent. */
  export type OptionalNames<M extends Members> = {
    [Name in keyof M]: M[Name] extends OptionalSchema ? Name : never
  }[keyof M]

  /** The type of an object with such members. */
  export type ObjectOf<M extends Members> = {
    readonly [Name in Exclude<keyof M, OptionalNames<M>>]: M[Name]['static']
  } & {
    readonly [Name in OptionalNames<M>]?: M[Name]['static']
  }

  /**
   * Makes schemas for an extension's options. It is TypeBox's `Type`, of which the usual kinds are described here.
   *
   * @example
   * const options = Type.Object({ phrase: Type.String({ minLength: 1 }), times: Type.Optional(Type.Integer({ minimum: 1 })) })
   */
  export interface TypeBuilder {
    /** Keywords such as `minLength`, `maxLength`, `pattern`. */
    String(options?: SchemaOptions): Schema<string>
    /** Keywords such as `minimum`, `maximum`. */
    Number(options?: SchemaOptions): Schema<number>
    Integer(options?: SchemaOptions): Schema<number>
    Boolean(options?: SchemaOptions): Schema<boolean>
    Literal<const V extends string | number | boolean>(value: V, options?: SchemaOptions): Schema<V>
    /** Keywords such as `minItems`, `maxItems`. */
    Array<S extends Schema>(items: S, options?: SchemaOptions): Schema<readonly S['static'][]>
    Object<M extends Members>(members: M, options?: SchemaOptions): Schema<ObjectOf<M>>
    Record<S extends Schema>(
      names: Schema<string>,
      values: S,
      options?: SchemaOptions,
    ): Schema<{ readonly [name: string]: S['static'] }>
    Union<const S extends readonly Schema[]>(members: [...S], options?: SchemaOptions): Schema<S[number]['static']>
    Optional<S extends Schema>(schema: S): OptionalSchema<S['static']>
    Unknown(options?: SchemaOptions): Schema<unknown>
  }

  /**
   * An extension: the default export of its file.
   *
   * It stands between the caller and what NexCode does with a request. Extensions form an onion, in the order of the
   * configuration: each sees the request that the one before it has passed on, and the answer of the one behind it.
   *
   * @example
   * import type { Extension } from 'nexcode'
   *
   * export default {
   *   name: 'hello',
   *   async fetch(request, next, context) {
   *     context.log.info('a request goes by')
   *     const response = await next(request)
   *     response.headers.set('x-hello', context.requestId)
   *     return response
   *   },
   * } satisfies Extension
   */
  export interface Extension<S extends Schema = Schema> {
    /** For the log and the store; two extensions can't share one. */
    readonly name: string
    /** The schema of `context.options`; it is checked when the extension is loaded. */
    readonly options?: S
    /**
     * Answers a request: by `next(request)`, which goes on with it, by an answer of its own, or by throwing
     * `context.error(…)`.
     *
     * The request and every answer are plain: without compression and without a length, which NexCode sets anew. The caller's
     * key or token is not among the headers; it goes on by itself. The very request passed to `next` goes on byte for byte;
     * its headers may be changed in place. For another body, pass `new Request(request, { body })`. A request whose body you
     * have read may still be passed on.
     *
     * Of an answer that is returned untouched, the very bytes go to the caller. For another body, return
     * `new Response(body, response)`.
     */
    fetch(request: Request, next: Next, context: Context<S['static']>): Response | Promise<Response>
  }

  /**
   * Goes on with a request: to the next extension, and behind the last one to the rules, the cache and the upstream.
   *
   * Rejects with the error that the caller is to get, such as a refused parameter or an upstream that can't be reached; an
   * error that the upstream itself answered with is an answer like any other. May be called again, for a retry; give up the
   * answer that you don't want with `await response.body?.cancel()`.
   *
   * @example
   * let response = await next(request)
   * if (response.status === 503) response = await next(request)
   */
  export type Next = (request: Request) => Promise<Response>

  /** What an extension is told of a request, and what it can do beside it. All of it may be taken apart: `{ log, error }`. */
  export interface Context<Options = unknown> {
    /** The id that the caller sees as `x-request-id`, and the log has. */
    readonly requestId: string
    /** The path below `/v1/`: `chat/completions`. */
    readonly endpoint: string
    readonly principal: ExtensionPrincipal
    /** The options of the configuration, checked; the defaults of the schema are put in. */
    readonly options: Options
    readonly log: ExtensionLog
    readonly store: ExtensionStore
    /** Aborted when the caller leaves or the time for its request is up. */
    readonly signal: AbortSignal
    /**
     * The request's body, parsed once for all who ask before it is sent; frozen, so that what is decided on is what is sent. undefined: there
     * is none, or it is no JSON. The body of `request` stays unread. `T` is what you expect it to be: nothing checks that.
     *
     * Rejects where a body that says it is JSON is none: the caller gets a 400.
     *
     * @example
     * const body = await context.body<{ model?: string }>()
     */
    body<T = Json>(): Promise<T | undefined>
    /**
     * Makes an error to be thrown: the caller gets it in OpenAI's shape. `status` is from 400 to 599.
     *
     * @example
     * throw context.error(403, { message: 'Not in this tone, please.', code: 'tone', param: 'messages' })
     */
    error(status: number, details: ErrorDetails): Error
    /**
     * Posts JSON to another endpoint, with the caller's key or token and by the rules that it is subject to; extensions are
     * left out.
     *
     * @example
     * const verdict = await context.call('moderations', { input: 'some text' })
     */
    call(path: string, body: Json): Promise<Response>
    /**
     * The server-sent events of an answer, one by one as they come. Leaving the loop ends the answer.
     *
     * What has no data is no event, such as a comment: it goes past you into the `stream` that you make of these events, in its
     * place. An event that you pass on to `stream` goes out byte for byte.
     *
     * @example
     * for await (const event of context.events(response)) context.log.debug({ data: event.data }, 'an event')
     */
    events(response: Response): AsyncIterable<ServerSentEvent>
    /**
     * Makes an answer of events, never ahead of its reader. `init` is its status and headers, such as the answer that the
     * events are from. A generator that throws breaks the answer off with an error that the SDKs raise.
     *
     * @example
     * return context.stream(withoutSecrets(context.events(response)), response)
     */
    stream(events: EventsToSend, init?: ResponseInit | Response): Response
    /**
     * Lets something go on behind the answer; the server waits for it before it ends. What it fails with is logged.
     *
     * @example
     * context.waitUntil(appendFile('usage.csv', line))
     */
    waitUntil(work: Promise<unknown>): void
  }

  /** Who is calling; never its key or token. */
  export interface ExtensionPrincipal {
    /** Holds a token of this server's, or a key of its ledger; brings a key of its own, or is a program of this machine's. */
    readonly kind: 'token' | 'key' | 'caller' | 'local'
    /** A token's name, a key's id, or `caller-` and a short digest of a key; undefined for a program of this machine's. */
    readonly id: string | undefined
    /** The id of the key's project, and of the token's where there is a ledger; undefined: it has none. */
    readonly project?: string | undefined
  }

  /** The part of an error that the caller gets. */
  export interface ErrorDetails {
    readonly message: string
    /**
     * By which agents decide whether they try again. Where it is not said: `rate_limit_error` for 429, `server_error` where another
     * try may help, else `invalid_request_error`. For a budget that is spent, say `insufficient_quota`.
     */
    readonly type?: string
    readonly code?: string | null
    /** The request parameter at fault. */
    readonly param?: string | null
  }

  /** The server's log; each line carries the extension's name and the request's id. */
  export interface ExtensionLog {
    readonly debug: LogLine
    readonly info: LogLine
    readonly warn: LogLine
    readonly error: LogLine
  }

  /** Writes a line: a message, or fields and a message. */
  export interface LogLine {
    (message: string): void
    (fields: { readonly [name: string]: unknown }, message?: string): void
  }

  /** Keeps values of JSON, each for a time; an extension sees its own only. It is the cache's store, or memory. */
  export interface ExtensionStore {
    /** undefined: not there, or its time is up. */
    get<T = Json>(key: string): Promise<T | undefined>
    set(key: string, value: Json, options: { readonly ttlMs: number }): Promise<void>
    delete(key: string): Promise<void>
  }

  /** An event of a stream. */
  export interface ServerSentEvent {
    readonly event?: string
    readonly id?: string
    /** Its lines joined by line feeds; empty where there are none. */
    readonly data: string
    /** The data parsed; undefined: it is no JSON, such as `[DONE]`. */
    readonly json: Json | undefined
    /** Its bytes, the blank line at the end included. */
    readonly raw: Uint8Array
  }

  /** An event of your own: `json` is written as its data, else `data`. */
  export interface NewEvent {
    readonly event?: string
    readonly id?: string
    readonly data?: string
    readonly json?: Json | undefined
  }

  /** Events that came, which go out as they are, and new ones. */
  export type EventsToSend = AsyncIterable<ServerSentEvent | NewEvent> | Iterable<ServerSentEvent | NewEvent>

  /** Makes the schema of an extension's options. */
  export const Type: TypeBuilder
}
