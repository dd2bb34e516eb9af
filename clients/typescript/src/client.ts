/** A method for every path of Encore's HTTP API. What parameters and fields mean: docs/api.md and docs/counters.md. */
import { follow } from "./changes.js";
import type { ChangeEvent } from "./changes.js";
import type {
  Ages, Audience, Comparison, Curve, Dayparts, Days, Franchise, Franchises, Hours, Legs, operations, paths,
  RankedFranchises, RankedTitles, Status, Title, Titles, Weeks,
} from "./openapi.js";
import { ApiError, errorOf } from "./problem.js";

type Path = keyof paths;
type Get<P extends Path> = paths[P]["get"];
type Given<T> = [T] extends [never] ? Record<string, never> : T;
type InPath<P extends Path> = Given<NonNullable<Get<P>["parameters"]["path"]>>;
type InQuery<P extends Path> = Given<NonNullable<Get<P>["parameters"]["query"]>>;
type Answer<P extends Path> = Get<P>["responses"][200]["content"] extends { "application/json": infer A } ? A : never;

/** The parameters of an operation, such as `days`, beside those in its path. */
export type Query<O extends keyof operations> = NonNullable<operations[O]["parameters"]["query"]>;
export type Metric = operations["board"]["parameters"]["path"]["metric"];

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
/** A method for each operation in the OpenAPI document: where one is missing, this does not compile. */
type Operations = { [O in keyof operations as Camel<O>]: (...given: never[]) => unknown };

export interface Settings {
  /** Required where the API has a file of read keys. */
  readonly readKey?: string | undefined;
  /** In place of the global `fetch`: for a proxy, a certificate, a log. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Options<A = never> {
  /** Ends the call, which then throws the signal's reason: `AbortSignal.timeout(5_000)`. */
  readonly signal?: AbortSignal | undefined;
  /** An earlier answer to the same question. While it has not changed, you get this very object: nothing is sent. */
  readonly known?: A | undefined;
}

/**
 * A client; it holds no connection, and nothing needs to be closed. Methods throw `ApiError` for what the API refuses,
 * and what `fetch` throws (a `TypeError`) if the API is not reached. They ask once.
 */
export class Encore implements Operations {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: typeof fetch;
  readonly #etags = new WeakMap<object, string>();

  /** `address`: what `encore dashboard` says, `http://127.0.0.1:8421`; empty in a page of the same origin. */
  constructor(address: string, settings: Settings = {}) {
    this.#base = `${address.replace(/\/+$/, "")}/api/v1`;
    this.#headers = settings.readKey === undefined ? {} : { Authorization: `Bearer ${settings.readKey}` };
    this.#fetch = settings.fetch ?? ((...given) => fetch(...given));
  }

  /** A page of titles in the order of their ids; or those with certain words in name or id; or certain titles. */
  titles(query: Query<"titles"> = {}, options?: Options<Titles>): Promise<Titles> {
    return this.#get("/titles", {}, query, options);
  }

  /** All titles, or all with certain words, page by page of `limit` (100). */
  async *allTitles(query: Omit<Query<"titles">, "id"> = {}, options?: Options): AsyncGenerator<Title, void, void> {
    let after = query.after ?? null;
    do {
      const page = await this.titles({ ...query, after: after ?? "" }, options);
      yield* page.titles;
      after = page.next_after;
    } while (after !== null);
  }

  /** A title's counters for all time. */
  async title(titleId: string, options?: Options<Title>): Promise<Title> {
    if (isNoSegment(titleId)) return this.#titleByQuery(titleId, options);
    return this.#get("/titles/{title_id}", { title_id: titleId }, {}, options);
  }

  /** A title's UTC hours, from `first` to `last`: times with a zone. */
  hours(titleId: string, query: Query<"hours"> = {}, options?: Options<Hours>): Promise<Hours> {
    return this.#get("/titles/{title_id}/hours", { title_id: titleId }, query, options);
  }

  /** A title's UTC days, from `first` to `last`: `2025-11-30`. */
  days(titleId: string, query: Query<"days"> = {}, options?: Options<Days>): Promise<Days> {
    return this.#get("/titles/{title_id}/days", { title_id: titleId }, query, options);
  }

  /** A title's weeks since its release, 1 to 104. */
  weeks(titleId: string, query: Query<"weeks"> = {}, options?: Options<Weeks>): Promise<Weeks> {
    return this.#get("/titles/{title_id}/weeks", { title_id: titleId }, query, options);
  }

  /** A title's age windows: its first 72 hours (`opening`), and longer ones. */
  ages(titleId: string, options?: Options<Ages>): Promise<Ages> {
    return this.#get("/titles/{title_id}/ages", { title_id: titleId }, {}, options);
  }

  /** The households that a title reached in each UTC week. */
  audience(titleId: string, query: Query<"audience"> = {}, options?: Options<Audience>): Promise<Audience> {
    return this.#get("/titles/{title_id}/audience", { title_id: titleId }, query, options);
  }

  /** How often each part of a title was played. */
  curve(titleId: string, options?: Options<Curve>): Promise<Curve> {
    return this.#get("/titles/{title_id}/curve", { title_id: titleId }, {}, options);
  }

