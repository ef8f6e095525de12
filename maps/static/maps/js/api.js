// @ts-check
/** Talking to the server: JSON both ways, the session's token, and faults that say what happened and what to do. */

/** A fault: `status` 0 where the server could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {Record<string, any>} [problem] the server's problem+json
   */
  constructor(status, message, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * @typedef {object} Answer
 * @property {any} body
 * @property {string} etag without quotes; empty where there is none
 *
 * @typedef {object} Ask
 * @property {any} [body] sent as JSON, or as it is where it is a form or a file
 * @property {AbortSignal} [signal]
 * @property {number | null} [version] sent as If-Match
 * @property {boolean} [keepalive]
 */

/**
 * Make the function that asks the server.
 * @param {{base: string, csrf: string, language: string}} parts
 */
export function makeApi({ base, csrf, language }) {
  /**
   * @param {string} method
   * @param {string} path below the base
   * @param {Ask} [ask]
   * @returns {Promise<Answer>}
   */
  return async (method, path, { body, signal, version, keepalive } = {}) => {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json", "Accept-Language": language };
    if (method !== "GET") headers["X-CSRFToken"] = csrf;
    if (version !== undefined && version !== null) headers["If-Match"] = `"${version}"`;
    const isForm = body instanceof FormData;
    const isFile = typeof Blob === "function" && body instanceof Blob;
    if (isFile) headers["Content-Type"] = body.type || "application/octet-stream";
    else if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(base + path, { method, headers, signal, keepalive, credentials: "same-origin", body: body === undefined ? undefined : isForm || isFile ? body : JSON.stringify(body) });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, String(error));
    }
    const etag = (response.headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (response.ok) return { body: answer, etag };
    const problem = answer && typeof answer === "object" ? answer : {};
    throw new ApiError(response.status, [problem.title, (problem.place ?? problem.where) && `(${problem.place ?? problem.where})`, problem.remedy].filter(Boolean).join(" ") || String(response.status), problem);
  };
}

/** @typedef {ReturnType<typeof makeApi>} Api */
