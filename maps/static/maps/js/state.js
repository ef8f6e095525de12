// @ts-check
/**
 * What the city page shows, as a value and as a query string. Pure.
 * Only what differs from the defaults is written, so that addresses stay short and can be shared.
 *
 * @typedef {object} State
 * @property {string} show priority, coverage or uncovered
 * @property {string} service code of the chosen service
 * @property {string} sort column of the ranking, with "-" before it for the other way round
 * @property {Readonly<Record<string, number>>} thresholds metres by service, where they differ from the standard
 * @property {Readonly<Record<string, number>>} weights by service, where they differ from the city's own
 * @property {Readonly<Record<string, string>>} methods aggregation, normalisation, travel, population, programme, scenario, and the facility whose reach is shown, where given
 *
 * @typedef {object} Defaults
 * @property {string} show
 * @property {string} service
 */

const SHOWS = ["priority", "coverage", "uncovered"];
const METHODS = ["aggregation", "normalisation", "travel", "population", "programme", "scenario", "facility"];

/**
 * Read a state from a query string; what cannot be read is left at its default.
 * @param {string} search
 * @param {Defaults} defaults
 * @returns {State}
 */
export function parseState(search, defaults) {
  /** @type {Record<string, number>} */
  const thresholds = {};
  /** @type {Record<string, number>} */
  const weights = {};
  /** @type {Record<string, string>} */
  const methods = {};
  const query = new URLSearchParams(search);
  for (const [key, text] of query) {
    const [, kind, code] = /^(threshold|weight)-([a-z0-9-]+)$/.exec(key) ?? [];
    const value = Number(text);
    if (code && text !== "" && Number.isFinite(value)) (kind === "threshold" ? thresholds : weights)[code] = value;
    if (METHODS.includes(key) && text) methods[key] = text;
  }
  const show = query.get("show") ?? "";
  return {
    show: SHOWS.includes(show) ? show : defaults.show,
    service: query.get("service") || defaults.service,
    sort: query.get("sort") || "rank",
    thresholds,
    weights,
    methods,
  };
}

/**
 * Write a state as a query string, with "?" where there is anything to say.
 * @param {State} state
 * @param {Defaults} defaults
 */
export function toQuery(state, defaults) {
  const query = new URLSearchParams();
  if (state.show !== defaults.show) query.set("show", state.show);
  if (state.service && state.service !== defaults.service) query.set("service", state.service);
  if (state.sort !== "rank") query.set("sort", state.sort);
  for (const code of Object.keys(state.thresholds).sort()) query.set(`threshold-${code}`, String(state.thresholds[code]));
  for (const code of Object.keys(state.weights).sort()) query.set(`weight-${code}`, String(state.weights[code]));
  for (const key of METHODS) if (state.methods[key]) query.set(key, state.methods[key]);
  const text = query.toString();
  return text ? `?${text}` : "";
}

/**
 * Return a state with one number changed; at its standard it is no longer part of the state.
 * @param {State} state
 * @param {"thresholds" | "weights"} kind
 * @param {string} code
 * @param {number} value
 * @param {number} standard
 * @returns {State}
 */
export function withNumber(state, kind, code, value, standard) {
  const numbers = { ...state[kind] };
  if (value === standard) delete numbers[code];
  else numbers[code] = value;
  return { ...state, [kind]: numbers };
}

/**
 * Return a state with one method changed; an empty value leaves it to the city.
 * @param {State} state
 * @param {string} name
 * @param {string} value
 * @returns {State}
 */
export function withMethod(state, name, value) {
  const methods = { ...state.methods };
  if (value) methods[name] = value;
  else delete methods[name];
  return { ...state, methods };
}

/**
 * Return the state of the city's own question: what is shown stays, changed limits, weights and methods go.
 * @param {State} state
 * @returns {State}
 */
export function asStandard(state) {
  return { ...state, thresholds: {}, weights: {}, methods: {} };
}