  /** When a title is watched, and for how many it is a habit. */
  dayparts(titleId: string, options?: Options<Dayparts>): Promise<Dayparts> {
    return this.#get("/titles/{title_id}/dayparts", { title_id: titleId }, {}, options);
  }

  /** How a title holds its audience week by week. */
  legs(titleId: string, options?: Options<Legs>): Promise<Legs> {
    return this.#get("/titles/{title_id}/legs", { title_id: titleId }, {}, options);
  }

  /** Titles ranked by a metric, for all time or on one UTC day. */
  board(metric: Metric, query: Query<"board"> = {}, options?: Options<RankedTitles>): Promise<RankedTitles> {
    return this.#get("/boards/{metric}", { metric }, query, options);
  }

  /** Franchises ranked by a metric. */
  franchiseBoard(
    metric: Metric,
    query: Query<"franchise_board"> = {},
    options?: Options<RankedFranchises>,
  ): Promise<RankedFranchises> {
    return this.#get("/boards/{metric}/franchises", { metric }, query, options);
  }

  /** A page of franchises in the order of their ids. */
  franchises(query: Query<"franchises"> = {}, options?: Options<Franchises>): Promise<Franchises> {
    return this.#get("/franchises", {}, query, options);
  }

  /** All franchises, page by page of `limit` (100). */
  async *allFranchises(query: Query<"franchises"> = {}, options?: Options): AsyncGenerator<Franchise, void, void> {
    let after = query.after ?? null;
    do {
      const page = await this.franchises({ ...query, after: after ?? "" }, options);
      yield* page.franchises;
      after = page.next_after;
    } while (after !== null);
  }

  /** A franchise's counters, each household counted once. */
  franchise(franchiseId: string, options?: Options<Franchise>): Promise<Franchise> {
    return this.#get("/franchises/{franchise_id}", { franchise_id: franchiseId }, {}, options);
  }

  /** All that is known of one to ten titles, in this order. */
  compare(titleIds: readonly string[], options?: Options<Comparison>): Promise<Comparison> {
    return this.#get("/compare", {}, { id: titleIds }, options);
  }

  /** How the workers are, and what became of the records. */
  status(options?: Options<Status>): Promise<Status> {
    return this.#get("/status", {}, {}, options);
  }

  /** All titles as CSV, in one text. Stream it by `fetch` where it is too large for that. */
  async titlesCsv(options: Options = {}): Promise<string> {
    return (await this.#ask("/titles.csv", {}, {}, options.signal)).text();
  }

  /**
   * The titles that change, without end: a broken connection is made again, and nothing is missed without an event that
   * says so. Leave the loop by `break`, or by `signal`. `after`: the `id` of the last event that you have seen.
   */
  changes(
    query: Query<"changes"> = {},
    options: { readonly after?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<ChangeEvent, never, void> {
    const listen = (after: string | undefined, signal: AbortSignal) =>
      this.#ask("/changes", {}, query, signal, after === undefined ? {} : { "Last-Event-ID": after });
    return follow(listen, options.after, options.signal);
  }

  /** The OpenAPI document. */
  openapi(options?: Options): Promise<object> {
    return this.#get("/openapi.json", {}, {}, options);
  }

  async #titleByQuery(titleId: string, options: Options<Title> = {}): Promise<Title> {
    const [title] = (await this.titles({ id: [titleId] }, { signal: options.signal })).titles;
    if (title !== undefined) return title;
    throw new ApiError({ status: 404, title: "Not Found", detail: `no counters of the title '${titleId}'` });
  }

  async #get<P extends Path>(
    path: P,
    inPath: InPath<P>,
    query: InQuery<P>,
    { known, signal }: Options<Answer<P>> = {},
  ): Promise<Answer<P>> {
    const etag = known === undefined ? undefined : this.#etags.get(known as object);
    const response = await this.#ask(path, inPath, query, signal, etag === undefined ? {} : { "If-None-Match": etag });
    if (response.status === 304) return known!;
    const answer = await response.json();
    const newer = response.headers.get("etag");
    if (newer !== null) this.#etags.set(answer, newer);
    return answer;
  }

  async #ask<P extends Path>(
    path: P,
    inPath: InPath<P>,
    query: InQuery<P>,
    signal: AbortSignal | undefined,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const url = this.#base + filled(path, inPath) + queryOf(query);
    const response = await this.#fetch(url, { headers: { ...this.#headers, ...headers }, signal: signal ?? null });
    if (response.ok || response.status === 304) return response;
    throw await errorOf(response);
  }
}

/** Whether a URL cannot have it as a segment: `.` and `..` are resolved, encoded too. */
function isNoSegment(id: string): boolean {
  return id === "." || id === "..";
}

function filled(path: string, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = values[name]!;
    if (isNoSegment(id)) throw new RangeError(`${name} '${id}' cannot be in a path: ask titles({id}) or compare([id])`);
    return encodeURIComponent(id);
  });
}

/** A list is its parameter, repeated. An empty one would ask for everything. */
function queryOf(query: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    const all = [given].flat();
    if (all.length === 0) throw new RangeError(`${name}: [] would ask for everything; leave it out for that`);
    for (const each of all) if (each !== undefined) search.append(name, String(each));
  }
  return String(search) && `?${search}`;
}
