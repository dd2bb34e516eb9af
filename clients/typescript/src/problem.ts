/** Why there is no answer. */
import type { Problem } from "./openapi.js";

/** A refusal: what the API said (RFC 9457), or, of a proxy in between, its status. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status, such as 400. */
  readonly status: number;
  /** What was wrong. */
  readonly detail: string;
  /** The parameter or header that cannot be used. */
  readonly argument: string | undefined;
  /** What can be used in its place. */
  readonly accepted: string | undefined;
  /** In how many seconds to ask again, if that helps. */
  readonly retryAfterS: number | undefined;

  constructor(problem: Problem, retryAfterS?: number) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
    this.status = problem.status;
    this.detail = problem.detail;
    this.argument = problem.argument;
    this.accepted = problem.accepted;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same question may be answered later. */
  get passing(): boolean {
    return [429, 502, 503, 504].includes(this.status);
  }
}

/** The error that a response is. */
export async function errorOf(response: Response): Promise<ApiError> {
  const retryAfterS = Number(response.headers.get("retry-after") ?? NaN);
  const isOurs = response.headers.get("content-type")?.startsWith("application/problem+json");
  const problem: Problem = isOurs ? await response.json() : notOurs(response);
  return new ApiError(problem, Number.isNaN(retryAfterS) ? undefined : retryAfterS);
}

function notOurs({ status, statusText, url }: Response): Problem {
  return { status, title: statusText, detail: `${url} is not answered by Encore's API` };
}
