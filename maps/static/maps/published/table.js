/**
 * Tables of places: sorting by any column, and a button on every name that shows the place on the map.
 * Without this script the table is complete and in its published order.
 */

/**
 * @typedef {{sort: string, show: string}} TableWords sentences with %(column)s and %(place)s
 */

/**
 * Put a value into a sentence.
 * @param {string} sentence
 * @param {string} value
 */
function filled(sentence, value) {
  return sentence.replace(/%\(\w+\)s/, () => value);
}

/**
 * Turn the headings into buttons that sort, and say so to screen readers.
 * @param {HTMLTableElement} table
 * @param {TableWords} words
 */
export function makeSortable(table, words) {
  const body = table.tBodies[0];
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (heading.classList.contains("pub-reasons")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.title = filled(words.sort, heading.textContent.trim());
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") === "descending" || (column === 0 && heading.getAttribute("aria-sort") !== "ascending");
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const sign = ascending ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((a, b) => (column === 0 ? sign * collator.compare(placeName(a), placeName(b)) : byNumber(a.cells[column], b.cells[column], sign)));
      body.append(...rows);
    });
  });
}

/**
 * Compare two cells by their number; cells without one come last either way.
 * @param {HTMLTableCellElement} a
 * @param {HTMLTableCellElement} b
 * @param {number} sign
 */
function byNumber(a, b, sign) {
  const [first, second] = [a.dataset.value, b.dataset.value];
  if (first === "" || second === "") return first === second ? 0 : first === "" ? 1 : -1;
  return sign * (Number(first) - Number(second));
}

/**
 * Return the name a row is about.
 * @param {HTMLTableRowElement} row
 */
export function placeName(row) {
  return row.querySelector(".pub-place").textContent;
}

/**
 * Turn the names into buttons.
 * @param {HTMLTableElement} table
 * @param {TableWords} words
 * @param {(index: number) => void} show called with the number of the row
 */
export function makeChoosable(table, words, show) {
  for (const row of table.tBodies[0].rows) {
    const name = row.querySelector(".pub-place");
    const button = document.createElement("button");
    button.type = "button";
    button.title = filled(words.show, name.textContent);
    button.append(...name.childNodes);
    name.append(button);
    button.addEventListener("click", () => {
      markRow(table, Number(row.dataset.row));
      show(Number(row.dataset.row));
    });
  }
}

/**
 * Mark the row of a place, and no other.
 * @param {HTMLTableElement} table
 * @param {number} index -1 for none
 */
export function markRow(table, index) {
  for (const row of table.tBodies[0].rows) row.classList.toggle("is-shown", Number(row.dataset.row) === index);
}
