/** What a program imports: the client, its errors and events, and the types of all answers. */
export { Encore } from "./client.js";
export type { Options, Settings } from "./client.js";
export type { ChangeEvent } from "./changes.js";
export { ApiError } from "./problem.js";
export type * from "./openapi.js";
